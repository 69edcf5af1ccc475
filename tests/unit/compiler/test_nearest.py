"""The nearest of a few names: what counts as near, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS


@pytest.mark.parametrize(
    ("name", "names", "near"),
    [
        ("nmespace", ("namespace", "taskQueueName"), "namespace"),
        ("NAMESPACE", ("namespace",), "namespace"),
        ("pool_max_connection", ("dsql.pool_max_connections",), "dsql.pool_max_connections"),
        ("shards", ("history_shards",), "history_shards"),
        ("ab", ("xxaybxxx",), None),
        ("zzzz", ("namespace",), None),
        ("namespace", (), None),
    ],
)
def test_what_is_near(name: str, names: tuple[str, ...], near: str | None) -> None:
    """Slips, other case, a missing prefix, a telling part; two letters of many tell nothing."""
    assert nearest(name, names) == near


def test_a_higher_bar_takes_no_part_for_the_name() -> None:
    """Where any word may stand, a name is meant only when nearly all its letters are there."""
    assert nearest("TEMPRAL_SQL_MAX_CONNS", ("TEMPORAL_SQL_MAX_CONNS",), at_least=85)
    assert nearest("MAX_CONNS", ("TEMPORAL_SQL_MAX_CONNS",))
    assert nearest("MAX_CONNS", ("TEMPORAL_SQL_MAX_CONNS",), at_least=85) is None


def test_of_equally_near_ones_it_is_the_first() -> None:
    """The answer follows from the order of the names alone."""
    assert nearest("rate_x", ("rate_a", "rate_b")) == "rate_a"
    assert nearest("rate_x", ("rate_b", "rate_a")) == "rate_b"


@given(st.sampled_from(tuple(PARAMETERS)))
def test_every_name_is_nearest_to_itself(name: str) -> None:
    """A name that is one of them is answered with itself, at any bar."""
    assert nearest(name, PARAMETERS, at_least=100) == name
