"""One dynamic-config setting of one Temporal server: what it is, takes and defaults to.

Theory of operation. A setting has a kind and a scope. Scalars are converted by fixed rules; the
other settings are Go types, described by a `Schema` with all that mapstructure looks at, and a
`Converter` says how the server gets from the value in a file to a value of that type. A default is
one of three things: `Always` a value, `ByConstraints` when the server has different ones for its
own task queues, or `NIL` when it has none (no list, no address), which is neither zero nor empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Scope(StrEnum):
    """What a setting can be set for: the narrowest constraint that its server honours."""

    GLOBAL = "global"
    NAMESPACE = "namespace"
    NAMESPACE_ID = "namespace_id"
    TASKQUEUE = "taskqueue"
    SHARD = "shard"
    TASK_TYPE = "task_type"
    DESTINATION = "destination"
    CHASM_TASK_TYPE = "chasm_task_type"


class ValueKind(StrEnum):
    """What a value of a setting is; `TYPED` is a Go type of its own, described by a `Schema`."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"
    STRING = "string"
    MAP = "map"
    TYPED = "typed"


class Converter(StrEnum):
    """How the server turns the value in a file into the value of a setting.

    The first six are named after the kind they make. The others take the setting's `schema`:

    STRUCTURE          mapstructure, merged over the default, with the server's hooks for durations,
                       times and enums
    GRADUAL_CHANGE     a plain value of the type of the schema's field `New`, converted as that kind
                       is; anything else as STRUCTURE
    LOWERCASED_LIST    as STRUCTURE but over nothing; entries are lower-cased
    CALLBACK_ADDRESSES as STRUCTURE but over nothing; entries without a pattern are dropped
    WILDCARDS          mapstructure without hooks; the default is a regular expression as text
    PARTITION_SCALER   as STRUCTURE; then Fixed, Min and Max must not be negative and each of Ups
                       and Downs needs a Window of 100 ms and a TargetRate of 1 at least
    URL_TEMPLATE       a string, either `unset` or one that Go's text/template parses
    LENIENT_STRUCTURE  as STRUCTURE; a value that does not convert is replaced by the default
                       without a word
    """

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"
    STRING = "string"
    MAP = "map"
    STRUCTURE = "structure"
    GRADUAL_CHANGE = "gradual_change"
    LOWERCASED_LIST = "lowercased_list"
    CALLBACK_ADDRESSES = "callback_addresses"
    WILDCARDS = "wildcards"
    PARTITION_SCALER = "partition_scaler"
    URL_TEMPLATE = "url_template"
    LENIENT_STRUCTURE = "lenient_structure"


@dataclass(frozen=True, slots=True)
class Schema:
    """A Go type as far as mapstructure looks at it.

    `kind` is bool, int…int64, uint…uint64, float32, float64, string, duration, time, enum, struct,
    list, array, map, pointer, any, interface (one with methods) or func. `name` is the Go name of a
    struct, enum, interface or func; `fields` belongs to struct, `values` (name to number) to enum,
    `key` to map, `of` to list, array, map and pointer, `length` to array.
    """

    kind: str
    name: str = ""
    fields: tuple[Field, ...] = ()
    values: Mapping[str, int] = field(default_factory=dict)
    key: Schema | None = None
    of: Schema | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a Go struct; `tag` is its mapstructure tag, empty when it has none."""

    name: str
    schema: Schema
    tag: str = ""
    embedded: bool = False
    unexported: bool = False


@dataclass(frozen=True, slots=True)
class Always:
    """One default for everything. Durations are Go's text ("1m0s"), enums their names."""

    value: Json


@dataclass(frozen=True, slots=True)
class ByConstraints:
    """Defaults that depend on the constraints, narrowest first; the last has no constraint.

    `rows` pairs constraints, named as in a file, with the value.
    """

    rows: tuple[tuple[Mapping[str, str], Json], ...]

    @property
    def otherwise(self) -> Json:
        """The default where no constraint matches: for everything that is not the server's own."""
        return self.rows[-1][1]


@dataclass(frozen=True, slots=True)
class Nil:
    """The server has no value unless it is given one."""


NIL: Final = Nil()
Default = Always | ByConstraints | Nil


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of one server release.

    `key` is spelled as in the server's source. `go_type` is empty unless `kind` is `TYPED`.
    `schema` describes the Go type that a value of a file is decoded into; for a scalar, that
    scalar.
    """

    key: str
    kind: ValueKind
    go_type: str
    scope: Scope
    default: Default
    converter: Converter
    schema: Schema
