"""What an adapter is: it renders a profile for one SDK or one platform, and accounts for all of it.

Theory of operation. An adapter is an object with a `name` and `render`. It gets the profile (a
platform adapter also the files that every output folder holds, to wire them in) and gives files,
beside an account: which parameters the files carry, and which they leave out and why. `expected`
says which parameters an adapter must account for; the conformance suite holds every adapter to it,
so nothing is dropped without a word. What was left out is told in `why.md`.

An adapter is found by its entry point (see `discovery.py`), whose name is the adapter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from dsql_config.parameters import GROUPS, PARAMETERS
from dsql_config.parameters.parameter import GoOption, PythonOption
from dsql_config.profile import Profile

DYNAMIC_CONFIG_FILE: Final = "dynamicconfig.yaml"
"""The server's dynamic config, at the top of every output folder."""

ENVIRONMENT_FILE: Final = "dsql.env"
"""The environment of the server and its DSQL plugin, beside it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What an adapter made.

    `files` maps a path below the output folder (with `/`, never absolute) to its bytes. `written`
    names the parameters that the files carry, `left_out` those they do not, with the reason.
    `usage` is what a person does with the files, a step a line, in Markdown.
    """

    files: Mapping[str, bytes]
    written: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    usage: tuple[str, ...] = ()


class SDKAdapter(Protocol):
    """Renders the worker options of one SDK."""

    @property
    def name(self) -> str:
        """As it is chosen on the command line, and as its entry point is called."""
        ...

    def render(self, profile: Profile) -> Rendered:
        """The SDK's files. Pure: equal profiles give equal bytes.

        Raises `Rejected` for values that the SDK cannot express at all.
        """
        ...


class PlatformAdapter(Protocol):
    """Renders the files that run the server's processes on one platform."""

    @property
    def name(self) -> str:
        """As it is chosen on the command line, and as its entry point is called."""
        ...

    def render(self, profile: Profile, shared: Mapping[str, bytes]) -> Rendered:
        """The platform's files. Pure: equal profiles give equal bytes.

        `shared` holds the files that are written beside them: `DYNAMIC_CONFIG_FILE`, which every
        server process must read, and `ENVIRONMENT_FILE`. Raises `Rejected` for values that the
        platform cannot express at all.
        """
        ...


REPLICAS: Final[Mapping[str, str]] = MappingProxyType(
    {role: f"{role}_replicas" for role in ("history", "matching", "frontend", "worker")}
)
"""The server's four roles, each with the parameter that says how many processes it has."""


def expected_of_sdk() -> frozenset[str]:
    """The parameters that an SDK adapter accounts for: those that are options of a worker."""
    return frozenset(
        parameter.name
        for parameter in PARAMETERS.values()
        if any(isinstance(target, GoOption | PythonOption) for target in parameter.writes)
    )


def expected_of_platform(profile: Profile) -> frozenset[str]:
    """The parameters that a platform adapter accounts for.

    They are the number of processes of each role, their image and size, and all that the profile
    writes to the server's environment and dynamic config.
    """
    return frozenset(
        (
            *REPLICAS.values(),
            *(parameter.name for parameter in GROUPS["platform"]),
            *(variable.parameter for variable in profile.environment),
            *(entry.parameter for entry in profile.dynamic_config if entry.written),
        )
    )
