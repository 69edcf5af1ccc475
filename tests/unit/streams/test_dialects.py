"""A dialect is found by probing, kept through blindness, and changed only on evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from copilot_core.readings import Missing, Reading
from copilot_core.signals import BY_NAME, DSQL_PROBE, Family, probes
from copilot_streams.scrapers.backend import Failure, failed, late
from copilot_streams.scrapers.dialects import DialectMemory, Planned, View

PROBE = {
    dialect: query for family in (Family.SERVER, Family.SDK) for dialect, query in probes(family)
}
PROBE["dsql"] = DSQL_PROBE
DIALECT = {query: dialect for dialect, query in PROBE.items()}


@dataclass
class World:
    """A backend in which some dialects report; `trouble` is what it answers instead."""

    reporting: set[str] = field(default_factory=set)
    trouble: Failure | None = None
    asked: list[str] = field(default_factory=list)

    async def ask(self, query: str) -> Reading | Failure:
        dialect = DIALECT[query]
        self.asked.append(dialect)
        if self.trouble is not None:
            return self.trouble
        return 1.0 if dialect in self.reporting else Missing.NO_SERIES


def memory(
    *, server: str | None = None, sdk: str | None = None, again_s: int = 600
) -> DialectMemory:
    return DialectMemory(
        cluster="c", server=server, sdk=sdk, instance_label="instance", again_s=again_s
    )


def planned(view: View, name: str) -> Planned:
    return dict(view.plan(60))[name]


@pytest.mark.parametrize("server", ["otel_ms", "otel_seconds", "tally"])
@pytest.mark.parametrize("sdk", ["core_ms", "core_ms_suffixed", "seconds_suffixed"])
async def test_each_dialect_is_found_by_its_probe(server: str, sdk: str) -> None:
    """Whatever combination reports, that combination is found."""
    view = await memory().look(World({server, sdk}).ask, 30)
    assert (view.installation.server, view.installation.sdk) == (server, sdk)


async def test_what_does_not_report_is_lost_or_has_no_source() -> None:
    """An unseen server is a loss; unseen workers and an absent plugin are no loss: they may not be
    there at all. A signal without any source stays without."""
    view = await memory().look(World().ask, 30)
    assert planned(view, "transitions_per_s") is Missing.NO_SERIES
    assert planned(view, "worker_processes") is Missing.NO_SOURCE
    assert planned(view, "occ_conflicts_per_s") is Missing.NO_SERIES  # part of the unseen server
    assert planned(view, "leader_changes_per_min") is Missing.NO_SOURCE
    seen = await memory().look(World({"tally"}).ask, 30)
    assert planned(seen, "occ_conflicts_per_s") is Missing.NO_SOURCE


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (failed("connect", "refused"), Missing.SCRAPE_FAILED),
        (late("timeout", "5 s"), Missing.TIMED_OUT),
    ],
)
async def test_a_probe_that_fails_says_nothing_about_the_cluster(
    trouble: Failure, reason: Missing
) -> None:
    """A backend that is down at the first slot gives its own reason for every family, never
    NO_SOURCE: that would count as no loss."""
    view = await memory().look(World(trouble=trouble).ask, 30)
    for name in ("transitions_per_s", "worker_processes", "occ_conflicts_per_s"):
        assert planned(view, name) is trouble
    assert trouble.reason is reason


async def test_unknown_families_are_probed_every_slot_known_ones_now_and_then() -> None:
    """A dialect may appear at any time; one that is known is only checked after `again_s`."""
    world, remembered = World({"otel_ms"}), memory(again_s=300)
    await remembered.look(world.ask, 0)
    world.asked.clear()
    world.reporting.add("core_ms")
    view = await remembered.look(world.ask, 30)
    assert view.installation.sdk == "core_ms"
    assert "otel_ms" not in world.asked
    world.asked.clear()
    await remembered.look(world.ask, 270)
    assert world.asked == ["dsql"]
    world.asked.clear()
    await remembered.look(world.ask, 300)
    assert "otel_ms" in world.asked


@pytest.mark.parametrize("trouble", [None, failed("connect", "refused"), late("timeout", "")])
async def test_blindness_does_not_unlearn(trouble: Failure | None) -> None:
    """A stretch without any answer, or with failing ones, leaves a known dialect known."""
    world, remembered = World({"otel_ms", "core_ms"}), memory(again_s=30)
    await remembered.look(world.ask, 0)
    world.reporting.clear()
    world.trouble = trouble
    for slot in range(30, 300, 30):
        view = await remembered.look(world.ask, slot)
        assert (view.installation.server, view.installation.sdk) == ("otel_ms", "core_ms")
        assert not view.unresolved.get(Family.SERVER)


async def test_a_known_dialect_changes_when_it_is_silent_and_another_answers() -> None:
    """While both answer, as in a rolling restart, the known one stays; when only the new one does,
    it takes over."""
    world, remembered = World({"tally"}), memory(again_s=30)
    await remembered.look(world.ask, 0)
    world.reporting = {"tally", "otel_ms"}
    assert (await remembered.look(world.ask, 30)).installation.server == "tally"
    world.reporting = {"otel_ms"}
    assert (await remembered.look(world.ask, 60)).installation.server == "otel_ms"


async def test_a_configured_dialect_wins() -> None:
    """What the clusters file says is neither probed nor overruled."""
    world = World({"otel_ms", "core_ms"})
    view = await memory(server="tally", sdk="seconds_suffixed").look(world.ask, 0)
    assert (view.installation.server, view.installation.sdk) == ("tally", "seconds_suffixed")
    assert world.asked == ["dsql"]


async def test_the_instance_label_reaches_the_queries() -> None:
    """The label that tells processes apart is the installation's own."""
    remembered = DialectMemory(
        cluster="c", server="tally", sdk=None, instance_label="pod", again_s=600
    )
    view = await remembered.look(World().ask, 0)
    assert "by (pod)" in str(planned(view, BY_NAME["frontend_processes"].name))
