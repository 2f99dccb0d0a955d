"""The ledger and the evidence of a run, told as one HTML page."""
