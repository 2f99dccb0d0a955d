"""One file for each trap in the data."""
