"""Each contestant's way to fit, as its own documentation advises: `fit(task, **options)` returns `predict`.

`lean` turns off all that a user can do without: logging, progress bars, checkpoints.
"""
