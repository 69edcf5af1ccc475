"""Where a row of our own tables stands: file and line, for the provenance of values."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module

from dsql_config.profile import Layer

_PARAMETER_MODULES = ("inputs", "server", "dsql", "workers", "platform")


def row(layer: Layer, name: str) -> str:
    """`file:line` of a parameter, preset, modifier or guard rail, below the package's folder."""
    match layer:
        case Layer.PRESET:
            return _find(("presets",), f'("{name}"')
        case Layer.MODIFIER:
            return _find(("modifiers",), f'Modifier("{name}"')
        case Layer.GUARD_RAIL:
            return _find(("rails",), f'Rail("{name}"')
        case _:
            modules = tuple(f"parameters.{m}" for m in _PARAMETER_MODULES)
            return _find(modules, f'Parameter("{name}"')


@cache
def _lines(module: str) -> tuple[str, ...]:
    return tuple(inspect.getsource(import_module(f"dsql_config.{module}")).splitlines())


@cache
def _find(modules: tuple[str, ...], start: str) -> str:
    for module in modules:
        for number, line in enumerate(_lines(module), start=1):
            if line.lstrip().startswith(start):
                return f"dsql_config/{module.replace('.', '/')}.py:{number}"
    raise LookupError(f"no row {start} in {', '.join(modules)}")
