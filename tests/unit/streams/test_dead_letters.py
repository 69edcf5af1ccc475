"""Dead letters: the same place has the same name, and the reason survives."""

from __future__ import annotations

from whenever import Instant

from copilot_core.errors import Rejected
from copilot_eventlog.memory import MemoryLog
from copilot_streams.dead_letters import letter_of, waiting
from copilot_streams.worker.shard import Message, Refused

NOW = Instant.from_timestamp(1_780_000_000)


def refused(offset: int, *, source: str = "t@1") -> Refused:
    """A refused message at an offset of partition 3."""
    error = Rejected("not UTF-8 JSON", code="not_json")
    return Refused(source, "copilot.samples.v1", 3, Message(offset, b"k", b"body"), error)


def test_the_id_is_the_place_in_one_life_of_the_topic() -> None:
    """Refused twice at one place is one letter; the same offset in a topic made anew is another."""
    first = letter_of(refused(7), at=NOW)
    assert letter_of(refused(7), at=NOW.add(seconds=5)).id == first.id
    assert letter_of(refused(8), at=NOW).id != first.id
    assert letter_of(refused(7, source="t@2"), at=NOW).id != first.id


def test_ids_order_as_offsets_do() -> None:
    """Paging by id goes through a partition in order."""
    ids = [letter_of(refused(offset), at=NOW).id for offset in (9, 10, 100, 2000)]
    assert ids == sorted(ids)


def test_a_letter_says_where_and_why() -> None:
    """Source, code, reason and body are those of the message."""
    letter = letter_of(refused(7), at=NOW)
    assert letter.source == "copilot.samples.v1/3@7"
    assert (letter.code, letter.reason, letter.body) == ("not_json", "not UTF-8 JSON", b"body")


async def test_only_letters_of_the_samples_topic_are_waiting() -> None:
    """Letters of read models belong to somebody else and are left out, however many there are."""
    log = MemoryLog()
    for offset in range(150):
        await log.bury(letter_of(refused(offset), at=NOW))
        other = letter_of(refused(offset, source="x"), at=NOW)
        view = type(other)(f"view/{offset}", "view:incidents/0@1", "c", "r", b"", NOW)
        await log.bury(view)
    found = [letter.id async for letter in waiting(log)]
    assert len(found) == 150
    assert found == sorted(found)


def test_a_reason_holds_no_secret() -> None:
    """What a refused message said in its wrong place is told without its secrets."""
    error = Rejected("unknown kind 'password=hunter2'", code="unknown_kind")
    message = Message(1, b"k", b"body")
    letter = letter_of(Refused("t@1", "copilot.samples.v1", 3, message, error), at=NOW)
    assert letter.reason == "unknown kind 'password=[password]'"
