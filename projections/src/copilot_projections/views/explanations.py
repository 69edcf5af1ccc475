"""Explanations: what was said of transitions, incidents and states, in which words, proven by what.

One row per revision, and rows are never changed. The words in force are those of the highest
revision, found when asked: the rules' words and a model's come from two shards of the log, in
either order. Nothing here looks at the event that is explained, so words about one that the log
does not have (any more) harm nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import (
    Explaining,
    IncidentReviewed,
    RecordedEvent,
    StateAssessed,
    TransitionExplained,
    decode,
)
from copilot_projections.explained import Explained, ExplanationLine, full, line
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, Rows, Table, View


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """One revision. `slot` is that of what is explained, `explains` the id of that event, `version`
    the explanation's own in its stream, `data` its payload."""

    cluster: str
    slot: int
    explains: str
    type: str
    revision: int
    version: int
    shard: int
    position: int
    event_id: str
    schema_version: int
    data: str


EXPLANATIONS = Table(
    "explanations",
    ExplanationRow,
    key=("cluster", "slot", "explains", "type", "revision", "version"),
)


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add one row per revision; rows are never changed."""
    for recorded in events:
        event = recorded.decoded()
        assert isinstance(event, Explaining)
        rows.put(
            EXPLANATIONS,
            ExplanationRow(
                cluster=recorded.cluster,
                slot=event.at,
                explains=str(event.explains),
                type=recorded.type,
                revision=event.revision,
                version=recorded.version,
                shard=recorded.shard,
                position=recorded.position,
                event_id=str(recorded.event_id),
                schema_version=recorded.schema_version,
                data=recorded.payload.decode(),
            ),
        )


OF_THE_PRESENT: Final = (TransitionExplained.__name__, StateAssessed.__name__)
"""Types that say how a cluster is; a review says how it was."""
TYPES: Final = frozenset({*OF_THE_PRESENT, IncidentReviewed.__name__})
MAX_REVISIONS: Final = 20
"""Of one event; there are two unless somebody writes more than the workflows do."""

VIEW = View(
    "explanations", 1, (EXPLANATIONS,), takes=TYPES, apply=apply, indexes=("index_explains",)
)


class ExplanationPage(Answer):
    """Explanations in the words in force, newest first; `next_before` is the cursor of the page
    behind, None at the end."""

    explanations: tuple[ExplanationLine, ...]
    next_before: str | None


_NEWEST: Final = (2**62, "", "")


def _parsed(cursor: str | None) -> tuple[int, str, str]:
    if cursor is None:
        return _NEWEST
    slot, _, rest = cursor.partition(".")
    explains, _, type_ = rest.partition(".")
    number = slot.isascii() and slot.isdigit() and len(slot) < 19
    if not number or not _is_id(explains) or type_ not in TYPES:
        raise Rejected(
            f"{cursor[:80]!r} is no cursor of explanations",
            where="before",
            todo="use next_before of the page before",
        )
    return int(slot), explains, type_


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def page(
    views: ViewReader,
    cluster: str,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    types: Collection[str] = TYPES,
    before: str | None = None,
    limit: int = 100,
) -> ExplanationPage:
    """What was said of a cluster with `since` <= slot < `until`, newest first.

    `before` is the cursor of a former page. Raises `Rejected` for a cursor that is none.
    """
    begin = since.timestamp() if since else 0
    end = until.timestamp() if until else _NEWEST[0]
    found = await views.fetch(
        VIEW, "page", cluster, begin, end, sorted(types), *_parsed(before), limit + 1
    )
    rows = [ExplanationRow(**record) for record in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return ExplanationPage(
        explanations=tuple(map(_line, rows)),
        next_before=f"{last.slot}.{last.explains}.{last.type}" if last else None,
    )


async def of_event(
    views: ViewReader, cluster: str, explains: UUID, *, types: Collection[str] = TYPES
) -> Explained | None:
    """Everything that was said of one event, the words in force first; None when nothing was.

    Where an event is explained in more than one way (a transition that ended an incident), what is
    said of the present goes before the review.
    """
    found = await views.fetch(
        VIEW, "of_event", cluster, str(explains), sorted(types), MAX_REVISIONS
    )
    rows = [ExplanationRow(**record) for record in found]
    for type_ in (*OF_THE_PRESENT, IncidentReviewed.__name__):
        alike = [row for row in rows if row.type == type_]
        if alike:
            return full([(_line(row), _event(row)) for row in alike])
    return None


async def newest(
    views: ViewReader,
    cluster: str,
    *,
    since: Instant,
    to: Instant,
    types: Collection[str] = OF_THE_PRESENT,
) -> ExplanationLine | None:
    """The last thing said of a cluster about slots from `since` to `to`, both included; None when
    nothing was."""
    found = await views.fetch(
        VIEW, "newest", cluster, since.timestamp(), to.timestamp(), sorted(types)
    )
    return _line(ExplanationRow(**found[0])) if found else None


def _line(row: ExplanationRow) -> ExplanationLine:
    return line(
        _event(row),
        cluster=row.cluster,
        version=row.version,
        event_id=row.event_id,
        shard=row.shard,
        position=row.position,
    )


def _event(row: ExplanationRow) -> Explaining:
    event = decode(row.type, row.schema_version, row.data)
    assert isinstance(event, Explaining)
    return event
