"""Which adapters there are: the entry points of every installed distribution.

Theory of operation. A distribution offers an adapter by one line in its `pyproject.toml`, in the
group of SDKs or that of platforms; what the line points at is the adapter. Ours are offered in the
same way and have no privilege. Nothing is imported before an adapter is asked for by name, so a
broken one harms only those who ask for it, and the error names the distribution it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from copilot_core.errors import Defect, Rejected
from dsql_config.adapters.protocol import PlatformAdapter, SDKAdapter
from dsql_config.nearest import nearest

SDK_GROUP: Final = "dsql_config.sdk_adapters"
PLATFORM_GROUP: Final = "dsql_config.platform_adapters"


def sdk_adapter(name: str) -> SDKAdapter:
    """The SDK adapter of this name.

    Raises `Rejected` (code `unknown-adapter`) with the nearest name when there is none, `Defect`
    when it cannot be used.
    """
    return cast("SDKAdapter", _loaded(_chosen(SDK_GROUP, "SDK", name)))


def platform_adapter(name: str) -> PlatformAdapter:
    """The platform adapter of this name; raises like `sdk_adapter`."""
    return cast("PlatformAdapter", _loaded(_chosen(PLATFORM_GROUP, "platform", name)))


def sdk_names() -> tuple[str, ...]:
    """Names of the SDK adapters that are installed, sorted."""
    return tuple(_offered(SDK_GROUP))


def platform_names() -> tuple[str, ...]:
    """Names of the platform adapters that are installed, sorted."""
    return tuple(_offered(PLATFORM_GROUP))


def distribution_of(point: EntryPoint) -> str:
    """Name and version of the distribution that an entry point came with."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


@cache
def _offered(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Name to what offers it, by name: more than one when distributions contradict each other.

    A distribution that is found twice on the path (an editable install beside its build) offers
    the same thing twice, which is no contradiction.
    """
    offered: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for point in entry_points(group=group):
        offered.setdefault(point.name, {})[(distribution_of(point), point.value)] = point
    return {name: tuple(offered[name].values()) for name in sorted(offered)}


def _chosen(group: str, kind: str, name: str) -> EntryPoint:
    offered = _offered(group)
    if name not in offered:
        near = nearest(name, offered)
        raise Rejected(
            f"no {kind} adapter is called {name!r}; there are {', '.join(offered) or 'none'}",
            where=f"--{kind.lower()}",
            todo=f"did you mean {near}?" if near else "install the distribution that offers it",
            code="unknown-adapter",
        )
    first, *others = offered[name]
    if others:
        raise Defect(
            f"{kind} adapter {name!r} is offered by {distribution_of(first)} and by "
            + " and ".join(distribution_of(other) for other in others),
            where=group,
            todo="uninstall all but one of them",
        )
    return first


def _loaded(point: EntryPoint) -> object:
    """What an entry point names, once it is known to be an adapter."""
    try:
        adapter = point.load()
    except Exception as e:
        raise _broken(point, f"cannot be loaded: {type(e).__name__}: {e}") from e
    if getattr(adapter, "name", None) != point.name:
        raise _broken(point, f"calls itself {getattr(adapter, 'name', None)!r}")
    if not callable(getattr(adapter, "render", None)):
        raise _broken(point, "has no method `render`")
    return adapter


def _broken(point: EntryPoint, what: str) -> Defect:
    return Defect(
        f"adapter {point.name!r} of {distribution_of(point)} {what}",
        where=point.value,
        todo="tell its authors, or choose another adapter",
    )
