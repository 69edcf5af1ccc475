"""Events for eyes: every type has its line, and a ranking says what it rests on."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from rich.console import Console

from copilot.timeline import as_record, as_rows
from copilot_core.events import (
    EVENT_TYPES,
    Event,
    NewEvent,
    StateAssessed,
    decode,
    new_event,
)
from tests.unit.projections.explaining import explaining, ranking
from tests.unit.projections.story import NOON

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def printed(event: Event | NewEvent) -> list[str]:
    """The lines of an event on a wide terminal."""
    new = event if isinstance(event, NewEvent) else new_event(event, cluster="orders", version=1)
    console = Console(width=400, no_color=True)
    with console.capture() as caught:
        console.print(*as_rows(new), sep="\n")
    return [line.strip() for line in caught.get().splitlines() if line.strip()]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda p: p.stem)
def test_every_event_has_a_headline_with_its_time(path: Path) -> None:
    """Whatever the type and version: a first line that begins with the event's time."""
    name, _, version = path.stem.partition(".v")
    stored = decode(name, int(version), path.read_bytes())
    headline = printed(stored)[0]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \S", headline)
    assert name in EVENT_TYPES


def test_a_ranking_is_read_likeliest_first_with_its_evidence() -> None:
    """Causes with scores on the first line, then what each rests on, then what cannot be told."""
    event = ranking(
        NOON, [("workers/absent", 0.92), ("database/slow", 0.4)],
        cannot_tell=["network/unreachable"], since=NOON,
    )  # fmt: skip
    headline, first, second, untold = printed(event)
    assert headline.endswith("causes: workers absent (0.92), database slow (0.40)")
    assert first == "workers absent: no worker process reports: 0 processes, threshold 1 process"
    assert second.startswith("database slow: ")
    assert untold.startswith("cannot tell whether ")
    (none,) = printed(ranking(NOON, [], since=NOON))
    assert none.endswith("causes: none")


def test_a_cause_that_is_gone_says_so() -> None:
    """What is not seen any more is not told as if it were."""
    event = ranking(NOON, [("workers/absent", 0.92)], since=NOON)
    gone = event.causes[0].model_copy(update={"now": False})
    assert "not seen any more" in printed(event.model_copy(update={"causes": (gone,)}))[1]


def test_words_name_who_worded_them() -> None:
    """An explanation is one line: whose words, and the headline."""
    (line,) = printed(explaining(StateAssessed, NOON, UUID(int=1), model="stub"))
    assert line.endswith("state assessed by stub: Nothing closes, told by stub.")
    (line,) = printed(explaining(StateAssessed, NOON, UUID(int=1)))
    assert line.endswith("state assessed by rules: Nothing closes, told by the rules.")


def test_a_line_for_scripts_has_the_payload_as_it_is_stored() -> None:
    """Type, cluster, time, and the payload's own bytes."""
    new = new_event(ranking(NOON, [], since=NOON), cluster="orders", version=3)
    record = as_record(new)
    assert (record["type"], record["cluster"]) == ("CausesRanked", "orders")
    assert record["at"] == "2026-11-23T12:00:00Z"
    assert orjson.dumps(record["data"]) == new.payload
