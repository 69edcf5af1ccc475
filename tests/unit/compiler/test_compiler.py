"""From a request to a profile: what is refused, what each layer does, what is written for whom."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsql_config
from copilot_core.events import Scalar
from copilot_core.signals import SIGNAL_NAMES
from dsql_config.compiler import compile_profile
from dsql_config.findings import Severity
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import DynamicKey
from dsql_config.profile import Layer, Profile, Request
from dsql_config.server.registry import NEWEST, SUPPORTED, load_registry, presence
from dsql_config.server.setting import ValueKind
from tests.unit.compiler.compiling import COMBINATIONS, codes, compilation, profile, request

_KINDS: dict[type, ValueKind] = {bool: ValueKind.BOOL, int: ValueKind.INT, str: ValueKind.STRING}
PACKAGE = Path(dsql_config.__file__).parents[1]


def test_every_unknown_name_is_told_with_the_nearest() -> None:
    """Preset, modifier, server and a given name are all wrong: four findings and no profile."""
    compiled = compile_profile(
        request("stater", "orchestrater", {"histroy_shards": 1}, server="2.0")
    )
    assert compiled.profile is None
    assert not compiled.writable
    assert {f.code: f.suggestion for f in compiled.findings if f.key != "server_version"} == {
        "unknown-preset": "starter",
        "unknown-modifier": "orchestrator",
        "unknown-parameter": "history_shards",
    }
    (server,) = [f for f in compiled.findings if f.key == "server_version"]
    assert all(str(version) in f"{server.message} {server.suggestion}" for version in SUPPORTED)


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_every_step_names_its_place_in_our_tables(preset: str, modifier: str | None) -> None:
    """A source is a file and a line of the package, and that line holds the row's name."""
    for resolved in profile(preset, modifier).parameters:
        rail, _ = PARAMETERS[resolved.name].enforce or (None, None)
        named = {Layer.PRESET: preset, Layer.MODIFIER: modifier, Layer.GUARD_RAIL: rail}
        for step in resolved.steps:
            path, _, line = step.source.rpartition(":")
            row = (PACKAGE / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
            assert f'"{named.get(step.layer, resolved.name)}"' in row


def test_an_answer_replaces_and_an_override_comes_last() -> None:
    """What is asked gets an input step before derivations; what is derived an override after."""
    compiled = profile("mid-scale", None, {"history_replicas": 12, "history.rps": 9_999})
    answered, set_ = compiled.resolved("history_replicas"), compiled.resolved("history.rps")
    assert [s.layer for s in answered.steps] == [Layer.PRESET, Layer.INPUT]
    assert [s.layer for s in set_.steps] == [Layer.REGISTRY, Layer.DERIVATION, Layer.OVERRIDE]
    assert (answered.value, set_.value) == (12, 9_999)
    assert compiled.value("history.persistence_max_qps") == 1_500  # 150 × 3 × 20 × 2 ÷ 12


def test_an_override_that_changes_nothing_leaves_no_step() -> None:
    """Giving the value that is derived anyway is no override: nothing would differ without it."""
    plain = profile("mid-scale")
    again = profile("mid-scale", None, {"history.rps": plain.value("history.rps")})
    assert again.parameters == plain.parameters


def test_what_is_derived_follows_an_override() -> None:
    """A parameter computed from an overridden one is computed from the override."""
    compiled = profile("mid-scale", None, {"dsql.pool_max_connections": 80})
    assert compiled.value("dsql.pool_max_idle_connections") == 80
    assert compiled.value("dsql.reservoir_target") == 80


@pytest.mark.parametrize(
    "name", [p.name for p in PARAMETERS.values() if p.parameter_class == "Safety"]
)
def test_a_locked_parameter_takes_no_other_value(name: str) -> None:
    """Another value is an error that says so, whatever its range, and the value stays; naming its
    own value is accepted."""
    value, parameter = profile("starter").value(name), PARAMETERS[name]
    match value:
        case bool():
            other: Scalar = not value
        case str():
            other = f"{value}-other"
        case _:
            other = value + 1 if value < parameter.maximum else value - 1
    compiled = compilation("starter", None, {name: other})
    (finding,) = [f for f in compiled.findings if f.key == name]
    assert finding.code == "locked"
    assert compiled.profile is not None
    assert compiled.profile.value(name) == value
    assert compilation("starter", None, {name: value}).writable


def test_an_override_that_is_written_nowhere_is_told() -> None:
    """The plugin reads a pool's lifetime without the reservoir only, and its table in use only."""
    names: dict[str, Scalar] = {"dsql.connection_lifetime_s": 900, "dsql.lease_table": "leases"}
    idle = {"starter": ["dsql.lease_table"], "mid-scale": sorted(names)}
    for preset, expected in idle.items():
        findings = compilation(preset, None, names).findings
        assert sorted(f.key for f in findings if f.code == "without-effect") == expected


@pytest.mark.parametrize(
    ("asked", "told"), [("1.32", False), (str(NEWEST), False), ("v1.32.9", True), (None, False)]
)
def test_another_patch_is_told(asked: str | None, told: bool) -> None:
    """A patch without a registry of its own is compiled for its minor's, and a finding says so."""
    compiled = compile_profile(request("starter", server=asked))
    assert ("server-stands-in" in codes(compiled.findings)) is told
    assert compiled.writable


def test_a_host_name_without_a_region_is_told() -> None:
    """The platform's files go on asking for the region, and the finding says so."""
    findings = compilation("starter", None, {"dsql_endpoint": "db.example.org"}).findings
    assert codes(findings) == ["no-region"]


@pytest.mark.parametrize(
    ("preset", "target", "fitting"),
    [
        ("starter", 50.0, None),
        ("starter", 50.1, "mid-scale"),
        ("mid-scale", 49.9, "starter"),
        ("mid-scale", 500.0, None),
        ("mid-scale", 500.1, "high-throughput"),
        ("high-throughput", 499.9, "mid-scale"),
    ],
)
def test_a_target_outside_its_preset_is_told(
    preset: str, target: float, fitting: str | None
) -> None:
    """A warning names the preset that fits; on the edge both fit and nothing is told."""
    values: dict[str, Scalar] = {
        "state_transitions_per_s": target, "workflow_completions_per_s": 10.0,
    }  # fmt: skip
    told = [f for f in compilation(preset, None, values).findings if f.code == "outside-preset"]
    assert [f.suggestion for f in told] == ([f"start from {fitting}"] if fitting else [])
    assert {f.severity for f in told} <= {Severity.WARNING}


def test_what_follows_from_too_much_is_told_where_it_leaves_its_range() -> None:
    """A derived limit that no override could have is an error with its numbers, not a file."""
    compiled = compilation("high-throughput", None, {"state_transitions_per_s": 100_000.0})
    told = {f.key: f for f in compiled.findings if f.code == "beyond-range"}
    assert "1,500,000" in told["history.persistence_max_qps"].message
    assert "history_replicas" in (told["history.persistence_max_qps"].suggestion or "")
    assert not compiled.writable


@pytest.mark.parametrize("version", SUPPORTED, ids=str)
@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_every_key_is_one_that_its_server_knows(
    version: object, preset: str, modifier: str | None
) -> None:
    """For every version the keys are the server's own, of its type, or an error names versions."""
    compiled = compile_profile(request(preset, modifier, server=str(version)))
    assert compiled.profile is not None
    registry = load_registry(str(version))
    for entry in compiled.profile.dynamic_config:
        setting = registry.find(entry.key)
        assert setting is not None
        assert setting.key == entry.key
        assert setting.kind is _KINDS[type(entry.value)]
    refused = {f.key: f for f in compiled.findings if f.code == "key-not-in-version"}
    targets = [t for p in PARAMETERS.values() for t in p.writes if isinstance(t, DynamicKey)]
    emitted = {entry.key.lower() for entry in compiled.profile.dynamic_config}
    assert {t.key.lower() for t in targets} == emitted | {key.lower() for key in refused}
    for key, finding in refused.items():
        assert all(str(known) in finding.message for known in presence(key).versions)


def test_no_server_named_means_the_newest() -> None:
    """The target is written into the profile, so that the default may move without harm."""
    assert profile("starter").server_version == str(NEWEST)


def test_a_default_is_shown_and_not_emitted() -> None:
    """An entry is written exactly when its value differs from the server's default."""
    entries = {e.parameter: e for e in profile("starter").dynamic_config}
    assert not entries["history.shard_io_concurrency"].written
    assert entries["history.persistence_max_qps"].written
    assert entries["history.persistence_max_qps"].default == "9,000"
    lifted = profile("starter", None, {"history.persistence_max_qps": 9_000}).dynamic_config
    assert not next(e for e in lifted if e.key == "history.persistenceMaxQPS").written


def test_the_servers_own_queues_keep_their_partitions() -> None:
    """Partition counts are constrained to the workload's namespace."""
    compiled = profile("mid-scale", None, {"namespace": "orders"})
    partitions = [e for e in compiled.dynamic_config if "artitions" in e.key]
    assert len(partitions) == 2
    assert all(e.constraints == {"namespace": "orders"} for e in partitions)


def test_a_region_is_read_from_the_endpoint() -> None:
    """`CLUSTER_ENDPOINT` and `REGION` are written where an endpoint is given, and only there."""
    endpoint = "abc123.dsql.eu-west-1.on.aws"
    without, with_one = profile("starter"), profile("starter", None, {"dsql_endpoint": endpoint})
    written = {v.name: v.value for v in with_one.environment}
    assert (written["CLUSTER_ENDPOINT"], written["REGION"]) == (endpoint, "eu-west-1")
    assert "no-endpoint" not in codes(with_one.findings)
    assert not {"CLUSTER_ENDPOINT", "REGION"} & {v.name for v in without.environment}
    assert "no-endpoint" in codes(without.findings)


def test_expected_telemetry_names_signals_that_exist() -> None:
    """Every bound is one of a signal in the core's table, at most one for each."""
    signals = [bound.signal for bound in profile("mid-scale").bounds]
    assert set(signals) <= set(SIGNAL_NAMES)
    assert len(signals) == len(set(signals))


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_one_request_has_one_profile(preset: str, modifier: str | None) -> None:
    """Compiling again gives the same bytes, and reading them gives the same profile."""
    first, second = profile(preset, modifier), profile(preset, modifier)
    assert first.to_json() == second.to_json()
    assert Profile.from_json(first.to_json()) == first


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{}", b'{"preset": "starter"}', b"\xff"])
def test_what_is_no_profile_is_refused(text: bytes) -> None:
    """Reading anything else raises `ValueError`, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"."):
        Profile.from_json(text)


def test_an_edited_profile_is_refused() -> None:
    """A stored profile whose values are not those of its fingerprint is not believed."""
    stored = profile("starter").to_json()
    edited = stored.replace(b'"value": 512', b'"value": 513')
    assert edited != stored
    with pytest.raises(ValueError, match="fingerprint"):
        Profile.from_json(edited)


def test_a_fingerprint_depends_on_meaning_alone() -> None:
    """The same values from another source have one fingerprint; another value has another."""
    plain = profile("mid-scale")
    spelled_out = compile_profile(
        request("mid-scale", None, {"history_shards": "512"}, source="inputs.yaml:2")
    ).profile
    other = profile("mid-scale", None, {"history_shards": 1024})
    older = compile_profile(Request(preset="mid-scale", server_version="1.31")).profile
    assert spelled_out is not None
    assert older is not None
    assert spelled_out.to_json() != plain.to_json()
    assert spelled_out.fingerprint == plain.fingerprint
    assert len({plain.fingerprint, other.fingerprint, older.fingerprint}) == 3
