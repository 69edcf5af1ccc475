"""What every implementation of the log does alike: check a batch, and settle a refused append.

Both are pure, so that the in-memory twin and the database cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from copilot_core.errors import Defect, Fenced
from copilot_core.events import NewEvent, RecordedEvent
from copilot_eventlog.protocol import Head

MAX_ROWS: Final = 3_000
"""Rows that DSQL changes in one transaction; the head is one of them."""
MAX_BYTES: Final = 10 * 1024 * 1024
"""Bytes that DSQL writes in one transaction, index entries included; also its longest message."""
ROW_BYTES: Final = 256
"""Envelope and index entries of one event, besides its payload and twice its stream's name."""
MAX_BODY_BYTES: Final = 64 * 1024
"""A dead letter keeps this much of what was refused."""


def check_batch(events: Sequence[NewEvent], carry: bytes) -> None:
    """Refuse what cannot be one transaction, and versions that skip or repeat within the batch.

    Raises `Defect`: whoever collects a batch has to keep it inside these limits.
    """
    if len(events) + 1 > MAX_ROWS:
        raise Defect(
            f"an append of {len(events)} events; one transaction takes {MAX_ROWS - 1}",
            todo="append in smaller batches (500 events or 1 MiB)",
        )
    size = len(carry) + sum(len(e.payload) + 2 * len(e.stream) + ROW_BYTES for e in events)
    if size > MAX_BYTES:
        raise Defect(
            f"an append of {size} bytes in {len(events)} events; one transaction takes {MAX_BYTES}",
            todo="append in smaller batches (500 events or 1 MiB)",
        )
    last: dict[str, int] = {}
    for event in events:
        before = last.get(event.stream, event.version - 1)
        if event.version != before + 1 or event.version < 1:
            raise Defect(f"{event.stream}: version {event.version} after {before} in one append")
        last[event.stream] = event.version


def settle(
    head: Head, now: Head | None, events: Sequence[NewEvent], recorded: Sequence[RecordedEvent]
) -> Head:
    """Why did an append after `head` change nothing, when the shard stands at `now`?

    `recorded` is what the log holds behind `head.next_position`, at least as much as was to be
    appended. Returns `now` when the very same append was made before and only its answer was lost.
    Raises `Fenced` when the shard has another writer, `Defect` when nobody known moved the head.
    """
    where = f"shard {head.shard}"
    if now is None:
        raise Defect("an append to a shard without a head", where=where, todo="take it over first")
    if now.epoch != head.epoch:
        raise Fenced(
            f"{now.writer} took the shard over (epoch {now.epoch}, ours was {head.epoch})",
            where=where,
            todo="stop writing to this shard",
        )
    ours = [(e.stream, e.version, e.payload) for e in events]
    theirs = [(e.stream, e.version, e.payload) for e in recorded[: len(events)]]
    if ours and ours == theirs and now.next_position == head.next_position + len(events):
        return now
    raise Defect(
        f"the head stands at {now.next_position}, our append was for {head.next_position}",
        where=where,
        todo="two appends of one writer ran at once, or an old head was used again",
    )
