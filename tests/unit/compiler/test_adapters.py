"""Our adapters keep the laws of all adapters, and those that their SDK or platform adds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count

import orjson
import pytest
import yaml

from copilot_core.errors import Rejected
from dsql_config.adapters.compose import ComposeAdapter
from dsql_config.adapters.conformance import (
    problems_of_platform,
    problems_of_sdk,
    profiles,
    shared_files,
)
from dsql_config.adapters.discovery import (
    platform_adapter,
    platform_names,
    sdk_adapter,
    sdk_names,
)
from dsql_config.adapters.ecs import EcsAdapter
from dsql_config.adapters.fargate import SIZES, smallest
from dsql_config.adapters.go import GoAdapter
from dsql_config.adapters.protocol import REPLICAS, Rendered
from dsql_config.adapters.python import PythonAdapter
from dsql_config.adapters.server_process import ROLES
from dsql_config.compiler import compile_profile
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Profile, Request

PROFILES = profiles()


def compiled(preset: str = "starter", **values: object) -> Profile:
    """The profile of a preset with values set."""
    given = tuple(
        Given.model_validate({"name": name.replace("__", "."), "value": value, "source": "--set"})
        for name, value in values.items()
    )
    profile = compile_profile(Request(preset=preset, given=given)).profile
    assert profile
    return profile


def text_of(rendered: Rendered, path: str) -> str:
    return rendered.files[path].decode()


def test_our_adapters_are_found_by_entry_point() -> None:
    """The installed distribution offers the four adapters by the names of the command line."""
    assert {"go", "python"} <= set(sdk_names())
    assert {"ecs", "compose"} <= set(platform_names())


@pytest.mark.parametrize("name", ["go", "python"])
def test_sdk_adapters_conform(name: str) -> None:
    """An SDK adapter of ours breaks no law on any configuration."""
    assert problems_of_sdk(sdk_adapter(name)) == ()


@pytest.mark.parametrize("name", ["ecs", "compose"])
def test_platform_adapters_conform(name: str) -> None:
    """A platform adapter of ours breaks no law on any configuration."""
    assert problems_of_platform(platform_adapter(name)) == ()


def test_conformance_tries_everything() -> None:
    """Every preset with every modifier is among the configurations, and each edge compiles."""
    assert {(p.preset, p.modifier) for p in PROFILES.values()} == {
        (preset, modifier) for preset in PRESETS for modifier in (None, *MODIFIERS)
    }
    assert len(PROFILES) == len(PRESETS) * (1 + len(MODIFIERS)) + 6
    assert any(profile.given for profile in PROFILES.values())


@dataclass(frozen=True)
class Spoiled:
    """The Go adapter with its rendering or its name spoiled."""

    spoil: Callable[[Rendered], Rendered]
    name: str = "spoiled"

    def render(self, profile: Profile) -> Rendered:
        return self.spoil(GoAdapter().render(profile))


_serial = count()


def _fail(_: Rendered) -> Rendered:
    raise ZeroDivisionError("oh")


def _with_files(files: Mapping[str, bytes]) -> Callable[[Rendered], Rendered]:
    return lambda rendered: replace(rendered, files=files)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda r: replace(r, usage=(str(next(_serial)),)), "two renderings of one profile differ"),
        (_fail, "it does not render: ZeroDivisionError: oh"),
        (_with_files({}), "it writes no file"),
        (_with_files({"a": b""}), "a is empty"),
        (_with_files({"/etc/passwd": b"x"}), "'/etc/passwd' is no path below the output folder"),
        (_with_files({"../a": b"x"}), "'../a' is no path below the output folder"),
        (_with_files({"a\\b": b"x"}), "'a\\\\b' is no path below the output folder"),
        (_with_files({"why.md": b"x"}), "why.md is written for every configuration"),
        (lambda r: replace(r, written=frozenset()), "workers.nexus_slots is neither written nor"),
        (
            lambda r: replace(r, left_out={"workers.nexus_slots": "why not"}),
            "workers.nexus_slots is both written and left out",
        ),
        (lambda r: replace(r, left_out={"workers.slot": "x"}), "workers.slot is no parameter"),
        (
            lambda r: replace(
                r,
                written=r.written - {"workers.nexus_slots"},
                left_out={"workers.nexus_slots": " "},
            ),
            "workers.nexus_slots is left out without a reason",
        ),
        (
            _with_files({"a": b"from /home/somebody/private/inputs.yaml:7"}),
            "a tells where a value came from",
        ),
    ],
)
def test_a_broken_law_is_told(spoil: Callable[[Rendered], Rendered], told: str) -> None:
    """Each law of an SDK adapter is broken by some adapter, and the suite says which and where."""
    problems = problems_of_sdk(Spoiled(spoil))
    assert any(told in problem for problem in problems), problems
    assert all(problem.split(":")[0] in PROFILES for problem in problems)


def test_a_name_is_fit_for_a_command_line() -> None:
    """A name with a blank is told."""
    assert "its name 'My SDK' is not" in problems_of_sdk(Spoiled(lambda r: r, name="My SDK"))[0]


def test_forgotten_wiring_is_told() -> None:
    """A platform whose files neither hold nor name the shared ones is told, key by key."""

    class Forgetful:
        name = "forgetful"

        def render(self, profile: Profile, shared: Mapping[str, bytes]) -> Rendered:
            made = ComposeAdapter().render(profile, shared)
            return replace(made, files={"compose.yaml": b"services: {}"})

    problems = "\n".join(problems_of_platform(Forgetful()))
    assert "no server process gets history.rps: dynamicconfig.yaml is not wired in" in problems
    assert "no server process gets TEMPORAL_HISTORY_SHARDS: dsql.env is not wired in" in problems


def test_zero_is_left_out_for_go_with_the_reason() -> None:
    """What the Go SDK would read as its default is not written, and the account says so."""
    rendered = GoAdapter().render(PROFILES["zeros"])
    assert set(rendered.left_out) == {"workers.sticky_timeout_s", "workers.graceful_stop_s"}
    text = text_of(rendered, "worker_options.go")
    assert "time" not in text.partition("import")[2].partition("\n")[0]
    assert "StickyScheduleToStartTimeout" not in text
    assert "worker.SetStickyWorkflowCacheSize(0)" in text  # there, 0 is off and not a default


@pytest.mark.parametrize("name", PROFILES)
def test_go_options_do_not_exclude_each_other(name: str) -> None:
    """Sizes are written without a tuner and poller counts without a poller behaviour."""
    text = text_of(GoAdapter().render(PROFILES[name]), "worker_options.go")
    fields = set(re.findall(r"^\t\t(\w+):", text, re.MULTILINE))
    assert "MaxConcurrentActivityExecutionSize" in fields
    assert "MaxConcurrentActivityTaskPollers" in fields
    assert not {f for f in fields if f == "Tuner" or f.endswith("Behavior")}


def test_wait_buckets_end_at_the_target() -> None:
    """The share of tasks that wait no longer than the target is exact: it is a bucket's end."""
    for profile in PROFILES.values():
        text = text_of(PythonAdapter().render(profile), "worker_options.py")
        ends = re.search(r"^WAIT_BUCKETS_S = \((.*)\)$", text, re.MULTILINE)
        assert ends
        numbers = [float(end) for end in ends[1].split(",")]
        assert numbers == sorted(set(numbers))
        assert float(profile.value("schedule_to_start_ms")) / 1000 in numbers


def test_roles_are_those_with_replicas() -> None:
    """Each role of the server has a parameter for the number of its processes, and a port."""
    assert {role.name for role in ROLES} == set(REPLICAS)
    assert len({port for role in ROLES for port in (role.grpc, role.membership)}) == 2 * len(ROLES)


def test_the_chosen_fargate_size_is_enough_and_the_first_that_is() -> None:
    """A size is one that is sold, holds what was asked for, and no cheaper row does."""
    for cpu_units in range(256, 16_385, 257):
        for memory_mib in (512, 3_000, 8_192, 30_721, 122_880):
            size = smallest(cpu_units=cpu_units, memory_mib=memory_mib, where="")
            assert size in SIZES
            earlier = SIZES[: SIZES.index(size)]
            assert size.cpu_units >= cpu_units
            assert size.memory_mib >= memory_mib
            assert not [
                s for s in earlier if s.cpu_units >= cpu_units and s.memory_mib >= memory_mib
            ]


def test_more_than_fargate_sells_is_refused() -> None:
    """A process above the largest task is refused with what to change, not made smaller."""
    profile = compiled(platform__history_cpu_units=16_384, platform__memory_mib_per_core=8_192)
    with pytest.raises(Rejected, match=r"platform\.history_cpu_units") as refused:
        EcsAdapter().render(profile, shared_files(profile))
    assert refused.value.code == "no-fargate-size"
    assert "platform.memory_mib_per_core" in refused.value.todo


def test_a_task_definition_above_the_limit_is_refused() -> None:
    """A dynamic config that does not fit into a task definition is refused before ECS does it."""
    profile = PROFILES["starter"]
    shared = {**shared_files(profile), "dynamicconfig.yaml": b"#" * 65_536}
    with pytest.raises(Rejected, match="65,536"):
        EcsAdapter().render(profile, shared)


@pytest.mark.parametrize("replicas", [1, 2, 3, 7, 1_000])
def test_a_deployment_moves_on_and_never_runs_more(replicas: int) -> None:
    """A rolling update may stop a task, keeps half of several, and never exceeds the count.

    The arithmetic is ECS's: the minimum is rounded up, the maximum down.
    """
    profile = compiled(history_replicas=replicas, history_shards=4_096)
    body = orjson.loads(
        EcsAdapter().render(profile, shared_files(profile)).files["ecs/services/history.json"]
    )
    limits = body["deploymentConfiguration"]
    lowest = math.ceil(replicas * limits["minimumHealthyPercent"] / 100)
    assert body["desiredCount"] == replicas
    assert math.floor(replicas * limits["maximumPercent"] / 100) == replicas
    assert lowest < replicas
    assert lowest >= replicas / 2 or replicas == 1


@pytest.mark.parametrize("replicas", [1, 2, 40])
def test_each_frontend_has_a_port_of_its_own(replicas: int) -> None:
    """The range of published ports has as many as there are frontends; no other role has any."""
    profile = compiled(frontend_replicas=replicas)
    project = yaml.safe_load(text_of(ComposeAdapter().render(profile, {}), "compose.yaml"))
    published = {n: s["ports"] for n, s in project["services"].items() if "ports" in s}
    assert set(published) == {"temporal-frontend"}
    (port,) = published["temporal-frontend"]
    host, span, inside = port.split(":")
    first, _, last = span.partition("-")
    assert (host, inside, first) == ("127.0.0.1", "7233", "7233")
    assert int(last or first) - int(first) + 1 == replicas


def test_what_is_not_known_is_asked_for() -> None:
    """Without an endpoint both platforms ask for it and for the region; with one they know both."""
    unknown, known = PROFILES["starter"], PROFILES["endpoint given"]
    for profile, asks in ((unknown, True), (known, False)):
        shared = shared_files(profile)
        compose = text_of(ComposeAdapter().render(profile, shared), "compose.yaml")
        task = orjson.loads(EcsAdapter().render(profile, shared).files["ecs/worker.json"])
        server = task["containerDefinitions"][1]
        wanted = {"CLUSTER_ENDPOINT", "TEMPORAL_SQL_HOST", "REGION", "AWS_REGION"}
        assert ("${CLUSTER_ENDPOINT:?" in compose) is asks
        assert ("${REGION:?" in compose) is asks
        assert {s["name"] for s in server["secrets"]} == (wanted if asks else set())
        given = {pair["name"]: pair["value"] for pair in server["environment"]}
        assert (given.keys() & wanted) == (set() if asks else wanted)
        assert given.get("REGION") == given.get("AWS_REGION") == (None if asks else "eu-west-1")
