"""preceptor beside its peers, in one run."""
