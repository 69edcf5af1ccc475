"""Why a value moved: from a parameter back to what was decided, through the formulas that read it.

Theory of operation. A value that is derived moves because something that its formula reads moved;
that is followed up to the roots, which are moved by somebody: a value given or no longer given, an
override, another preset, modifier or compiler. Roots moved by the same thing are told together.

    history.persistence_max_qps 3,000 → 9,000 because state_transitions_per_s 150 → 450

Of a former configuration sometimes only the values are known, not how they came about; then a root
is explained by the layer that decides it now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from copilot_core.values import Scalar
from dsql_config.formulas import show
from dsql_config.profile import Layer, Profile, Resolved, Step

_STARTS: Final = (Layer.REGISTRY, Layer.PRESET, Layer.MODIFIER, Layer.INPUT)
"""Layers that say a value; the others make it from one."""


def differs(a: Scalar | None, b: Scalar | None) -> bool:
    """Whether two values are different, their types included: 1, 1.0 and true are three values."""
    return type(a) is not type(b) or a != b


@dataclass(frozen=True)
class Moved:
    """Two configurations: the former values, the former profile where it is known, the new one."""

    former: Mapping[str, Scalar]
    before: Profile | None
    after: Profile

    @cached_property
    def _now(self) -> Mapping[str, Resolved]:
        return {r.name: r for r in self.after.parameters}

    @cached_property
    def _then(self) -> Mapping[str, Resolved]:
        return {r.name: r for r in self.before.parameters} if self.before else {}

    def parameters(self) -> tuple[str, ...]:
        """The parameters whose values differ: those that there are, then those that are gone."""
        gone = (name for name in sorted(self.former) if name not in self._now)
        now = (n for n, r in self._now.items() if differs(self.former.get(n), r.value))
        return (*now, *gone)

    def why(self, name: str) -> str:
        """What moved a parameter, in one line."""
        if name not in self._now:
            return f"compiler {self.after.compiler_version} has no such parameter"
        if name not in self.former:
            return f"new in compiler {self.after.compiler_version}"
        told: dict[str, list[str]] = {}
        for cause, move in self._roots(name, top=True):
            moves = told.setdefault(cause, [])
            if move and move not in moves:
                moves.append(move)
        parts = [_phrase(cause, moves) for cause, moves in told.items()]
        return "; ".join(parts) or self._by_compiler()

    def _roots(self, name: str, *, top: bool = False) -> Iterator[tuple[str, str]]:
        """Pairs of what moved a root and how far it moved; for the asked one itself no distance."""
        own, final = self._own(name)
        upstream = [] if final else [r for r in self._now[name].reads if self._is_moved(r)]
        if own or not upstream:
            yield own or self._by_compiler(), "" if top else self._distance(name)
        for parameter in upstream:
            yield from self._roots(parameter)

    def _is_moved(self, name: str) -> bool:
        return differs(self.former.get(name), self._now[name].value)

    def _distance(self, name: str) -> str:
        former = self.former.get(name)
        was = "(none)" if former is None else show(former)
        return f"{name} {was} → {show(self._now[name].value)}"

    def _own(self, name: str) -> tuple[str | None, bool]:
        """What moved the parameter without any other, None when nothing did, and whether that is
        all there is to say."""
        now, then = self._now[name].steps, self._then[name].steps if name in self._then else ()
        if now[-1].layer is Layer.OVERRIDE:
            return f"overridden ({now[-1].source})", True
        if then and then[-1].layer is Layer.OVERRIDE:
            return f"the override is gone ({then[-1].source})", True
        start, started = _start(now), _start(then)
        if self.before is None:
            reads_moved = any(self._is_moved(r) for r in self._now[name].reads)
            return (None if reads_moved or start is None else self._said_now(start)), False
        if differs(start.value if start else None, started.value if started else None):
            return self._said(start, started), False
        return None, False

    def _said_now(self, start: Step) -> str:
        match start.layer:
            case Layer.INPUT:
                return f"given ({start.source})"
            case Layer.MODIFIER:
                return f"modifier {self.after.modifier}"
            case Layer.PRESET:
                return f"preset {self.after.preset}"
            case _:
                return self._by_compiler()

    def _said(self, start: Step | None, started: Step | None) -> str:
        """The layer that moved the value a formula starts from, of two that are known."""
        layers = {step.layer for step in (start, started) if step}
        before = self.before or self.after
        if start and start.layer is Layer.INPUT:
            return f"given ({start.source})"
        if started and started.layer is Layer.INPUT:
            return f"no longer given ({started.source})"
        if Layer.MODIFIER in layers and before.modifier != self.after.modifier:
            return f"modifier {before.modifier or 'none'} → {self.after.modifier or 'none'}"
        if Layer.PRESET in layers and before.preset != self.after.preset:
            return f"preset {before.preset} → {self.after.preset}"
        return self._by_compiler()

    def _by_compiler(self) -> str:
        if self.before and self.before.compiler_version != self.after.compiler_version:
            return f"compiler {self.before.compiler_version} → {self.after.compiler_version}"
        return f"compiler {self.after.compiler_version}"


def _start(steps: tuple[Step, ...]) -> Step | None:
    """The last step that says a value, before anything is made from it."""
    return next((step for step in reversed(steps) if step.layer in _STARTS), None)


def _phrase(cause: str, moves: list[str]) -> str:
    """`given` needs no word of its own beside how far it moved."""
    if not moves:
        return cause
    told = ", ".join(moves)
    if cause.startswith("given ("):
        return told
    return f"{told}, {cause}" if "(" in cause else f"{told} ({cause})"
