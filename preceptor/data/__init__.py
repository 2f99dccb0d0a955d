"""Any file, folder or frame becomes a Table, every row accounted for."""
