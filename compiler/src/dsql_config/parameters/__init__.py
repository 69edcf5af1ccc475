"""The parameter registry: the single source of truth, one file a group.

Theory of operation. `PARAMETERS` holds every parameter by name, in the order in which groups are
shown; `order` gives an order in which each formula's parameters come before it. `find` takes a
parameter's name, or any name under which its value is written: a server key, a variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Final

from dsql_config.parameters import dsql, inputs, platform, server, workers
from dsql_config.parameters.parameter import DynamicKey, Env, Parameter

GROUPS: Final[Mapping[str, tuple[Parameter, ...]]] = MappingProxyType({
    "inputs": inputs.PARAMETERS,
    "server limits": server.PARAMETERS,
    "connections": dsql.PARAMETERS,
    "workers": workers.PARAMETERS,
    "platform": platform.PARAMETERS,
})  # fmt: skip

PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {p.name: p for group in GROUPS.values() for p in group}
)


@cache
def order() -> tuple[str, ...]:
    """Parameter names, each after all that its formulas read.

    Raises `graphlib.CycleError` for a registry that contradicts itself.
    """
    graph = {p.name: dependencies(p) for p in PARAMETERS.values()}
    return tuple(TopologicalSorter(graph).static_order())


def dependencies(parameter: Parameter) -> tuple[str, ...]:
    """The parameters that a parameter's value is computed from, each once."""
    derivation, enforcement = parameter.derivation, parameter.enforcement
    names = (derivation.reads if derivation else ()) + (enforcement[1].reads if enforcement else ())
    return tuple(dict.fromkeys(names))


@cache
def _written_names() -> Mapping[str, str]:
    """Server keys and variables, in lower case, to the parameter that is written there."""
    return {
        (target.key if isinstance(target, DynamicKey) else target.name).lower(): p.name
        for p in PARAMETERS.values()
        for target in p.writes
        if isinstance(target, DynamicKey | Env)
    }


def find(name: str) -> Parameter | None:
    """The parameter of this name, or the one that is written under it; None when there is none."""
    return PARAMETERS.get(name) or PARAMETERS.get(_written_names().get(name.lower(), ""))
