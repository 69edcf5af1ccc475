"""The laws that every adapter keeps, to be called from its own tests.

    from dsql_config.adapters.conformance import problems_of_sdk

    def test_conforms() -> None:
        assert problems_of_sdk(ADAPTER) == ()

Theory of operation. The adapter renders every preset with every modifier, and configurations at the
edges of what can be asked for. Each rendering is held to a table of laws; a law returns what is
wrong, and nothing when all is well. No law knows an adapter by name, and no test framework is
needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from copilot_core.values import Scalar
from dsql_config import dynamic_config_file, environment_file
from dsql_config.adapters.protocol import (
    DYNAMIC_CONFIG_FILE,
    ENVIRONMENT_FILE,
    PlatformAdapter,
    Rendered,
    SDKAdapter,
    expected_of_platform,
    expected_of_sdk,
)
from dsql_config.artifacts import PROFILE_FILE, WHY_FILE, is_safe
from dsql_config.compiler import compile_profile
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Profile, Request

_SOURCE: Final = "/home/somebody/private/inputs.yaml:7"
"""Where the edge cases' values come from: a place that no file may tell."""

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_ALWAYS_THERE: Final = frozenset({DYNAMIC_CONFIG_FILE, ENVIRONMENT_FILE, PROFILE_FILE, WHY_FILE})

_EDGES: Final[Mapping[str, Mapping[str, Scalar]]] = {
    "endpoint given": {"dsql_endpoint": "abcd.dsql.eu-west-1.on.aws"},
    "endpoint without region": {"dsql_endpoint": "database.internal"},
    "OpenSearch": {"visibility_store": "opensearch"},
    "namespace that YAML could misread": {"namespace": "1e3"},
    "zeros": {
        "workers.sticky_timeout_s": 0,
        "workers.graceful_stop_s": 0,
        "workers.sticky_cache_size": 0,
    },
    "one of each": {f"{role}_replicas": 1 for role in ("history", "matching", "frontend")},
}


@dataclass(frozen=True, slots=True)
class Case:
    """One rendering under judgement. `expected` names the parameters to account for; `shared` are
    the files beside, which only a platform adapter was given."""

    adapter: str
    profile: Profile
    rendered: Rendered
    again: Rendered
    expected: frozenset[str]
    shared: Mapping[str, bytes] | None


Law = Callable[[Case], Iterator[str]]


def problems_of_sdk(
    adapter: SDKAdapter, tried: Mapping[str, Profile] | None = None
) -> tuple[str, ...]:
    """Everything that is wrong with an SDK adapter, each with the configuration that shows it.

    `tried` names other configurations than those of `profiles`.
    """
    return tuple(
        _judged(
            adapter.name,
            tried or profiles(),
            lambda profile: adapter.render(profile),
            lambda _: expected_of_sdk(),
            lambda _: None,
        )
    )


def problems_of_platform(
    adapter: PlatformAdapter, tried: Mapping[str, Profile] | None = None
) -> tuple[str, ...]:
    """Everything that is wrong with a platform adapter, in the same way."""
    return tuple(
        _judged(
            adapter.name,
            tried or profiles(),
            lambda profile: adapter.render(profile, shared_files(profile)),
            expected_of_platform,
            shared_files,
        )
    )


@cache
def profiles() -> Mapping[str, Profile]:
    """The configurations that adapters are tried with, by what is special about each."""
    plain = {
        f"{preset} {modifier or ''}".strip(): Request(preset=preset, modifier=modifier)
        for preset in PRESETS
        for modifier in (None, *MODIFIERS)
    }
    edges = {
        edge: Request(
            preset="starter",
            given=tuple(Given(name=n, value=v, source=_SOURCE) for n, v in values.items()),
        )
        for edge, values in _EDGES.items()
    }
    compiled = {name: compile_profile(request) for name, request in (plain | edges).items()}
    return {name: c.profile for name, c in compiled.items() if c.profile and c.writable}


def shared_files(profile: Profile) -> Mapping[str, bytes]:
    """The files that a platform adapter is given."""
    return {
        DYNAMIC_CONFIG_FILE: dynamic_config_file.render(profile),
        ENVIRONMENT_FILE: environment_file.render(profile),
    }


def _judged(
    name: str,
    tried: Mapping[str, Profile],
    render: Callable[[Profile], Rendered],
    expected: Callable[[Profile], frozenset[str]],
    shared: Callable[[Profile], Mapping[str, bytes] | None],
) -> Iterator[str]:
    for label, profile in tried.items():
        try:
            rendered, again = render(profile), render(profile.model_copy(deep=True))
        except Exception as e:  # noqa: BLE001  whatever the adapter raises is what is reported
            yield f"{label}: it does not render: {type(e).__name__}: {e}"
            continue
        case = Case(name, profile, rendered, again, expected(profile), shared(profile))
        for law in LAWS:
            yield from (f"{label}: {problem}" for problem in law(case))


def _is_named(case: Case) -> Iterator[str]:
    """A name can be written on a command line without quotes."""
    if not _NAME.fullmatch(case.adapter):
        yield f"its name {case.adapter!r} is not lower-case letters, digits and hyphens"


def _repeats_itself(case: Case) -> Iterator[str]:
    """Equal profiles give equal files."""
    if case.rendered != case.again:
        yield "two renderings of one profile differ"


def _writes_files_of_its_own(case: Case) -> Iterator[str]:
    """There are files, each below the folder, and none is one that is always there."""
    if not case.rendered.files:
        yield "it writes no file"
    for path, content in case.rendered.files.items():
        if not is_safe(path):
            yield f"{path!r} is no path below the output folder"
        if path in _ALWAYS_THERE:
            yield f"{path} is written for every configuration, and not by an adapter"
        if not content:
            yield f"{path} is empty"


def _accounts_for_all(case: Case) -> Iterator[str]:
    """Each parameter that concerns the adapter is written or left out, with a reason."""
    written, left_out = case.rendered.written, case.rendered.left_out
    for name in sorted(case.expected - written - left_out.keys()):
        yield f"{name} is neither written nor left out"
    for name in sorted(written & left_out.keys()):
        yield f"{name} is both written and left out"
    for name in sorted((written | left_out.keys()) - PARAMETERS.keys()):
        yield f"{name} is no parameter"
    for name, reason in left_out.items():
        if not reason.strip():
            yield f"{name} is left out without a reason"


def _tells_no_secrets(case: Case) -> Iterator[str]:
    """Files go to other places and people: where the user keeps things is not in them."""
    for path, content in case.rendered.files.items():
        for given in case.profile.given:  # a place in a file is `file:line`
            if ":" in given.source and given.source.encode() in content:
                yield f"{path} tells where a value came from: {given.source}"


def _wires_shared_files(case: Case) -> Iterator[str]:
    """A platform's files hold the dynamic config and the environment, or refer to them by name."""
    if case.shared is None:
        return
    everything = b"\n".join(case.rendered.files.values())
    if DYNAMIC_CONFIG_FILE.encode() not in everything:
        for entry in case.profile.dynamic_config:
            if entry.written and entry.key.encode() not in everything:
                yield f"no server process gets {entry.key}: {DYNAMIC_CONFIG_FILE} is not wired in"
    if ENVIRONMENT_FILE.encode() not in everything:
        for variable in case.profile.environment:
            if variable.name.encode() not in everything:
                yield f"no server process gets {variable.name}: {ENVIRONMENT_FILE} is not wired in"


LAWS: Final[tuple[Law, ...]] = (
    _is_named,
    _repeats_itself,
    _writes_files_of_its_own,
    _accounts_for_all,
    _tells_no_secrets,
    _wires_shared_files,
)
