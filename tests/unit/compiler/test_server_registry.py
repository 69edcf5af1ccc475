"""The registries of the servers: what was read is loaded back, release by release."""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.version import Version

from copilot_core.errors import Rejected
from dsql_config.server import registry as registry_module
from dsql_config.server.registry import (
    NEWEST,
    NIL,
    SUPPORTED,
    Always,
    ByConstraints,
    Converter,
    Schema,
    Scope,
    ServerRegistry,
    ValueKind,
    dsql_fork_default,
    in_dsql_fork,
    load_registry,
    presence,
    resolve_version,
)

COMPILER = Path(__file__).parents[3] / "compiler"
DATA = COMPILER / "src" / "dsql_config" / "server" / "data"

REGISTRIES = [load_registry(version) for version in SUPPORTED]
each_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: str(r.version))


@pytest.mark.parametrize(
    ("release", "settings"),
    [("1.27", 480), ("1.28", 503), ("1.29", 510), ("1.30", 582), ("1.31", 622), ("1.32", 696)],
)
def test_a_registry_has_as_many_settings_as_its_server(release: str, settings: int) -> None:
    """The counts are those of the servers at run time; 12 of 1.32 come from a second module."""
    assert len(load_registry(release)) == settings


@each_registry
def test_every_key_is_found_in_any_case(registry: ServerRegistry) -> None:
    """A key finds its setting as written, in lower, in upper and in swapped case."""
    for key, setting in registry.settings().items():
        assert setting.key == key
        for spelling in (key, key.lower(), key.upper(), key.swapcase()):
            assert registry.find(spelling) is setting


@each_registry
def test_what_is_no_key_is_not_found(registry: ServerRegistry) -> None:
    """A key with anything added, and the empty text, is unknown."""
    assert registry.find("") is None
    for key in registry.settings():
        assert registry.find(f" {key}") is None
        assert registry.find(f"{key}.") is None


def test_presence_says_what_the_registries_say() -> None:
    """For every key that any release knows: the releases, and the newest spelling."""
    for key in sorted({setting.key for registry in REGISTRIES for setting in registry}):
        found = presence(key.upper())
        known = [(r.version, s) for r in REGISTRIES if (s := r.find(key)) is not None]
        assert found.versions == tuple(version for version, _ in known)
        assert found.key == known[-1][1].key


def test_a_key_that_no_release_knows_is_present_nowhere() -> None:
    """Presence of an invented key is empty, not an error."""
    found = presence("persistence.maxConns")
    assert found.versions == ()


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1.27", "1.27.3"),
        ("1.31", "1.31.4"),
        ("1.31.4", "1.31.4"),
        ("1.31.2", "1.31.4"),
        ("1.31.99", "1.31.4"),
        ("v1.32.1", "1.32.1"),
        (" v1.32 ", "1.32.1"),
    ],
)
def test_a_minor_or_any_of_its_patches_names_a_release(text: str, release: str) -> None:
    """The registry of a minor stands for all its patches."""
    assert resolve_version(text) == Version(release)
    assert load_registry(text) is load_registry(Version(release))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.26",
        "1.33.0",
        "2.31",
        "1.31.x",
        "1.31.4-rc.1",
        "1.31.4.1",
        "1,31",
        "latest",
        "١.٣١",
        pytest.param("9" * 5_000 + ".1", id="endless major"),  # int() takes 4,300 digits
        pytest.param("1." + "9" * 5_000, id="endless minor"),
    ],
)
def test_other_versions_are_rejected_with_the_list(text: str) -> None:
    """What names no supported release is refused, and the refusal names all that are."""
    with pytest.raises(Rejected) as refused:
        resolve_version(text)
    assert refused.value.code == "unknown-server-version"
    for version in SUPPORTED:
        assert str(version) in refused.value.todo
    with pytest.raises(Rejected):
        load_registry(text)


PYTHON_TYPE = {
    ValueKind.INT: int,
    ValueKind.FLOAT: float,
    ValueKind.BOOL: bool,
    ValueKind.DURATION: str,
    ValueKind.STRING: str,
    ValueKind.MAP: dict,
}


@each_registry
def test_a_default_has_the_type_of_its_kind(registry: ServerRegistry) -> None:
    """Scalars have a default of exactly their type; only maps and typed settings may have none."""
    for setting in registry:
        match setting.default:
            case Always(value):
                values: list[object] = [value]
            case ByConstraints(rows):
                values = [value for _, value in rows]
                assert dict(rows[-1][0]) == {}
                assert all(dict(constraints) for constraints, _ in rows[:-1])
            case _:
                assert setting.default is NIL
                values = []
        if setting.kind in PYTHON_TYPE:
            assert all(type(value) is PYTHON_TYPE[setting.kind] for value in values), setting.key
            assert values or setting.kind is ValueKind.MAP


@each_registry
def test_only_typed_settings_have_a_go_type(registry: ServerRegistry) -> None:
    """A scalar is converted as its kind says; a typed setting names its Go type."""
    for setting in registry:
        if setting.kind is ValueKind.TYPED:
            assert setting.go_type
        else:
            assert setting.go_type == ""
            assert setting.converter.value == setting.kind.value


LEAVES = {"bool", "string", "duration", "time", "enum", "any", "interface", "func", "float32"}
LEAVES |= {"float64", "int", "int8", "int16", "int32", "int64"}
LEAVES |= {"uint", "uint8", "uint16", "uint32", "uint64"}


def parts(schema: Schema) -> Iterator[Schema]:
    """A schema and all schemas in it."""
    yield schema
    for field in schema.fields:
        yield from parts(field.schema)
    for inner in (schema.key, schema.of):
        if inner is not None:
            yield from parts(inner)


@each_registry
def test_schemas_say_all_that_a_conversion_needs(registry: ServerRegistry) -> None:
    """Every schema is built of known kinds, each with the parts that its kind has."""
    for setting in registry:
        for part in parts(setting.schema):
            match part.kind:
                case "struct":
                    assert part.name
                case "list" | "pointer" | "array":
                    assert part.of is not None
                case "map":
                    assert part.of is not None
                    assert part.key is not None
                case _:
                    assert part.kind in LEAVES
            assert bool(part.values) == (part.kind == "enum")
        if setting.converter is Converter.GRADUAL_CHANGE:
            assert [f.name for f in setting.schema.fields] == ["Old", "New", "Start", "End"]


def test_times_occur_only_where_the_server_converts_them() -> None:
    """Servers before 1.30 have no hook for times, and no setting that holds one."""
    for registry in REGISTRIES:
        holds_time = any(part.kind == "time" for s in registry for part in parts(s.schema))
        assert holds_time == (registry.version >= Version("1.30"))


@pytest.mark.parametrize(
    ("key", "before", "after", "changed_in"),
    [
        ("matching.forwarderMaxRatePerSecond", "int taskqueue", "float taskqueue", "1.28.1"),
        ("matching.useNewMatcher", "bool taskqueue", "typed taskqueue", "1.30.8"),
        ("matching.enableFairness", "bool taskqueue", "typed taskqueue", "1.30.8"),
        ("history.enableChasm", "bool global", "bool namespace", "1.30.8"),
        ("history.enableTransitionHistory", "bool global", "bool namespace", "1.30.8"),
        ("nexusoperation.callback.endpoint.template", "string global", "typed global", "1.32.1"),
    ],
)
def test_settings_that_changed_are_told_apart(
    key: str, before: str, after: str, changed_in: str
) -> None:
    """Kind and scope are those of the release that is asked, not of the newest."""
    for registry in REGISTRIES:
        setting = registry.find(key)
        if setting is not None:
            now = after if registry.version >= Version(changed_in) else before
            assert f"{setting.kind} {setting.scope}" == now


def test_partitions_have_defaults_of_their_own_for_system_queues() -> None:
    """The server's per-namespace workers have one partition; every other task queue has four."""
    setting = load_registry("1.32").find("matching.numTaskqueueReadPartitions")
    assert setting is not None
    assert isinstance(setting.default, ByConstraints)
    assert setting.default.otherwise == 4
    assert ({"taskQueueName": "temporal-sys-per-ns-tq"}, 1) in setting.default.rows


def test_constraints_are_those_of_the_release() -> None:
    """The constraint on a task type of chasm is there from 1.31 on; the others always were."""
    for registry in REGISTRIES:
        assert registry.constraints["namespace"] == {
            Scope.NAMESPACE,
            Scope.TASKQUEUE,
            Scope.DESTINATION,
        }
        assert ("chasmTaskType" in registry.constraints) == (registry.version >= Version("1.31"))
        assert len(registry.constraints) == 7 + (registry.version >= Version("1.31"))
        assert registry.task_queue_types["Activity"] == 2
        assert registry.history_task_types["TransferWorkflowTask"] == 3


@each_registry
def test_each_scope_but_the_global_is_reached_by_a_constraint(registry: ServerRegistry) -> None:
    """A setting that is not global can be constrained; a global one never can."""
    reached = set().union(*registry.constraints.values())
    assert reached == {setting.scope for setting in registry} - {Scope.GLOBAL}


def test_what_could_not_be_read_is_said() -> None:
    """1.31 links a module that was not to be had; its keys are neither known nor unknown there."""
    key = "workercontroller.enabled"
    assert [r.version for r in REGISTRIES if r.unread(key)] == [Version("1.31.4")]
    assert load_registry("1.32").find(key) is not None
    assert not any(r.unread("frontend.rps") for r in REGISTRIES)


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("frontend.rps", True),
        ("FRONTEND.RPS", True),
        ("system.enableNexus", True),
        ("matching.backlogMetricsEmitInterval", False),
        ("persistence.maxConns", False),
        ("history.cacheMaxSize", None),
        ("workercontroller.enabled", None),
    ],
)
def test_presence_in_the_fork_has_three_answers(key: str, known: bool | None) -> None:
    """What nobody has looked up is not taken for absent."""
    assert in_dsql_fork(key) is known


def test_fork_defaults_differ_from_those_of_the_newest_release() -> None:
    """A default is told for the fork only where it is another one, for a key that both know."""
    different = [s for s in load_registry(NEWEST) if dsql_fork_default(s.key) is not None]
    assert len(different) == 13
    for setting in different:
        assert in_dsql_fork(setting.key)
        assert dsql_fork_default(setting.key) != setting.default


def test_the_stored_settings_are_in_one_order() -> None:
    """One line for each key, sorted without case, so that a new reading differs where it must."""
    lines = (DATA / "registries.json").read_text().split('"settings": [\n')[1].splitlines()[:-2]
    keys = [json.loads(line.rstrip(","))["key"].lower() for line in lines]
    assert keys == sorted(set(keys))
    assert len(keys) == len({s.key.lower() for registry in REGISTRIES for s in registry})


def script(name: str) -> ModuleType:
    """A module of the extraction, which is no package."""
    spec = importlib.util.spec_from_file_location(
        name, COMPILER / "extract_server_registry" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_history_is_folded_back_to_the_states_it_was_made_of() -> None:
    """Whatever a setting was in six releases comes back, also 1, then true, 1.0 and nothing."""
    compact = script("compact")
    releases = [str(version) for version in SUPPORTED]
    one: dict[str, Any] = {"default": 1}
    states = [None, one, {"default": True}, {"default": 1.0, "kind": None}]
    for history in itertools.product(states, repeat=len(releases)):
        entries = compact._history(releases, list(history))
        for place, state in enumerate(history):
            assert json.dumps(registry_module._at(entries, place)) == json.dumps(state or {})
