"""Silence becomes data, on real Kafka and PostgreSQL and by the true clock."""

from __future__ import annotations

from pathlib import Path

from whenever import Instant

from copilot_core.events import Event, SampleRecorded, SightLost
from copilot_core.samples import Sample, slot_at
from tests.e2e.line import Line, eventually, sample

INTERVAL_S = 5


def present(cluster: str, *, slots_ago: int = 0) -> Sample:
    """A sample of a slot of now, at the shortest interval there is."""
    slot = slot_at(Instant.now(), INTERVAL_S) - slots_ago * INTERVAL_S
    return sample(cluster, slot, interval_s=INTERVAL_S)


async def events_of(line: Line, cluster: str) -> list[Event]:
    """The decoded health events of a cluster."""
    return [e.decoded() for e in (await line.recorded()).get(f"health/{cluster}", [])]


async def silent_slots(line: Line, cluster: str) -> list[int]:
    """The slots that the watchdog filled."""
    events = await events_of(line, cluster)
    return [e.slot for e in events if isinstance(e, SampleRecorded) and e.source == "watchdog"]


async def test_a_cluster_that_falls_silent_is_seen_to_be_unseen(line: Line) -> None:
    """One slot without a sample: an all-missing one is in the log, and sight is lost from there."""
    line.start_worker(watchdog_lateness_s=1)
    await line.send([present("emea")])

    async def two_silent() -> bool:
        return len(await silent_slots(line, "emea")) >= 2

    await eventually(two_silent)
    events = await events_of(line, "emea")
    first, *_ = await silent_slots(line, "emea")
    lost = [e for e in events if isinstance(e, SightLost) and e.slot == first]
    assert [e.evidence for e in lost] == ["blind"]
    slots = [e.slot for e in events if isinstance(e, SampleRecorded)]
    assert slots == list(range(slots[0], slots[0] + len(slots) * INTERVAL_S, INTERVAL_S))


async def test_after_an_outage_of_our_own_the_gap_costs_one_message(line: Line) -> None:
    """The last sample is ten minutes old when a worker starts: no flood, the newest slot only."""
    await line.send([present("emea", slots_ago=121), present("emea", slots_ago=120)])
    line.start_worker(watchdog_lateness_s=1)

    async def silent() -> bool:
        return bool(await silent_slots(line, "emea"))

    await eventually(silent)
    filled, *_ = await silent_slots(line, "emea")
    events = await events_of(line, "emea")
    assert filled > Instant.now().timestamp() - 60
    assert sum(isinstance(e, SampleRecorded) and e.source == "filled" for e in events) <= 10


def list_clusters(path: Path, *ids: str) -> Path:
    """Write a clusters file; nobody scrapes what it lists."""
    path.write_text(
        "".join(
            f'[[cluster]]\nid = "{id_}"\ninterval_s = {INTERVAL_S}\n'
            '[cluster.prometheus]\nurl = "http://127.0.0.1:9"\n'
            for id_ in ids
        )
    )
    return path


async def test_a_listed_cluster_is_watched_until_it_is_taken_off_the_list(
    line: Line, tmp_path: Path
) -> None:
    """A cluster without any sample is recorded as unseen; off the list, the watch over it ends."""
    clusters = list_clusters(tmp_path / "clusters.toml", "mute")
    worker = line.start_worker(watchdog_lateness_s=1, clusters_file=clusters)

    async def mute_is_silent() -> bool:
        return bool(await silent_slots(line, "mute"))

    await eventually(mute_is_silent)
    list_clusters(clusters, "other")
    await worker.says("clusters file read again")
    before = len(await silent_slots(line, "mute"))

    async def other_is_silent_twice() -> bool:
        return len(await silent_slots(line, "other")) >= 2

    await eventually(other_is_silent_twice)
    assert len(await silent_slots(line, "mute")) <= before + 1  # one may have been on its way
