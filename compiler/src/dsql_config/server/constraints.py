"""The `constraints` of an entry: which the server refuses, warns of, or quietly never matches.

Theory of operation. The loader fills one field for each constraint and fails the file when a name
or a value is none of its own. A constraint that the setting's scope does not have is a warning, but
its field is filled all the same. A lookup then compares all fields at once with a fixed list of
combinations for the scope (`_MATCHED`), first match wins: an entry with any other combination, or
with one that an earlier entry has, is dead. Zero values (`shardID: 0`, `namespace: ""`) are no
constraint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from dsql_config.server.go_values import shown, type_name, wrap_int64
from dsql_config.server.registry import ServerRegistry
from dsql_config.server.setting import Scope
from dsql_config.server.yaml_scalars import INT64_MAX


class Fault(Enum):
    """What the server does: the first two refuse the file, the third warns, the others are
    silent."""

    UNKNOWN_NAME = "unknown_name"
    BAD_VALUE = "bad_value"
    WRONG_SCOPE = "wrong_scope"
    GIVEN_TWICE = "given_twice"
    WRAPPED = "wrapped"
    NO_SUCH_TYPE = "no_such_type"
    IS_ZERO = "is_zero"


@dataclass(frozen=True, slots=True)
class ConstraintFault:
    """One constraint, as written in `name`; `known` holds names or values that would do."""

    fault: Fault
    name: str
    message: str
    known: tuple[str, ...] = ()


_TEXTS: Final = frozenset(
    {"namespace", "namespaceid", "taskqueuename", "destination", "chasmtasktype"}
)
_INT32_MAX: Final = 2**31 - 1

_MATCHED: Final[dict[Scope, tuple[frozenset[str], ...]]] = {
    Scope.GLOBAL: (),
    Scope.NAMESPACE: (frozenset({"namespace"}),),
    Scope.NAMESPACE_ID: (frozenset({"namespaceid"}),),
    Scope.TASKQUEUE: (
        frozenset({"namespace", "taskqueuename", "tasktype"}),
        frozenset({"namespace", "taskqueuename"}),
        frozenset({"taskqueuename"}),
        frozenset({"namespace"}),
    ),
    Scope.SHARD: (frozenset({"shardid"}),),
    Scope.TASK_TYPE: (frozenset({"historytasktype"}),),
    Scope.DESTINATION: (
        frozenset({"namespace", "destination"}),
        frozenset({"destination"}),
        frozenset({"namespace"}),
    ),
    Scope.CHASM_TASK_TYPE: (frozenset({"chasmtasktype"}),),
}
"""Combinations that a lookup asks for, besides none at all."""


def go_lower(text: str) -> str:
    """Go's strings.ToLower: one character for one."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := c.lower()) == 1 else low[0] for c in text)


class Constraints:
    """The constraints of one entry, read once."""

    def __init__(
        self, given: dict[str, Any], scope: Scope | None, registry: ServerRegistry
    ) -> None:
        """`scope` is None for a setting that the server does not know: it takes any constraint."""
        self._scope = scope
        self._registry = registry
        self._known = {name.lower(): name for name in registry.constraints}
        self.faults: list[ConstraintFault] = []
        self.fields: dict[str, Any] = {}
        for name, value in given.items():
            self._read(name, go_lower(name), value)

    @property
    def dead(self) -> bool:
        """Whether no lookup ever asks for this combination."""
        return (
            self._scope is not None
            and bool(self.fields)
            and frozenset(self.fields) not in _MATCHED[self._scope]
        )

    def _read(self, name: str, lower: str, value: Any) -> None:
        if lower not in self._known:
            names = tuple(self._registry.constraints)
            self._fault(Fault.UNKNOWN_NAME, name, f"the server has no constraint {name!r}", names)
            return
        if lower in self.fields:
            self._fault(Fault.GIVEN_TWICE, name, "given twice: one of them wins at random")
        field = value
        for fault in self._value_faults(lower, value):
            self.faults.append(ConstraintFault(fault.fault, name, fault.message, fault.known))
            field = None if fault.fault is Fault.BAD_VALUE else field
        if isinstance(field, str) and lower == "tasktype":
            field = self._registry.task_queue_types[field]
        if isinstance(field, str) and lower == "historytasktype":
            field = self._registry.history_task_types[field]
        if field in ("", 0):
            self._fault(Fault.IS_ZERO, name, f"{shown(value)} is the same as no constraint")
        elif field is not None:
            self.fields[lower] = field
        scopes = self._registry.constraints[self._known[lower]]
        if self._scope is not None and self._scope not in scopes:
            takes = ", ".join(n for n, s in self._registry.constraints.items() if self._scope in s)
            message = f"a {self._scope} setting takes {takes or 'no constraint'}"
            self._fault(Fault.WRONG_SCOPE, name, message)

    def _fault(self, fault: Fault, name: str, message: str, known: tuple[str, ...] = ()) -> None:
        self.faults.append(ConstraintFault(fault, name, message, known))

    def _value_faults(self, lower: str, value: Any) -> Iterator[ConstraintFault]:
        if lower in _TEXTS:
            if not isinstance(value, str):
                yield _bad(value, "a string")
        elif lower == "shardid":
            yield from _shard_id(value)
        elif lower == "tasktype":
            yield from _task_type(value, self._registry.task_queue_types)
        else:
            yield from _history_task_type(value, self._registry.history_task_types)


def _bad(value: Any, wanted: str, known: tuple[str, ...] = ()) -> ConstraintFault:
    message = f"{type_name(value)} ({shown(value)}) is not {wanted}"
    return ConstraintFault(Fault.BAD_VALUE, "", message, known)


def _is_int(value: Any) -> bool:
    """Go's int: above int64, YAML gives a uint64, which no constraint takes."""
    return isinstance(value, int) and not isinstance(value, bool) and value <= INT64_MAX


def _shard_id(value: Any) -> Iterator[ConstraintFault]:
    if not _is_int(value):
        yield _bad(value, "an int")
    elif not -_INT32_MAX - 1 <= value <= _INT32_MAX:
        wrapped = wrap_int64(value << 32) >> 32
        yield ConstraintFault(Fault.WRAPPED, "", f"{value} wraps around to shard {wrapped}")


def _task_type(value: Any, types: Any) -> Iterator[ConstraintFault]:
    names = tuple(name for name, number in types.items() if number > 0)
    good = types.get(value, 0) > 0 if isinstance(value, str) else _is_int(value) and value > 0
    if not good:
        yield _bad(value, f"one of {', '.join(names)}", names)
    elif value not in types and value not in types.values():
        yield ConstraintFault(Fault.NO_SUCH_TYPE, "", f"there is no task queue type {value}")


def _history_task_type(value: Any, types: Any) -> Iterator[ConstraintFault]:
    names = tuple(name for name, number in types.items() if number > 0)
    good = types.get(value, 0) > 0 if isinstance(value, str) else _is_int(value)
    if not good:
        yield _bad(value, "a history task type", names)
    elif value not in types and value not in types.values():
        yield ConstraintFault(Fault.NO_SUCH_TYPE, "", f"there is no history task type {value}")
