"""Config history: what a cluster was configured as, since when, by whom, and what that changed.

One row per emitted configuration; the newest one is in force. The difference between any two is
composed from the changes recorded between them, never worked out from the values again: so it says
what the compiler said, in its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from copilot_core.events import ConfigChange, ConfigChanged, RecordedEvent, Scalar, TelemetryBound
from copilot_core.values import Apply
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, ms
from copilot_projections.shown import shown


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """One emitted configuration; `version` is the event's in its stream. `profile` is a JSON object
    of values, `changes` and `bounds` are JSON lists."""

    cluster: str
    version: int
    slot: int
    shard: int
    position: int
    event_id: str
    fingerprint: str
    previous_fingerprint: str | None
    preset: str
    modifier: str | None
    server_version: str
    compiler_version: str
    author: str
    reason: str
    changes: str
    profile: str
    bounds: str


CONFIGS = Table("config_history", ConfigRow, key=("cluster", "version"))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add one row per configuration; rows are never changed."""
    for recorded in events:
        config = recorded.decoded()
        assert isinstance(config, ConfigChanged)
        told = config.model_dump(mode="json")
        rows.put(
            CONFIGS,
            ConfigRow(
                cluster=recorded.cluster,
                version=recorded.version,
                slot=config.at,
                shard=recorded.shard,
                position=recorded.position,
                event_id=str(recorded.event_id),
                fingerprint=config.fingerprint,
                previous_fingerprint=config.previous_fingerprint,
                preset=config.preset,
                modifier=config.modifier,
                server_version=config.server_version,
                compiler_version=config.compiler_version,
                author=config.author,
                reason=config.reason,
                changes=orjson.dumps(told["changes"]).decode(),
                profile=orjson.dumps(told["values"]).decode(),
                bounds=orjson.dumps(told["bounds"]).decode(),
            ),
        )


VIEW = View("config_history", 1, (CONFIGS,), takes=frozenset({ConfigChanged.__name__}), apply=apply)


class _Emitted(Answer):
    """What every answer about one configuration says of it."""

    cluster: str
    version: int
    fingerprint: str
    preset: str
    modifier: str | None
    server_version: str
    compiler_version: str
    author: str
    reason: str
    event_id: str
    shard: int
    position: int


class CurrentConfig(_Emitted):
    """The configuration in force: every value, what telemetry is expected to stay within, and since
    when, by whom and why it is so."""

    since: At
    since_ms: int
    values: dict[str, Scalar]
    bounds: tuple[TelemetryBound, ...]


class ConfigEntry(_Emitted):
    """One configuration that was emitted, and what it changed about the one before."""

    at: At
    at_ms: int
    previous_fingerprint: str | None
    changes: tuple[ConfigChange, ...]


class ConfigHistoryPage(Answer):
    """Configurations, newest first; `next_before` is the version to page on below, None at the
    end."""

    entries: tuple[ConfigEntry, ...]
    next_before: int | None


class ConfigPlace(Answer):
    """Where a configuration stands among those of its cluster."""

    version: int
    fingerprint: str


_HEAD: Final = tuple(_Emitted.model_fields)


def _head(record: Mapping[str, Any]) -> dict[str, Any]:
    foreign = {name: shown(record[name]) for name in ("author", "reason")}
    return {**{name: record[name] for name in _HEAD}, **foreign}


async def current(views: ViewReader, cluster: str) -> CurrentConfig | None:
    """The configuration in force, or None for a cluster that none was ever emitted for."""
    found = await views.fetch(VIEW, "current", cluster)
    if not found:
        return None
    record = found[0]
    return CurrentConfig(
        **_head(dict(record)),
        since=at(record["slot"]),
        since_ms=ms(record["slot"]),
        values=orjson.loads(record["profile"]),
        bounds=orjson.loads(record["bounds"]),
    )


async def page(
    views: ViewReader, cluster: str, *, before: int | None = None, limit: int = 100
) -> ConfigHistoryPage:
    """Configurations of a cluster below version `before`, newest first."""
    end = 2**62 if before is None else before
    found = await views.fetch(VIEW, "page", cluster, end, limit + 1)
    entries = tuple(
        ConfigEntry(
            **_head(dict(record)),
            at=at(record["slot"]),
            at_ms=ms(record["slot"]),
            previous_fingerprint=record["previous_fingerprint"],
            changes=orjson.loads(record["changes"]),
        )
        for record in found[:limit]
    )
    following = entries[-1].version if len(found) > limit else None
    return ConfigHistoryPage(entries=entries, next_before=following)


async def newest(views: ViewReader, cluster: str, *, fingerprint: str = "") -> ConfigPlace | None:
    """The newest configuration of a cluster, or the newest with a fingerprint; None for none."""
    found = await views.fetch(VIEW, "newest", cluster, fingerprint)
    return ConfigPlace(**found[0]) if found else None


async def of_version(views: ViewReader, cluster: str, version: int) -> ConfigPlace | None:
    """The configuration of a version, or None when there is none (yet)."""
    found = await views.fetch(VIEW, "of_version", cluster, version)
    return ConfigPlace(**found[0]) if found else None


async def changes_between(
    views: ViewReader, cluster: str, *, after: int, to: int
) -> tuple[ConfigChange, ...]:
    """What differs in version `to` from version `after`; 0 stands for before the first.

    Backwards, when `after` is the later one, it is what going back would change.
    """
    first, last = sorted((after, to))
    found = await views.fetch(VIEW, "changes_between", cluster, first, last)
    steps = ([ConfigChange(**c) for c in orjson.loads(record["changes"])] for record in found)
    changes = composed(steps)
    return changes if after <= to else undone(changes)


def composed(steps: Iterable[Iterable[ConfigChange]]) -> tuple[ConfigChange, ...]:
    """Several differences, one after the other, as one.

    A parameter that came back to its first value is not in it; of one that changed several times
    it has the first `before`, the last `after`, and all reasons in order.
    """
    told: dict[str, list[ConfigChange]] = {}
    for change in (change for step in steps for change in step):
        told.setdefault(change.parameter, []).append(change)
    return tuple(
        changes[-1].model_copy(
            update={"before": changes[0].before, "why": "; then ".join(c.why for c in changes)}
        )
        for changes in told.values()
        if not _same(changes[0].before, changes[-1].after)
    )


def undone(changes: Iterable[ConfigChange]) -> tuple[ConfigChange, ...]:
    """A difference in the other direction."""
    return tuple(
        c.model_copy(update={"before": c.after, "after": c.before, "why": f"undoes: {c.why}"})
        for c in changes
    )


def _same(one: Scalar | None, other: Scalar | None) -> bool:
    return type(one) is type(other) and one == other  # 1, 1.0 and True are equal in Python


_WEIGHT: Final = {Apply.LIVE: 0, Apply.RESTART: 1, Apply.RECREATE: 2}


def heaviest(changes: Iterable[ConfigChange]) -> Apply | None:
    """What it takes until all of these changes are in force; None where there is nothing to do."""
    return max((c.apply for c in changes), key=_WEIGHT.__getitem__, default=None)
