"""Explanations: every layer has its say, effects are what compiling again gives."""

from __future__ import annotations

import orjson
import pytest

from copilot_core.errors import Rejected
from dsql_config.bounds import BOUNDS
from dsql_config.compiler import compile_profile
from dsql_config.explain import explain_key, explain_preset, explain_profile
from dsql_config.explanation import Effect, KeyExplanation, Place
from dsql_config.findings import Severity
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import DynamicKey, Env
from dsql_config.presets import PRESETS
from dsql_config.profile import Layer, ParameterClass, Profile
from dsql_config.server.registry import NEWEST, load_registry
from dsql_config.server_key import ServerKeyExplanation
from tests.unit.compiler.compiling import COMBINATIONS, profile, request


def key(name: str, of: Profile | None = None) -> KeyExplanation:
    """The explanation of a parameter."""
    found = explain_key(name, of)
    assert isinstance(found, KeyExplanation)
    return found


def effects(explained: KeyExplanation) -> dict[str, object]:
    """Cause in words to the value it would lead to."""
    return {effect.cause: effect.value for effect in explained.would_change}


def test_a_key_shows_its_formula_with_its_numbers() -> None:
    """Value, formula, numbers, source and what would change it are all in the text."""
    text = key("history.persistence_max_qps", profile("mid-scale")).to_text()
    for part in (
        "history.persistence_max_qps = 3,000 1/s per host",
        "ceil(state_transitions_per_s × HISTORY_CALLS × CATCH_UP × HOSTS_LOST ÷ history_replicas)",
        "3,000 = ceil(150 × 3 × 20 × 2 ÷ 6)",
        "dsql_config/parameters/server.py:",
        "history.persistenceMaxQPS: 3000 (server's default 9,000)",
    ):
        assert part in text


def test_doubling_what_a_formula_reads_tells_the_new_value() -> None:
    """Twice the target gives twice the calls, twice the hosts give half of them for each."""
    told = effects(key("history.persistence_max_qps", profile("mid-scale")))
    assert told["state_transitions_per_s 150 → 300"] == 6_000
    assert told["history_replicas 6 → 12"] == 1_500


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_effect_is_what_compiling_gives(name: str) -> None:
    """Doing what an effect names leads to the value that it names."""
    of = profile("mid-scale", "orchestrator", {"workers.activity_slots": 200})
    for effect in key(name, of).would_change:
        match effect:
            case Effect(kind="parameter", name=read, after=after) if after is not None:
                values = {"workers.activity_slots": 200} | {read: after}
                changed = profile("mid-scale", "orchestrator", values)
            case Effect(kind="modifier", name=other):
                modifier = None if other == "none" else other
                changed = profile("mid-scale", modifier, {"workers.activity_slots": 200})
            case Effect(kind="preset", name=other):
                changed = profile(other, "orchestrator", {"workers.activity_slots": 200})
            case _:
                changed = profile("mid-scale", "orchestrator")
        assert changed.value(name) == effect.value


def test_an_override_says_what_would_be_without_it() -> None:
    """The derivation stays visible, and leaving the override out leads back to it."""
    of = compile_profile(
        request("mid-scale", None, {"history.rps": 9_999}, source="inputs.yaml:4")
    ).profile
    explained = key("history.rps", of)
    assert effects(explained)["without the override"] == 3_000
    last = explained.layers[-1]
    assert (last.layer, last.steps[0].value) == (Layer.OVERRIDE, 9_999)
    assert "inputs.yaml:4" in explained.to_text()


def test_every_layer_speaks_or_says_why_not() -> None:
    """All seven layers are shown in their order, with and without a profile; none is blank."""
    for of in (None, profile("starter"), profile("high-throughput", "batch-processor")):
        for name in PARAMETERS:
            views = key(name, of).layers
            assert [view.layer for view in views] == list(Layer)
            assert all(view.text() for view in views)


def test_without_a_profile_the_tables_are_explained() -> None:
    """No value, but what each preset and modifier would give, the formula and where it goes."""
    explained = key("dsql.pool_max_connections")
    views = {view.layer: view for view in explained.layers}
    assert explained.value is None
    assert {s.why: s.value for s in views[Layer.PRESET].steps} == {
        "starter": 10, "mid-scale": 50, "high-throughput": 50,
    }  # fmt: skip
    assert views[Layer.DERIVATION].said.startswith("max(base, ceil(")
    assert [p.name for p in explained.places] == ["TEMPORAL_SQL_MAX_CONNS"]
    assert explained.depends_on == ("state_transitions_per_s", "history_replicas")


def test_a_fixed_value_says_that_nothing_changes_it() -> None:
    """What is locked and derived from nothing is told so, not left blank."""
    text = key("history.shard_io_concurrency", profile("starter")).to_text()
    assert "nothing: it is fixed and locked" in text
    assert "locked: none is taken" in text


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("history.persistenceMaxQPS", "history.persistence_max_qps"),
        ("HISTORY.PERSISTENCEMAXQPS", "history.persistence_max_qps"),
        ("TEMPORAL_SQL_MAX_CONNS", "dsql.pool_max_connections"),
        ("MaxConcurrentActivityExecutionSize", "workers.activity_slots"),
        ("worker.Options.MaxConcurrentActivityExecutionSize", "workers.activity_slots"),
        ("worker.SetStickyWorkflowCacheSize", "workers.sticky_cache_size"),
        ("max_cached_workflows", "workers.sticky_cache_size"),
        ("disable_eager_activity_execution", "workers.eager_activities"),
    ],
)
def test_a_value_is_explained_by_every_name_it_is_written_under(asked: str, name: str) -> None:
    """Server key, variable, Go and Python option lead to the parameter, and the text says so."""
    explained = key(asked, profile("starter"))
    assert explained.name == name
    assert f"asked as  {asked}" in explained.to_text()


def test_a_server_key_that_no_parameter_writes_is_explained_from_the_server() -> None:
    """Type, scope, default and versions are the registry's; the compiler leaves its default."""
    explained = explain_key("MATCHING.longpollexpirationinterval")
    assert isinstance(explained, ServerKeyExplanation)
    setting = load_registry(NEWEST).find("matching.longPollExpirationInterval")
    assert setting is not None
    assert (explained.key, explained.type) == (setting.key, setting.kind.value)
    assert explained.scope == setting.scope.value
    assert explained.versions[-1] == str(NEWEST)
    assert "no parameter" in explained.to_text()


def test_a_key_of_another_version_says_where_it_is_known() -> None:
    """A key that the profile's server lacks is explained with the releases that know it."""
    newest, oldest = load_registry(NEWEST), load_registry("1.27")
    gone = next(setting.key for setting in oldest if newest.find(setting.key) is None)
    explained = explain_key(gone, profile("starter"))
    assert isinstance(explained, ServerKeyExplanation)
    assert explained.default is None
    assert f"server {NEWEST} does not know it" in explained.to_text()
    assert str(oldest.version) in explained.to_text()


def test_every_key_of_the_newest_server_is_explained() -> None:
    """Each of its settings has an explanation, whatever kind of default it has."""
    for setting in load_registry(NEWEST):
        assert explain_key(setting.key).to_text()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("history.persistanceMaxQPS", "history.persistenceMaxQPS"),
        ("histroy_shards", "history_shards"),
        ("matching.longPolExpirationInterval", "matching.longPollExpirationInterval"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    """Nobody gets an empty explanation for a misspelt name."""
    with pytest.raises(Rejected) as refused:
        explain_key(name)
    assert nearest in refused.value.todo


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_the_places_are_what_is_written(preset: str, modifier: str | None) -> None:
    """Entries and variables of an explained profile are those of the profile, no more, no less."""
    of = profile(preset, modifier)
    places = explain_profile(of).written

    def told(kind: str, *, written: bool) -> dict[str, str | None]:
        return {p.name: p.text for p in places if p.kind == kind and p.written is written}

    assert told("environment", written=True) == {v.name: v.value for v in of.environment}
    emitted = {e.key for e in of.dynamic_config if e.written}
    assert set(told("dynamic config", written=True)) == emitted
    shown = {e.key for e in of.dynamic_config if not e.written}
    assert set(told("dynamic config", written=False)) == shown


def test_a_variable_that_is_not_written_says_when_it_would_be() -> None:
    """Without a reservoir its variables are absent, and the text gives the condition."""
    (place,) = key("dsql.reservoir_target", profile("starter")).places
    assert isinstance(place, Place)
    assert (place.written, place.text) == (False, None)
    assert place.note == "not written: only where dsql.reservoir_enabled"


def test_watching_rails_show_numbers_and_verdict() -> None:
    """A broken rail is told as broken, with the numbers that show it."""
    of = profile("starter", None, {"write_partitions": 5})
    rails = {watch.rail: watch for watch in key("write_partitions", of).rails}
    watch = rails["write-above-read-partitions"]
    assert (watch.broken, watch.worked, watch.severity) == (True, "5 > 4", Severity.ERROR)
    assert "broken: " in key("write_partitions", of).to_text()
    assert key("write_partitions").rails[0].broken is None


def test_telemetry_that_depends_on_a_value_is_told() -> None:
    """Each bound is told at every parameter that its formula reads."""
    of = profile("mid-scale")
    for bound in BOUNDS:
        for name in {read for side in bound.sides if side for read in side.reads}:
            assert bound.signal in {b.signal for b in key(name, of).telemetry}
    assert "no bound is worked out from it" in key("namespace", of).to_text()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_shows_every_value_by_class_and_every_modifier(preset: str) -> None:
    """All parameters, in four classes, and what each modifier would change, to which values."""
    explained = explain_preset(preset)
    plain = profile(preset).values
    assert {line.name: line.value for line in explained.values} == plain
    text = explained.to_text()
    assert [text.index(f"\n{c}: ") for c in ParameterClass] == sorted(
        text.index(f"\n{c}: ") for c in ParameterClass
    )
    for line in explained.modifiers:
        after = dict(plain) | {name: value for name, _, value in line.changes}
        assert after == profile(preset, line.name).values
    assert [line.name for line in explained.modifiers] == list(MODIFIERS)


def test_a_preset_with_a_modifier_shows_the_two_together() -> None:
    """`describe-preset NAME --modifier M`: the values of both, and no list of modifiers."""
    explained = explain_preset("starter", "orchestrator")
    values = {line.name: line.value for line in explained.values}
    assert values == profile("starter", "orchestrator").values
    assert explained.modifiers == ()


def test_an_unknown_preset_or_modifier_is_refused_with_the_nearest() -> None:
    """Both names are held to the tables."""
    with pytest.raises(Rejected, match="did you mean starter"):
        explain_preset("stater")
    with pytest.raises(Rejected, match="did you mean orchestrator"):
        explain_preset("starter", "orchestrater")


def test_a_profile_is_explained_from_its_bytes_alone() -> None:
    """Whoever holds profile.json gets the explanation that its compiler would have given."""
    of = profile("mid-scale", "long-running", {"history.rps": 9_999})
    stored = Profile.from_json(of.to_json())
    assert explain_profile(stored) == explain_profile(of)
    for part in (of.fingerprint, "history.rps", "from --set", "sticky-longer-than-workflow"):
        assert part in explain_profile(of).to_text()


def test_a_profile_of_another_compiler_is_not_explained_by_this_one() -> None:
    """Where a parameter is missing its tables are others, and the refusal says what to do."""
    of = profile("starter")
    older = of.model_copy(update={"parameters": of.parameters[1:], "compiler_version": "0.0.1"})
    with pytest.raises(Rejected, match=r"0\.0\.1") as refused:
        explain_key("history.rps", older)
    assert "compile it again" in refused.value.todo


def test_json_holds_what_the_text_tells() -> None:
    """Every explanation is one JSON object ending in a line feed, equal for equal questions."""
    of = profile("starter")
    for explained in (
        key("history.rps", of), key("history.rps"), explain_key("matching.getTasksBatchSize"),
        explain_preset("starter"), explain_profile(of),
    ):  # fmt: skip
        body = explained.to_json()
        assert body.endswith(b"}\n")
        assert set(orjson.loads(body)) == set(type(explained).model_fields)
        assert explained.to_text().endswith("\n")
    assert key("history.rps", of).to_json() == key("history.rps", profile("starter")).to_json()


def test_every_server_key_and_variable_leads_back_to_one_parameter() -> None:
    """What stands in a written file can be asked about by the name it stands there under."""
    for parameter in PARAMETERS.values():
        for target in parameter.writes:
            if isinstance(target, DynamicKey | Env):
                name = target.key if isinstance(target, DynamicKey) else target.name
                assert key(name).name == parameter.name
