"""Conditional requests: when an answer counts as unchanged."""

from __future__ import annotations

import pytest

from copilot_api.caching import etag, matches


def test_equal_parts_give_equal_tags_and_others_do_not() -> None:
    """A tag stands for its parts, and shifting text between parts changes it."""
    assert etag("status", 1, 2) == etag("status", 1, 2)
    assert len({etag("status", 1, 2), etag("status", 12), etag("statu", "s1", 2)}) == 3


@pytest.mark.parametrize("header", ["{tag}", '"other", {tag}', "*", "{strong}"])
def test_a_held_answer_is_recognised(header: str) -> None:
    """The tag matches alone, in a list, as `*`, and by weak comparison."""
    tag = etag(1)
    assert matches(header.format(tag=tag, strong=tag.removeprefix("W/")), tag)


@pytest.mark.parametrize("header", [None, "", '"other"', "W/", ","])
def test_another_answer_is_not(header: str | None) -> None:
    """No tag, another tag or a broken header all mean: send the answer."""
    assert not matches(header, etag(1))
