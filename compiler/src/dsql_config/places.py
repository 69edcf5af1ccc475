"""Where values are written: the server's dynamic config, its environment, options of the SDKs.

Theory of operation. With a profile, dynamic config and environment are what the profile holds, so
that an explanation shows what the files show; worker options are spelled from the table, as the
adapters do it. Without one, the table says under which names a value would be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from copilot_core.values import Scalar
from dsql_config.entries import as_text, spelled
from dsql_config.explanation import Place
from dsql_config.formulas import parsed
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import (
    DynamicKey,
    Env,
    Form,
    GoOption,
    Parameter,
    PythonOption,
)
from dsql_config.profile import Entry, Profile


def places_of(parameter: Parameter, profile: Profile | None) -> tuple[Place, ...]:
    """Every place of a parameter, those where it is not written now with the reason."""
    return tuple(_in_profile(parameter, profile) if profile else _in_tables(parameter))


def written(profile: Profile) -> tuple[Place, ...]:
    """Every place of a profile: one kind after the other, each in registry order."""
    places = [place for p in PARAMETERS.values() for place in places_of(p, profile)]
    return tuple(sorted(places, key=lambda place: _KINDS.index(place.kind)))


_KINDS: Final = ("dynamic config", "environment", "Go option", "Python option")


def _in_tables(parameter: Parameter) -> Iterator[Place]:
    for target in parameter.writes:
        match target:
            case DynamicKey(key=name, in_namespace=constrained):
                note = "for the workload's namespace" if constrained else ""
                yield Place(kind="dynamic config", name=name, text=None, written=True, note=note)
            case Env(name=name, when=when):
                note = f"where {parsed(when).readable()}" if when else ""
                yield Place(kind="environment", name=name, text=None, written=True, note=note)
            case GoOption() | PythonOption():
                yield _option(target, None)
            case _:
                assert_never(target)


def _in_profile(parameter: Parameter, profile: Profile) -> Iterator[Place]:
    name, value = parameter.name, profile.value(parameter.name)
    yield from (_entry(e) for e in profile.dynamic_config if e.parameter == name)
    variables = {v.name: v.value for v in profile.environment if v.parameter == name}
    for variable, text in variables.items():
        yield Place(kind="environment", name=variable, text=text, written=True, note="")
    for target in parameter.writes:
        match target:
            case Env(name=variable, when=when) if variable not in variables and when:
                note = f"not written: only where {parsed(when).readable()}"
                yield Place(kind="environment", name=variable, text=None, written=False, note=note)
            case GoOption() | PythonOption():
                yield _option(target, value)
            case _:
                pass


def _entry(entry: Entry) -> Place:
    notes = [f"{k} {v}" for k, v in entry.constraints.items()]
    notes.append(
        f"server's default {entry.default}"
        if entry.written
        else "shown, not emitted: it is the server's default"
    )
    return Place(
        kind="dynamic config", name=entry.key, text=as_text(entry.value),
        written=entry.written, note=", ".join(notes),
    )  # fmt: skip


def _option(target: GoOption | PythonOption, value: Scalar | None) -> Place:
    """A worker option; a duration is shown in seconds, a wrapped value with its class."""
    text = None if value is None else as_text(spelled(value, target.form))
    if text is not None and target.form is Form.SECONDS:
        text += " s"
    note = "negated" if target.form is Form.NOT else ""
    match target:
        case GoOption(name=name, call=call):
            shown = f"worker.{name}" if call else name
            return Place(kind="Go option", name=shown, text=text, written=True, note=note)
        case PythonOption(name=name, wrap=wrap):
            text = f"{wrap}({text})" if wrap and text is not None else text
            return Place(kind="Python option", name=name, text=text, written=True, note=note)
        case _:
            assert_never(target)
