"""The same examples in every run: a failure of `make test` is one that everybody sees. No traces outside."""

import preceptor  # noqa: F401  isort: skip  (before torch, for it says how idle threads wait)

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="session")
def _own_cache() -> Iterator[None]:
    """Decoded pictures are kept in a folder of the tests' own."""
    before = os.environ.get("PRECEPTOR_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRECEPTOR_CACHE"] = folder
        yield
        if before is None:
            del os.environ["PRECEPTOR_CACHE"]
        else:
            os.environ["PRECEPTOR_CACHE"] = before
