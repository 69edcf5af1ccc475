"""Reference pages of the documentation, written from the tables: parameters, presets, guard rails.

Theory of operation. Each function renders one page of docs/reference; `copilot docs build` writes
them and a test compares them with the tables, so a page cannot say something else than the compiler
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Final, assert_never

from dsql_config.bounds import BOUNDS
from dsql_config.explain import range_of
from dsql_config.explanation import APPLY_MEANING, CLASS_MEANING
from dsql_config.findings import Severity
from dsql_config.formulas import CONSTANTS, parsed, show
from dsql_config.markdown import code, section, table
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import GROUPS, PARAMETERS
from dsql_config.parameters.parameter import DynamicKey, Env, GoOption, Parameter, PythonOption
from dsql_config.presets import PRESETS, Preset
from dsql_config.profile import ParameterClass, Scalar
from dsql_config.rails import RAILS

_PARAMETERS_HEAD: Final = """# Parameters

Everything that `temporal-dsql-config` decides, by class. A value is made in layers: the registry's
base, the preset's, the modifier's, your answer, the derivation, a guard rail's correction, your
override. In a formula `base` is what registry, preset and modifier gave, and names in upper case
are the [figures](#figures). `temporal-dsql-config explain NAME` shows a formula with its numbers
and what would change the value.
"""

_PRESETS_HEAD: Final = """# Presets and modifiers

A preset is a size of cluster, a modifier a kind of workload. Both only give values to
[parameters](parameters.md); what is derived follows from them. How to choose:
[choose a preset](../how-to/choose-a-preset.md).
"""

_RAILS_HEAD: Final = """# Guard rails

A configuration is judged as a whole before anything is written. All findings are reported at once;
an error forbids writing, a warning does not. Names are those of the [parameters](parameters.md).
"""


def parameters() -> str:
    """docs/reference/parameters.md."""
    classes = (
        section(f"{c}", f"{_sentence(CLASS_MEANING[c])}\n\n" + _of_class(c)) for c in ParameterClass
    )
    return "\n".join([_PARAMETERS_HEAD, *classes, _in_force(), _figures(), _bounds()])


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _of_class(parameter_class: ParameterClass) -> str:
    columns = ("parameter", "group", "range", "derivation", "in force", "written as", "meaning")
    rows = (
        (
            code(p.name), group, range_of(p), _derivation(p), p.apply.value, _targets(p), p.why,
        )
        for group, members in GROUPS.items()
        for p in members
        if p.parameter_class is parameter_class
    )  # fmt: skip
    return table(columns, rows)


def _derivation(parameter: Parameter) -> str:
    parts = [] if parameter.base is None else [f"base {show(parameter.base)}"]
    if parameter.derivation:
        parts.append(code(parameter.derivation.readable()))
    if parameter.enforcement:
        rail, formula = parameter.enforcement
        parts.append(f"{code(rail)} holds it to {code(formula.readable())}")
    return "; ".join(parts) or "the preset's"


def _targets(parameter: Parameter) -> str:
    return "; ".join(map(_target, parameter.writes)) or "nowhere"


def _target(target: DynamicKey | Env | GoOption | PythonOption) -> str:
    match target:
        case DynamicKey(key=key, in_namespace=constrained):
            return f"dynamic config {code(key)}" + (" (namespace)" if constrained else "")
        case Env(name=name, when=when):
            return f"variable {code(name)}" + (f" where {parsed(when).readable()}" if when else "")
        case GoOption(name=name, call=call):
            return f"Go {code(f'worker.{name}' if call else name)}"
        case PythonOption(name=name):
            return f"Python {code(name)}"
        case _:
            assert_never(target)


def _in_force() -> str:
    rows = ((apply.value, text.partition(": ")[2]) for apply, text in APPLY_MEANING.items())
    return section("When a changed value is in force", table(("mark", "meaning"), rows))


def _figures() -> str:
    rows = ((code(n), show(c.value), c.meaning, c.source) for n, c in CONSTANTS.items())
    return section("Figures", table(("name", "value", "meaning", "source"), rows))


def _bounds() -> str:
    told = "They travel with a profile: what telemetry should keep to while it is in force.\n\n"
    rows = (
        (code(b.signal), b.unit, *(code(s.readable()) if s else "open" for s in b.sides), b.why)
        for b in BOUNDS
    )
    return section(
        "Expected telemetry", told + table(("signal", "unit", "at least", "at most", "why"), rows)
    )


def presets() -> str:
    """docs/reference/presets.md."""
    sizes = table(
        ("preset", "meant for, state transitions a second", "summary"),
        ((code(p.name), _span(p), p.summary) for p in PRESETS.values()),
    )
    kinds = table(
        ("modifier", "workload", "why"),
        ((code(m.name), m.summary, m.why) for m in MODIFIERS.values()),
    )
    sizes += "\n" + _values({p.name: p.values for p in PRESETS.values()})
    kinds += "\n" + _values({m.name: m.values for m in MODIFIERS.values()})
    return "\n".join([_PRESETS_HEAD, section("Presets", sizes), section("Modifiers", kinds)])


def _span(preset: Preset) -> str:
    above, up_to = show(preset.above), show(preset.up_to)
    return f"{above} to {up_to}" if isfinite(preset.up_to) else f"above {above}"


def _values(columns: dict[str, Mapping[str, Scalar]]) -> str:
    """A row per parameter that any of the columns gives a value to."""
    rows = (
        (code(name), parameter.unit, *(_cell(values, name) for values in columns.values()))
        for name, parameter in PARAMETERS.items()
        if any(name in values for values in columns.values())
    )
    return table(("parameter", "unit", *columns), rows)


def _cell(values: Mapping[str, Scalar], name: str) -> str:
    return show(values[name]) if name in values else "as it is"


def guard_rails() -> str:
    """docs/reference/guard-rails.md."""
    return "\n".join([
        _RAILS_HEAD, *(_of_severity(s) for s in (Severity.ERROR, Severity.WARNING)), _corrections(),
    ])  # fmt: skip


def _of_severity(severity: Severity) -> str:
    rows = (
        (code(r.id), code(r.condition.readable()), r.why, r.change)
        for r in RAILS
        if r.severity is severity
    )
    columns = ("id", "broken when", "why", "what to change")
    return section(f"{severity.value.capitalize()}s", table(columns, rows))


def _corrections() -> str:
    told = (
        "Where a rail can tell the right value, it corrects a derived one; an override it judges "
        "and never corrects.\n\n"
    )
    rows = (
        (code(p.name), code(p.enforcement[0]), code(p.enforcement[1].readable()))
        for p in PARAMETERS.values()
        if p.enforcement
    )
    return section("Corrections", told + table(("parameter", "rail", "value becomes"), rows))
