"""Every kind that the registry knows, under every law of the book."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws import ANY_COLUMN, COLUMNS, KIND_LAWS, TARGET_LAWS, Law

from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named, kind_names

quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
TARGETS = [name for name in kind_names() if issubclass(kind_named(name), Target)]


def _title(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("name", kind_names())
@pytest.mark.parametrize("law", KIND_LAWS, ids=_title)
@quick
@given(data=st.data())
def test_every_kind_obeys(name: str, law: Law, data: st.DataObject):
    law(kind_named(name), data.draw(COLUMNS[name]), data.draw(ANY_COLUMN))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("law", TARGET_LAWS, ids=_title)
@quick
@given(data=st.data())
def test_every_target_kind_obeys(name: str, law: Law, data: st.DataObject):
    law(kind_named(name), data.draw(COLUMNS[name]), data.draw(ANY_COLUMN))


def test_the_book_has_columns_for_every_kind():
    assert set(COLUMNS) == set(kind_names())
