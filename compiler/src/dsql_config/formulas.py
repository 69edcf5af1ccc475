"""Derivations: formulas that compute a value and can show their work.

Theory of operation. A derivation is written once, as the formula people read: `ceil(a * B / c)`.
It is parsed into Python's syntax tree, held to a small grammar (arithmetic, comparisons, and/or/
not, `x if c else y`, and the functions below), and compiled. Because the text shown is the text
computed, an explanation cannot disagree with the value. Names in lower case, with dots, are
parameters; names in upper case are the `CONSTANTS` with their sources; `base` is the value that
registry, preset and modifier gave; `value` is what a guard rail corrects.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import CodeType, MappingProxyType
from typing import Final

from copilot_core.errors import Defect
from copilot_core.values import Scalar


@dataclass(frozen=True, slots=True)
class Constant:
    """A figure that formulas use, with what it means and where it comes from."""

    value: int | float
    meaning: str
    source: str


CONSTANTS: Final[Mapping[str, Constant]] = MappingProxyType({
    "HISTORY_CALLS": Constant(3, "database calls of history per state transition",
        "2.8 in healthy minutes of the recorded clusters o1 and t1 (Temporal 1.32.1)"),
    "MATCHING_CALLS": Constant(2, "database calls of matching per task that is not matched at once",
        "one write to the backlog, one read from it; 0.07 when every task is matched at once"),
    "RPCS": Constant(2, "calls to a service per state transition: the task polled, the answer",
        "one poll and one response per workflow or activity task"),
    "CATCH_UP": Constant(20, "how much faster than steady load a host may work while it catches up",
        "a limiter must stop a runaway, not recovery after an outage"),
    "HOSTS_LOST": Constant(2, "factor for half of a service's hosts being away",
        "a rolling restart of half the hosts must not throttle the others"),
    "CALL_S": Constant(0.03, "seconds that a database call holds its connection, slow but healthy",
        "an assumption: a commit over three zones and a half as much again; measure"),
    "BURST": Constant(2, "how much of the steady load comes at once",
        "a Poisson stream of 25/s stays below 50 in all but one second of 100,000"),
    "DSQL_CONNECTIONS": Constant(10_000, "connections per DSQL cluster", "Aurora DSQL quotas"),
    "DSQL_CONNECTS_PER_S": Constant(100, "new connections per second and DSQL cluster",
        "Aurora DSQL quotas"),
    "DSQL_CONNECT_BURST": Constant(1_000, "burst of new connections per DSQL cluster",
        "Aurora DSQL quotas, as the plugin assumes them"),
    "TASK_S": Constant(0.1, "seconds that a worker holds a workflow task slot",
        "Temporal's guidance to keep workflow tasks far below a second"),
    "ACTIVITY_S": Constant(1.0, "seconds that an activity holds its slot",
        "an assumption; measure"),
    "POLL_S": Constant(0.05, "seconds from the answer of a poll to the next poll of that poller",
        "one round trip through frontend and matching"),
    "CPU_UNITS": Constant(16, "CPU units (1/1024 core) per state transition and second",
        "an estimate to start from; measure"),
})  # fmt: skip


def power_of_two(value: float) -> int:
    """The smallest power of two that is at least `value`."""
    return 1 << max(0, math.ceil(value) - 1).bit_length()


FUNCTIONS: Final[Mapping[str, Callable[..., int | float]]] = MappingProxyType(
    {"ceil": math.ceil, "floor": math.floor, "max": max, "min": min, "power_of_two": power_of_two}
)
_GLOBALS: Final = {"__builtins__": {}, **FUNCTIONS}
"""All that a compiled formula can call."""
_OPERATORS: Final[Mapping[type[ast.AST], str]] = MappingProxyType({
    ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.And: "and", ast.Or: "or",
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
})  # fmt: skip
_GRAMMAR: Final = (
    ast.Expression, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Not, ast.Compare, ast.IfExp, ast.Call,
    ast.Name, ast.Attribute, ast.Constant, ast.Load, *_OPERATORS,
)  # fmt: skip
_LOCAL: Final = frozenset({"base", "value"})


def show(value: Scalar) -> str:
    """A value as people write it: thousands separated, on/off for switches."""
    match value:
        case bool():
            return "on" if value else "off"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.12g}"
        case str():
            return value or "(none)"


def _figure(value: Scalar) -> str:
    """A value inside a formula: without separators, where a comma separates arguments."""
    return show(value).replace(",", "")


@dataclass(frozen=True)
class Formula:
    """A formula; raises `Defect` at once when it leaves the grammar."""

    text: str

    def __post_init__(self) -> None:
        for node in ast.walk(self._tree):
            if not _in_grammar(node):
                part = ast.unparse(node) or type(node).__name__
                raise Defect(f"{self.text!r}: {part} is not in the grammar of formulas")

    @cached_property
    def _tree(self) -> ast.Expression:
        try:
            return ast.parse(self.text, mode="eval")
        except SyntaxError as e:
            raise Defect(f"{self.text!r} is no formula: {e.msg}") from e

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Name in the compiled code to name in the formula: dots become double underscores."""
        names = (
            _dotted(n) for n in ast.walk(self._tree) if isinstance(n, ast.Name | ast.Attribute)
        )
        inner = {_dotted(n.value) for n in ast.walk(self._tree) if isinstance(n, ast.Attribute)}
        return {n.replace(".", "__"): n for n in names if n not in inner and n not in FUNCTIONS}

    @cached_property
    def _code(self) -> CodeType:
        flat = ast.fix_missing_locations(_Flatten().visit(ast.parse(self.text, mode="eval")))
        return compile(flat, f"<{self.text}>", "eval")

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Parameters that the formula reads, in order of first mention."""
        return tuple(n for n in self._names.values() if n not in CONSTANTS and n not in _LOCAL)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Names of the `CONSTANTS` that the formula uses, in order of first mention."""
        return tuple(n for n in self._names.values() if n in CONSTANTS)

    def evaluate(self, values: Mapping[str, Scalar], **local: Scalar) -> Scalar:
        """The value, given those of the parameters it reads and `base` or `value` where it says so.

        Raises `KeyError` for a name that has no value, `ZeroDivisionError` and `TypeError` as
        Python does.
        """
        scope = {flat: self._lookup(name, values, local) for flat, name in self._names.items()}
        return eval(self._code, _GLOBALS, scope)

    def worked(self, values: Mapping[str, Scalar], **local: Scalar) -> str:
        """The formula with its numbers, as in `ceil(150 × 3 × 20 ÷ 6)`."""
        return "".join(
            _figure(self._lookup(part, values, local)) if is_name else part
            for part, is_name in self._parts
        )

    def readable(self) -> str:
        """The formula with its names and the signs people use."""
        return "".join(part for part, _ in self._parts)

    @cached_property
    def _parts(self) -> tuple[tuple[str, bool], ...]:
        """The text, cut at its names: which part is one. Written once, filled in many times."""
        text = _write(self._tree.body, lambda name: f"\0{name}\0")
        return tuple((part, at % 2 == 1) for at, part in enumerate(text.split("\0")))

    @staticmethod
    def _lookup(name: str, values: Mapping[str, Scalar], local: Mapping[str, Scalar]) -> Scalar:
        if name in local:
            return local[name]
        constant = CONSTANTS.get(name)
        return constant.value if constant else values[name]


def _in_grammar(node: ast.AST) -> bool:
    """Whether a node may stand in a formula: one comparison at a time, calls of known functions."""
    match node:
        case ast.Compare(ops=ops):
            return len(ops) == 1
        case ast.Call(func=func):
            return isinstance(func, ast.Name) and func.id in FUNCTIONS
        case _:
            return isinstance(node, _GRAMMAR)


@cache
def parsed(text: str) -> Formula:
    """The formula of a text, parsed once."""
    return Formula(text)


class _Flatten(ast.NodeTransformer):
    """`a.b` becomes the plain name `a__b`, so that the code looks up one dictionary."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Name(id=_dotted(node).replace(".", "__"), ctx=ast.Load())


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=attr):
            return f"{_dotted(inner)}.{attr}"
        case _:
            raise Defect(f"{ast.unparse(node)} is not a name")


def _write(node: ast.AST, name_of: Callable[[str], str]) -> str:
    """A formula's tree as text; brackets only where the meaning needs them."""

    def inner(child: ast.AST, *, tighter: bool = False) -> str:
        """A part; in brackets where it binds looser, or no tighter where it must."""
        text, here, there = _write(child, name_of), _binding(node), _binding(child)
        return f"({text})" if there < here or (tighter and there == here) else text

    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return f"{inner(left)} {_OPERATORS[type(op)]} {inner(right, tighter=True)}"
        case ast.BoolOp(op=op, values=values):
            return f" {_OPERATORS[type(op)]} ".join(inner(v) for v in values)
        case ast.UnaryOp(operand=operand):
            return f"not {inner(operand)}"
        case ast.Compare(left=left, ops=[op], comparators=[other]):
            sides = (inner(side, tighter=True) for side in (left, other))
            return f" {_OPERATORS[type(op)]} ".join(sides)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            then, condition = inner(body, tighter=True), inner(test, tighter=True)
            return f"{then} if {condition} else {inner(orelse)}"
        case ast.Call(func=func, args=args):
            return f"{_dotted(func)}({', '.join(_write(a, name_of) for a in args)})"
        case ast.Constant(value=value):
            return _figure(value) if isinstance(value, bool | int | float | str) else repr(value)
        case _:
            return name_of(_dotted(node))


def _binding(node: ast.AST) -> int:
    """How tightly an expression binds; the loosest is 0."""
    match node:
        case ast.IfExp():
            return 0
        case ast.BoolOp(op=ast.Or()):
            return 1
        case ast.BoolOp():
            return 2
        case ast.UnaryOp():
            return 3
        case ast.Compare():
            return 4
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return 5
        case ast.BinOp():
            return 6
        case _:
            return 7
