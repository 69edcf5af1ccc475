"""What a read model is made of: rows, tables, the view itself, and the answers it gives.

Theory of operation. A view is a fold of the log into rows. For one batch of events the projector
loads the rows that the batch may touch into a `Rows`, lets `View.apply` change them there, and
writes what has changed, together with the checkpoint, in one transaction:

    load (SQL)  ->  Rows  ->  apply (pure Python)  ->  changed rows  ->  upsert, delete, prune (SQL)

`apply` sees nothing but rows and events: no clock, no connection. So it can be tested without a
database, and any split of the events into batches gives the same rows.

A table's columns are the fields of a frozen dataclass, in the order in which the statements bind
them. Times are Unix seconds in rows; answers carry RFC 3339 beside epoch milliseconds, because
charts want the number and people the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, WithJsonSchema
from whenever import Instant

from copilot_core.events import RecordedEvent

Row = TypeVar("Row")
Key = tuple[Any, ...]

At = Annotated[Instant, WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant in an answer: RFC 3339 in UTC."""


class Answer(BaseModel):
    """Base of everything a query returns: frozen, flat where charts read it, served as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def at(slot: int) -> Instant:
    """The instant at which a slot begins."""
    return Instant.from_timestamp(slot)


def ms(slot: int) -> int:
    """A slot in epoch milliseconds, the unit that charts take."""
    return slot * 1000


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One table of a view.

    `name` is the table's name without prefix and build; `row` is the dataclass whose fields are
    the columns, `key` names the columns of the primary key. `loads` names the clusters whose rows
    `apply` needs to see (loaded by `load_<name>.sql`, which may narrow them down); it may look at
    the tables before it in `View.tables`. A table that is only ever added to needs no loading.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    loads: Callable[[Rows, Sequence[RecordedEvent]], Iterable[str]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in the order in which statements bind them."""
        return tuple(field.name for field in fields(self.row))  # ty: ignore[invalid-argument-type]

    def key_of(self, row: Row) -> Key:
        """The primary key of a row."""
        return tuple(getattr(row, column) for column in self.key)


class Rows:
    """The rows that one batch may touch, and what has become of them.

    Filled by the projector from the tables, changed by `View.apply`, written back by the projector.
    Without a projector it is the view in memory: `apply` it to all events and look.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[Key, Any]] = {}
        self._stored: dict[str, set[Key]] = {}
        self.changed: dict[str, set[Key]] = {}
        self.deleted: dict[str, set[Key]] = {}
        self.pruned: dict[str, dict[str, int]] = {}

    def load(self, table: Table[Row], rows: Iterable[Row]) -> None:
        """Put rows in as they are stored: known, and not changed."""
        loaded = {table.key_of(row): row for row in rows}
        self._rows.setdefault(table.name, {}).update(loaded)
        self._stored.setdefault(table.name, set()).update(loaded)

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        """The row of a key, or None when the table has none (or was not loaded)."""
        return self._rows.get(table.name, {}).get(key)

    def all(self, table: Table[Row]) -> list[Row]:
        """Every row that is here, in order of the key."""
        rows = self._rows.get(table.name, {})
        return [rows[key] for key in sorted(rows)]

    def put(self, table: Table[Row], row: Row) -> None:
        """Insert or replace a row; an equal row that is already there costs no write."""
        rows = self._rows.setdefault(table.name, {})
        key = table.key_of(row)
        if rows.get(key) != row:
            rows[key] = row
            self.changed.setdefault(table.name, set()).add(key)
            self.deleted.get(table.name, set()).discard(key)

    def delete(self, table: Table[Row], *key: Any) -> None:
        """Take a row out; one that was put in this batch is simply never written.

        A stored row must have been loaded to be deleted.
        """
        self._rows.get(table.name, {}).pop(key, None)
        self.changed.get(table.name, set()).discard(key)
        if key in self._stored.get(table.name, ()):
            self.deleted.setdefault(table.name, set()).add(key)

    def prune(self, table: Table[Row], cluster: str, before_slot: int) -> None:
        """Forget rows of a cluster that are older than a slot, by `prune_<table>.sql`."""
        limits = self.pruned.setdefault(table.name, {})
        limits[cluster] = max(before_slot, limits.get(cluster, before_slot))

    def written(self, table: Table[Row]) -> list[Row]:
        """The rows to insert or replace, in order of the key: two writers then lock alike."""
        rows = self._rows.get(table.name, {})
        return [rows[key] for key in sorted(self.changed.get(table.name, ()))]

    def changes(self) -> int:
        """How many rows a write of this batch changes, pruning left out."""
        return sum(map(len, self.changed.values())) + sum(map(len, self.deleted.values()))


def every_cluster(_rows: Rows, events: Sequence[RecordedEvent]) -> set[str]:
    """The clusters that a batch is about: what most tables load."""
    return {event.cluster for event in events}


Apply = Callable[[Rows, Sequence[RecordedEvent]], None]


@dataclass(frozen=True, slots=True)
class View:
    """One read model.

    `takes` are the event types it wants; the others are not shown to `apply`. `shape` is raised
    whenever the tables or the meaning of their rows change: a build of another shape is neither
    written nor read, it has to be rebuilt. `indexes` names the secondary ones, made by
    a rebuild once it has caught up. SQL lies in `sql/<name>/`.
    """

    name: str
    shape: int
    tables: tuple[Table[Any], ...]
    takes: frozenset[str]
    apply: Apply
    indexes: tuple[str, ...] = ()

    @property
    def reader(self) -> str:
        """The name under which the view keeps its checkpoints in the log."""
        return f"view:{self.name}"

    def reads(self, build: str) -> bool:
        """True when a build, by its id `<shape>_<number>`, has the shape this program knows."""
        return build.partition("_")[0] == str(self.shape)


def columns_of(table: Table[Row], rows: Sequence[Row]) -> list[list[Any]]:
    """Rows turned on their side: one list per column, as `unnest` takes them."""
    if not rows:
        return [[] for _ in table.columns]
    get = attrgetter(*table.columns)
    if len(table.columns) == 1:
        return [[get(row) for row in rows]]
    return [list(column) for column in zip(*map(get, rows), strict=True)]
