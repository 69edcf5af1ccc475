"""Cursors come back as they went out, and nothing else is taken for one."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_api import cursors
from copilot_core.errors import Rejected

SHARDS = st.dictionaries(
    st.integers(0, 2**20).map(cursors.shard_place), st.integers(-1, 2**63 - 1), max_size=40
)


@given(SHARDS)
def test_a_cursor_comes_back_as_it_went_out(cursor: dict[str, int]) -> None:
    """read(write(c)) == c, for any set of shards, and the text needs no quoting in a URL."""
    text = cursors.write(cursor)
    assert cursors.read(text) == cursor
    assert all(c.isalnum() or c in "-_" for c in text)


@given(st.text(max_size=200) | st.binary(max_size=150).map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_cursor_or_is_rejected_by_name(text: str) -> None:
    """Made-up cursors are refused with the code bad_cursor; nothing else is ever raised."""
    code = ""
    try:
        cursors.read(text, places=["health/prod"])
    except Rejected as e:
        code = e.code
    assert code in ("", "bad_cursor")


@pytest.mark.parametrize(
    "body",
    [
        '{"health/a":1}', '{"shard/x":1}', '{"shard/0":true}', '{"shard/0":1.5}',
        '{"shard/0":-2}', '{"shard/0":9223372036854775808}', "[]", "3", "{",
    ],
)  # fmt: skip
def test_a_readable_text_that_is_no_cursor_is_refused(body: str) -> None:
    """JSON of the wrong shape, of other places, or with impossible numbers is refused."""
    with pytest.raises(Rejected) as refused:
        cursors.read(urlsafe_b64encode(body.encode()).decode().rstrip("="))
    assert refused.value.code == "bad_cursor"


def test_a_cursor_of_another_request_is_refused() -> None:
    """A cursor of one stream says nothing about another, and an empty one about none."""
    places = ["health/prod", "logs/prod"]
    assert cursors.read(cursors.write({"health/prod": 7}), places=places) == {"health/prod": 7}
    for other in ({"health/test": 7}, {"health/prod": 7, "shard/0": 1}, {}):
        with pytest.raises(Rejected):
            cursors.read(cursors.write(other), places=places)
