"""Requests to the config compiler: any preset and modifier, with values that parameters take."""

from __future__ import annotations

from hypothesis import strategies as st

from copilot_core.events import Scalar
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Kind, Parameter, Text
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, ParameterClass, Request

_SOURCES = st.sampled_from(["--set", "environment", "inputs.yaml:3"])
_LARGEST = 2**40
"""Above every maximum; what has no maximum is tried up to here."""


def values_of(parameter: Parameter) -> st.SearchStrategy[Scalar]:
    """Values that a parameter takes, its edges among them."""
    low, high = max(parameter.minimum, -_LARGEST), min(parameter.maximum, _LARGEST)
    match parameter.kind:
        case Kind.BOOL:
            return st.booleans()
        case Kind.INT:
            return st.integers(int(low), int(high))
        case Kind.FLOAT:
            return st.floats(low, high, allow_nan=False).map(lambda n: max(low, round(n, 3)))
        case Kind.CHOICE:
            return st.sampled_from(parameter.choices)
        case Kind.TEXT:
            if parameter.text is Text.HOST_NAME:
                return st.from_regex(r"\A([a-z0-9]{1,8}(\.[a-z0-9-]{1,9}){1,4})?\Z")
            least = 0 if parameter.base == "" else 1
            return st.from_regex(rf"\A[A-Za-z0-9._:/@+-]{{{least},20}}\Z")


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request whose names and values are all right by themselves; together they need not be."""
    open_ones = [p for p in PARAMETERS.values() if p.parameter_class is not ParameterClass.SAFETY]
    chosen = draw(st.lists(st.sampled_from(open_ones), max_size=6, unique_by=lambda p: p.name))
    given = (Given(name=p.name, value=draw(values_of(p)), source=draw(_SOURCES)) for p in chosen)
    return Request(
        preset=draw(st.sampled_from(tuple(PRESETS))),
        modifier=draw(st.sampled_from((None, *MODIFIERS))),
        given=tuple(given),
    )
