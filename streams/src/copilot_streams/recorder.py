"""Recording: history, read slot by slot, written to a file slot by slot."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from copilot_core.samples import LogSample, Sample
from copilot_streams.history import History
from copilot_streams.recording import Header, create, header_of


async def record(
    history: History, path: Path, *, source: str, logs: AsyncIterable[LogSample] | None = None
) -> Header:
    """Write the history of one cluster to `path` as a recording, in bounded memory.

    `logs` are the log samples of the same slots, in order; slots without one are left without.
    `source` says in words where the history came from. The file appears only when it is complete.
    Raises what the history raises.
    """
    header = header_of(
        await history.installation(),
        cluster=history.cluster,
        first=history.span.first,
        last=history.span.last,
        interval_s=history.span.step_s,
        source=source,
    )
    with create(path, header) as out:
        async for message in in_slot_order(history.samples(), logs):
            out.write(message)
    return header


async def in_slot_order(
    samples: AsyncIterable[Sample], logs: AsyncIterable[LogSample] | None
) -> AsyncIterator[Sample | LogSample]:
    """Samples and log samples merged by slot, the sample of a slot first."""
    waiting = aiter(logs) if logs is not None else None
    log_sample = await anext(waiting, None) if waiting is not None else None
    async for sample in samples:
        while log_sample is not None and waiting is not None and log_sample.slot < sample.slot:
            yield log_sample
            log_sample = await anext(waiting, None)
        yield sample
    while log_sample is not None and waiting is not None:
        yield log_sample
        log_sample = await anext(waiting, None)
