"""What fits into one append, and how a refused one is settled."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_core.errors import Defect, Fenced
from copilot_core.events import NewEvent, RecordedEvent
from copilot_eventlog.batch import MAX_BYTES, ROW_BYTES, check_batch, settle
from copilot_eventlog.protocol import Head

T0 = Instant.from_utc(2026, 3, 1)
HEAD = Head(3, 5, 10, "copilot.samples.v1@A", 99, b"", "w1")


def new(version: int, payload: bytes = b"{}", stream: str = "health/a") -> NewEvent:
    """The n-th event of a stream."""
    return NewEvent(stream, version, "SampleRecorded", 1, T0, payload)


def recorded(events: list[NewEvent], first: int) -> list[RecordedEvent]:
    """The events as a log holds them from position `first`."""
    return [
        RecordedEvent(
            3, n, e.stream, e.version, e.event_id, e.type, 1, T0, T0, e.payload, e.causation
        )
        for n, e in enumerate(events, start=first)
    ]


@given(versions=st.lists(st.integers(0, 6), max_size=6), stream=st.sampled_from("ab"))
def test_versions_ascend_by_one(versions: list[int], stream: str) -> None:
    """A batch is taken exactly when each stream's versions are positive and follow each other."""
    dense = all(b == a + 1 for a, b in pairwise(versions))
    batch = [new(n, stream=stream) for n in versions] + [new(1, stream="c")]
    if dense and all(n > 0 for n in versions):
        check_batch(batch, b"")
    else:
        with pytest.raises(Defect):
            check_batch(batch, b"")


def test_the_carry_counts() -> None:
    """What the writer carries along is written too, so it counts against the limit."""
    room = MAX_BYTES - ROW_BYTES - 2 * len("health/a") - 2
    check_batch([new(1)], b"x" * room)
    with pytest.raises(Defect, match="smaller batches"):
        check_batch([new(1)], b"x" * (room + 1))


def test_our_own_append_is_recognised() -> None:
    """The head moved by just our events, and they are there: the append was made before."""
    events = [new(1), new(2)]
    now = replace(HEAD, next_position=12, source_offset=100)
    assert settle(HEAD, now, events, recorded(events, 10)) is now


@pytest.mark.parametrize(
    ("now", "there"),
    [
        (replace(HEAD, next_position=12), [new(1), new(2, b'{"other":1}')]),
        (replace(HEAD, next_position=12), [new(1), new(3)]),
        (replace(HEAD, next_position=13), [new(1), new(2)]),
        (replace(HEAD, next_position=11), [new(1)]),
        (HEAD, []),
    ],
)
def test_anything_else_is_a_defect(now: Head, there: list[NewEvent]) -> None:
    """Other events, more events or fewer behind our position were written by nobody known."""
    with pytest.raises(Defect, match="stands at"):
        settle(HEAD, now, [new(1), new(2)], recorded(there, 10))


def test_another_epoch_is_fenced_even_with_our_events() -> None:
    """Once somebody took over, we stop, also when our append had been made before that."""
    events = [new(1)]
    now = replace(HEAD, next_position=11, epoch=6, writer="w2")
    with pytest.raises(Fenced, match="w2 took the shard over"):
        settle(HEAD, now, events, recorded(events, 10))
