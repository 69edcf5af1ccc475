"""Laws of the config compiler, over requests of every kind."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from copilot_core.events import Scalar
from dsql_config.compiler import compile_profile
from dsql_config.explain import explain_key, explain_profile
from dsql_config.explanation import KeyExplanation
from dsql_config.findings import Severity, blocking
from dsql_config.formulas import FUNCTIONS, Formula
from dsql_config.given import accept
from dsql_config.parameters import GROUPS, PARAMETERS
from dsql_config.profile import Given, Layer, ParameterClass, Profile, Request
from dsql_config.rails import RAILS
from dsql_config.what_if import closure
from dsql_config.why import why
from tests.property.requests import requests, values_of

names = st.sampled_from(tuple(PARAMETERS))


def compiled(request: Request) -> Profile:
    """The profile of a request whose names are known."""
    profile = compile_profile(request).profile
    assert profile is not None
    return profile


def with_value(request: Request, name: str, value: Scalar) -> Request:
    """The request with one parameter given another value."""
    others = tuple(g for g in request.given if g.name != name)
    changed = Given(name=name, value=value, source="--set")
    return request.model_copy(update={"given": (*others, changed)})


@given(requests())
def test_equal_requests_have_equal_bytes(request: Request) -> None:
    """Profile, page and explanation are functions of the request, to the byte."""
    first, second = compiled(request), compiled(request.model_copy(deep=True))
    assert first.to_json() == second.to_json()
    assert why(first) == why(second)
    assert explain_profile(first).to_json() == explain_profile(second).to_json()


@given(requests())
def test_a_profile_comes_back_from_its_bytes(request: Request) -> None:
    """What is stored is the profile itself: reading it loses nothing, types included."""
    profile = compiled(request)
    read = Profile.from_json(profile.to_json())
    assert read == profile
    assert read.to_json() == profile.to_json()
    assert read.fingerprint == profile.fingerprint


@given(requests(), st.randoms(use_true_random=False))
def test_the_order_of_values_does_not_matter(request: Request, random: Random) -> None:
    """Each parameter is given once, so that any order means the same."""
    shuffled = list(request.given)
    random.shuffle(shuffled)
    other = compiled(request.model_copy(update={"given": tuple(shuffled)}))
    assert other.fingerprint == compiled(request).fingerprint


@given(requests())
def test_what_is_given_is_what_it_is(request: Request) -> None:
    """A value that was accepted is the parameter's value, whatever else was asked for."""
    profile = compiled(request)
    for item in request.given:
        assert profile.value(item.name) == item.value


@given(requests())
def test_a_value_is_that_of_its_last_step(request: Request) -> None:
    """No value without a step, no step out of order, none twice, each with its source."""
    for resolved in compiled(request).parameters:
        layers = [list(Layer).index(step.layer) for step in resolved.steps]
        assert layers == sorted(set(layers))
        assert resolved.value == resolved.steps[-1].value
        assert all(step.source and step.why for step in resolved.steps)


@given(requests())
def test_no_file_is_written_with_a_value_beyond_its_range(request: Request) -> None:
    """A number outside its parameter's range, derived or not, forbids writing."""
    compilation = compile_profile(request)
    assert compilation.profile is not None
    for resolved in compilation.profile.parameters:
        parameter, value = PARAMETERS[resolved.name], resolved.value
        if not isinstance(value, str) and not parameter.minimum <= value <= parameter.maximum:
            assert not compilation.writable


@given(requests())
def test_rails_are_told_exactly_where_they_are_broken(request: Request) -> None:
    """A rail is told once when its condition holds, never otherwise; errors forbid writing."""
    compilation = compile_profile(request)
    assert compilation.profile is not None
    told = [f.code for f in compilation.findings]
    for rail in RAILS:
        broken = bool(rail.condition.evaluate(compilation.profile.values))
        assert told.count(rail.id) == broken
    assert compilation.writable != blocking(compilation.findings)


@given(requests(), names, st.data())
def test_a_value_moves_only_what_is_computed_from_it(
    request: Request, name: str, data: st.DataObject
) -> None:
    """Giving one parameter another value changes it and what follows from it, and nothing else."""
    other = with_value(request, name, data.draw(values_of(PARAMETERS[name])))
    before, after = compiled(request), compiled(other)
    moved = {n for n in PARAMETERS if before.value(n) != after.value(n)}
    assert moved <= {name} | {n for n in PARAMETERS if name in closure(n)}


@given(requests())
def test_doubling_the_target_lowers_no_server_limit(request: Request) -> None:
    """Twice the state transitions need at least the limits they had, and more calls of history.

    Unless its limit was set by hand, or is one call a second, the least there is.
    """
    before = compiled(request)
    target = before.value("state_transitions_per_s")
    assert isinstance(target, float)
    assume(target * 2 <= PARAMETERS["state_transitions_per_s"].maximum)
    after = compiled(with_value(request, "state_transitions_per_s", target * 2))
    for limit in GROUPS["server limits"]:
        low, high = before.value(limit.name), after.value(limit.name)
        assert not isinstance(low, str)
        assert not isinstance(high, str)
        assert high >= low
    calls = "history.persistence_max_qps"
    low, high = before.value(calls), after.value(calls)
    assert isinstance(low, int)
    assert isinstance(high, int)
    assert high > low or low == 1 or calls in {g.name for g in request.given}


@given(requests(), names)
def test_every_key_explains_itself(request: Request, name: str) -> None:
    """An explanation shows each layer, and its value is the profile's; effects are real values."""
    profile = compiled(request)
    explained = explain_key(name, profile)
    assert isinstance(explained, KeyExplanation)
    assert explained.value == profile.value(name)
    assert [view.layer for view in explained.layers] == list(Layer)
    assert all(bool(view.steps) != bool(view.said) for view in explained.layers)
    assert all(line == line.rstrip() for line in explained.to_text().splitlines())


@given(requests())
def test_a_page_has_every_parameter_and_finding(request: Request) -> None:
    """why.md leaves nothing out: each value stands on it, and each finding."""
    profile = compiled(request)
    page = why(profile)
    assert all(f"| `{name}` |" in page for name in PARAMETERS)
    assert all(f"`{finding.code}`" in page for finding in profile.findings)


@given(
    names,
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.from_regex(r"\A[+-]?\d{0,30}(\.\d{0,5})?([eE]\d{1,4})?(ms|s|m|h|d)?\Z"),
    ),
)
def test_anything_that_is_given_is_accepted_or_told(name: str, value: Scalar | None) -> None:
    """No input crashes: a value is accepted in its range, or there is one error about it. Of a
    locked parameter any is accepted here, to be told as locked later."""
    accepted, findings = accept([Given(name=name, value=value, source="--set")])
    assert len(accepted) + len(findings) == 1
    assert all(f.severity is Severity.ERROR and f.key == name for f in findings)
    parameter = PARAMETERS[name]
    for found in accepted.values():
        locked = parameter.parameter_class is ParameterClass.SAFETY
        if not locked and not isinstance(found.value, str):
            assert parameter.minimum <= found.value <= parameter.maximum


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_name_is_known_or_told(preset: str, modifier: str, name: str) -> None:
    """Requests of arbitrary names end in a profile or in findings, never in an exception."""
    item = Given(name=name, value="1", source="--set")
    compilation = compile_profile(Request(preset=preset, modifier=modifier, given=(item,)))
    assert compilation.profile is not None or compilation.findings


_SHAPES = (
    "({} + {})", "({} - {})", "({} * {})", "({} / 2)", "({} / a)", "max({}, {})", "ceil({})",
    "({} if {} > {} else {})", "({} if {} > 7 and not {} == {} or {} < 2 else {})",
    "(1 if ({} > {}) == ({} < {}) else 7)",
)  # fmt: skip


@st.composite
def formulas(draw: st.DrawFn, depth: int = 3) -> str:
    """Formulas over `a`, `b.c` and whole numbers, in brackets throughout, divided by no zero."""
    shapes = _SHAPES if depth else ()
    shape = draw(st.sampled_from(("a", "b.c", "1", "7", "40", *shapes)))
    return shape.format(*(draw(formulas(depth - 1)) for _ in range(shape.count("{}"))))


@given(formulas(), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_formula_as_shown_computes_what_it_computes(text: str, a: int, b: int) -> None:
    """Brackets are left out only where they are not needed: the text computes the same."""
    formula, values = Formula(text), {"a": a, "b.c": b}
    shown = formula.worked(values)
    for sign, operator in {"−": "-", "×": "*", "÷": "/", " = ": " == "}.items():
        shown = shown.replace(sign, operator)
    assert eval(shown, {"__builtins__": {}, **FUNCTIONS}) == formula.evaluate(values)
