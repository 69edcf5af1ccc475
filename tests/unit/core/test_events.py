"""Events: every version ever written stays readable, and equal events have equal bytes."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_core.errors import Defect, Rejected
from copilot_core.events import EVENT_TYPES, UPCASTERS, Digest, NewEvent, decode, encode, event_id

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def test_every_type_and_version_has_a_golden_file() -> None:
    """A golden file per event type and schema version; missing one means that a version is
    unguarded."""
    expected = {
        f"{name}.v{v}.json"
        for name, cls in EVENT_TYPES.items()
        for v in range(1, cls.schema_version + 1)
    }
    assert {p.name for p in GOLDEN.glob("*.json")} == expected


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda p: p.stem)
def test_golden_events_stay_readable(path: Path) -> None:
    """Stored payloads decode for ever; the present version is written back byte for byte."""
    name, _, version = path.stem.partition(".v")
    stored = path.read_bytes().strip()
    event = decode(name, int(version), stored)
    if int(version) == EVENT_TYPES[name].schema_version:
        assert encode(event) == stored


def test_every_old_version_has_its_upcaster() -> None:
    """For each version below the present one there is exactly one function that lifts it."""
    assert set(UPCASTERS) == {
        (n, v) for n, cls in EVENT_TYPES.items() for v in range(1, cls.schema_version)
    }


@pytest.mark.parametrize(
    ("type_", "version", "payload", "code"),
    [
        ("HealthImproved", 1, b"{}", "unknown_type"),
        ("HealthTransitioned", 2, b"{}", "unknown_version"),
        ("HealthTransitioned", 0, b"{}", "unknown_version"),
        ("HealthTransitioned", 1, b"{}", "malformed"),
        ("HealthTransitioned", 1, b"\xff", "malformed"),
        ("SampleRecorded", 1, b"[]", "malformed"),
    ],
)
def test_what_cannot_be_read_is_named(type_: str, version: int, payload: bytes, code: str) -> None:
    """An event from a newer program or a broken payload is refused with its reason."""
    with pytest.raises(Rejected) as caught:
        decode(type_, version, payload)
    assert caught.value.code == code


def test_ids_depend_on_stream_and_version_alone() -> None:
    """The n-th event of a stream has one id, on every machine and in every re-fold."""
    assert str(event_id("health/orders", 1)) == "d6282d8c-a408-51ae-a6ac-8db957881fad"
    assert (
        event_id("health/orders", 1) != event_id("health/orders", 2) != event_id("logs/orders", 2)
    )


def _event(stream: str, version: int, payload: bytes = b"{}") -> NewEvent:
    return NewEvent(
        stream, version, "SampleDropped", 1, Instant.from_timestamp(1_795_367_070), payload
    )


@given(st.permutations([("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]))
def test_the_digest_ignores_interleaving_and_nothing_else(order: list[tuple[str, int]]) -> None:
    """Streams may interleave; a gap, a double or other bytes never pass unnoticed."""
    interleaved = [
        next(e for e in order if e[0] == s and e[1] == n) for s, n in _in_stream_order(order)
    ]
    reference, digest = Digest(), Digest()
    reference.add_all(_event(s, v) for s, v in [("b", 1), ("a", 1), ("b", 2), ("a", 2), ("b", 3)])
    digest.add_all(_event(s, v) for s, v in interleaved)
    assert digest.hexdigest() == reference.hexdigest()
    other = Digest()
    other.add_all(_event(s, v, b'{"x":1}') for s, v in interleaved)
    assert other.hexdigest() != digest.hexdigest()


def _in_stream_order(order: list[tuple[str, int]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    out = []
    for stream, _ in order:
        counts[stream] = counts.get(stream, 0) + 1
        out.append((stream, counts[stream]))
    return out


@pytest.mark.parametrize("versions", [(2,), (1, 3), (1, 1)])
def test_the_digest_refuses_gaps_and_doubles(versions: tuple[int, ...]) -> None:
    """A log with a hole or a repetition has no digest."""
    digest = Digest()
    with pytest.raises(Defect):
        digest.add_all(_event("a", v) for v in versions)


def test_payloads_are_canonical() -> None:
    """Keys are sorted and no space is written, so that digests compare across programs."""
    for path in GOLDEN.glob("*.json"):
        stored = path.read_bytes().strip()
        assert orjson.dumps(orjson.loads(stored), option=orjson.OPT_SORT_KEYS) == stored
