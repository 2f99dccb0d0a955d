"""More data than memory: sources read piece by piece, rows drawn by lot, rows dealt into packs on disk."""
