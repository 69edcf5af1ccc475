"""Config: what a cluster is configured as, what it was before, and what lies between."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from copilot_api import cursors
from copilot_api.call import Call, Called
from copilot_api.parameters import Cluster, Cursor, Limit
from copilot_core.errors import Rejected
from copilot_core.events import ConfigChange, ConfigChanged
from copilot_core.values import Apply
from copilot_projections.views import config_history as config_view
from copilot_projections.views.config_history import ConfigEntry, ConfigPlace, CurrentConfig

router = APIRouter(prefix="/v1/clusters/{cluster}/config", tags=["config"])

MAX_VERSIONS_APART: Final = 1000
FINGERPRINT_DIGITS: Final = 64
NOTHING: Final = ConfigPlace(version=0, fingerprint="")
"""Before the first configuration; its fingerprint is none."""

_EITHER: Final = rf"^([0-9]{{1,9}}|[0-9a-f]{{{FINGERPRINT_DIGITS}}})$"
From = Annotated[
    str | None,
    Query(
        alias="from",
        pattern=_EITHER,
        description="a version or a fingerprint, 0 for before the first; default the version "
        "before `to`",
    ),
]
To = Annotated[
    str | None, Query(pattern=_EITHER, description="a version or a fingerprint; default the newest")
]


class ConfigDiff(BaseModel):
    """What differs between two configurations of a cluster, in meaning."""

    cluster: str
    from_version: int = Field(description="0 for before the first")
    from_fingerprint: str | None
    to_version: int
    to_fingerprint: str
    apply: Apply | None = Field(description="what it takes until all of it is in force")
    changes: tuple[ConfigChange, ...]


@router.get("")
async def config(cluster: Cluster, call: Called) -> CurrentConfig:
    """The configuration in force: every value, and since when, by whom and why it is so."""
    found = await call.read(config_view.current(call.deps.views, cluster))
    if found is None:
        raise await _none_of(call, cluster)
    call.revalidate(found.version, found.position)
    return found


@router.get("/history")
async def config_history(
    cluster: Cluster, call: Called, cursor: Cursor = None, limit: Limit = 100
) -> list[ConfigEntry]:
    """Every configuration that was emitted, newest first, with what it changed and why.

    Empty for a cluster that is watched and was never configured through the compiler.
    """
    place = f"{ConfigChanged.stream_kind}/{cluster}"
    before = None if cursor is None else cursors.read(cursor, places=[place])[place]
    page = await call.read(config_view.page(call.deps.views, cluster, before=before, limit=limit))
    entries = await call.known(cluster, list(page.entries))
    call.revalidate(cursor, limit, [(e.version, e.position) for e in entries])
    if page.next_before is not None:
        call.next_page(cursor=cursors.write({place: page.next_before}))
    return entries


@router.get("/diff")
async def config_diff(
    cluster: Cluster, call: Called, from_: From = None, to: To = None
) -> ConfigDiff:
    """What differs between two configurations, and whether it is live, or takes a restart or more.

    Without parameters: what the newest one changed. A fingerprint stands for the newest
    configuration that has it. When `from` is the later one: what going back would change.
    """
    later = await _place(call, cluster, to)
    earlier = await _place_or_nothing(call, cluster, from_ or str(later.version - 1))
    if abs(later.version - earlier.version) > MAX_VERSIONS_APART:
        raise Rejected(
            f"versions {earlier.version} and {later.version} are too far apart; the limit is "
            f"{MAX_VERSIONS_APART} versions",
            code="limit_exceeded",
        )
    call.revalidate(earlier, later)
    changes = await call.read(
        config_view.changes_between(
            call.deps.views, cluster, after=earlier.version, to=later.version
        )
    )
    return ConfigDiff(
        cluster=cluster,
        from_version=earlier.version,
        from_fingerprint=earlier.fingerprint or None,
        to_version=later.version,
        to_fingerprint=later.fingerprint,
        apply=config_view.heaviest(changes),
        changes=changes,
    )


async def _place(call: Call, cluster: str, named: str | None) -> ConfigPlace:
    """The configuration that a version or fingerprint names; the newest one for None."""
    views = call.deps.views
    if named is None:
        found = await call.read(config_view.newest(views, cluster))
        if found is None:
            raise await _none_of(call, cluster)
        return found
    query = (
        config_view.newest(views, cluster, fingerprint=named)
        if _is_fingerprint(named)
        else config_view.of_version(views, cluster, int(named))
    )
    found = await call.read(query)
    if found is None:
        raise Rejected(f"{cluster!r} has no configuration {named}", code="unknown_config")
    return found


async def _place_or_nothing(call: Call, cluster: str, named: str) -> ConfigPlace:
    if not _is_fingerprint(named) and int(named) == NOTHING.version:
        return NOTHING
    return await _place(call, cluster, named)


def _is_fingerprint(named: str) -> bool:
    return len(named) == FINGERPRINT_DIGITS


async def _none_of(call: Call, cluster: str) -> Rejected:
    """The refusal for a cluster that has no configuration; raises for one never heard of."""
    await call.known(cluster, [])
    return Rejected(f"no configuration of {cluster!r} was ever emitted", code="no_config")
