"""The same examples in every run: a failure of `make test` is one that everybody sees."""

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
