"""The clusters file: right as a whole or refused as a whole, and never lost by a bad change."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from copilot_streams.clusters import (
    AmpBackend,
    ClustersFile,
    LokiBackend,
    PrometheusBackend,
    load_clusters,
)

GOOD = """
[[cluster]]
id = "orders"
rules = "orders.toml"

[cluster.prometheus]
url = "http://prometheus:9090/prom"
scrape_interval_s = 10
instance_label = "pod"
server_dialect = "otel_ms"
headers = { X-Scope-OrgID = "ops" }
bearer_token_env = "ORDERS_TOKEN"

[cluster.loki]
url = "http://loki:3100"
selector = '{cluster="orders", env=~"prod|canary"}'
service_label = "app"

[[cluster]]
id = "billing"
interval_s = 60

[cluster.amp]
url = "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1"
region = "eu-central-1"
"""


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "clusters.toml"
    path.write_text(text)
    (tmp_path / "orders.toml").touch()
    return path


def test_a_good_file_says_everything(tmp_path: Path) -> None:
    """Every key arrives; what is left out has its default; overlays are found beside the file."""
    orders, billing = load_clusters(file(tmp_path, GOOD))
    assert orders.id == "orders"
    assert orders.interval_s == 30
    assert orders.rules == tmp_path.resolve() / "orders.toml"
    told = orders.metrics
    assert isinstance(told, PrometheusBackend)
    assert (told.url, told.scrape_interval_s) == ("http://prometheus:9090/prom", 10)
    assert (told.instance_label, told.server, told.sdk) == ("pod", "otel_ms", None)
    assert (told.headers, told.bearer_token_env) == ({"X-Scope-OrgID": "ops"}, "ORDERS_TOKEN")
    assert orders.loki == LokiBackend(
        url="http://loki:3100",
        selector='{cluster="orders", env=~"prod|canary"}',
        service_label="app",
    )
    assert billing.interval_s == 60
    assert billing.loki is None
    assert isinstance(billing.metrics, AmpBackend)
    assert billing.metrics.region == "eu-central-1"


BASE = '[[cluster]]\nid = "orders"\n[cluster.prometheus]\nurl = "http://p:9090"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "cluster"),
        ("cluster = []", "nothing to watch"),
        ("not toml at all", "not TOML"),
        ('[[cluster]]\nid = "orders"', "exactly one of"),
        (BASE + "[cluster.amp]\nurl='https://a/w'\nregion='eu-west-1'", "exactly one of"),
        (BASE.replace("orders", "Orders!"), "cluster[0].id"),
        (BASE.replace("http://p:9090", "ftp://p"), "cluster[0].prometheus.url"),
        (BASE.replace("http://p:9090", "http://user:secret@p"), "cluster[0].prometheus.url"),
        (BASE + 'server_dialect = "core_ms"', "otel_ms"),
        (BASE + 'sdk_dialect = "tally"', "core_ms"),
        (BASE + 'colour = "red"', "colour"),
        (BASE + "scrape_interval_s = 0", "scrape_interval_s"),
        (BASE + 'instance_label = "a-b"', "instance_label"),
        (BASE + 'headers = { "X Y" = "1" }', "headers"),
        (BASE + 'headers = { X = "a\\nb" }', "headers"),
        (BASE + BASE, "twice"),
        (BASE.replace('"orders"\n', '"orders"\nrules = "none.toml"\n'), "no rules file"),
        (BASE.replace('"orders"\n', '"orders"\ninterval_s = 1\n'), "interval_s"),
        (BASE + "[cluster.loki]\nurl='http://l'\nselector='{}'", "selector"),
        (BASE + "[cluster.loki]\nurl='http://l'\nselector='count_over_time(x)'", "selector"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    """The finding names the key, or the choices, or the file that is missing."""
    with pytest.raises(Rejected) as refused:
        load_clusters(file(tmp_path, text))
    assert any(named in finding for finding in refused.value.findings)
    assert refused.value.where.endswith("clusters.toml")


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    """Three faults in two clusters are three findings of one error."""
    text = BASE.replace("orders", "A") + "colour = 1\n" + BASE.replace("http", "gopher")
    with pytest.raises(Rejected) as refused:
        load_clusters(file(tmp_path, text))
    wheres = [finding.partition(":")[0] for finding in refused.value.findings]
    assert wheres == ["cluster[0].id", "cluster[0].prometheus.colour", "cluster[1].prometheus.url"]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A binary file is a finding, not a crash; so is a file that is not there."""
    path = tmp_path / "clusters.toml"
    with pytest.raises(Rejected):
        load_clusters(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Rejected):
        load_clusters(path)


def test_a_reload_takes_a_good_change_and_only_a_change(tmp_path: Path) -> None:
    """The same content is no change; new content is taken over."""
    path = file(tmp_path, BASE)
    clusters = ClustersFile(path)
    assert not clusters.changed()
    path.write_text(BASE.replace("orders", "billing"))
    assert clusters.changed()
    assert [cluster.id for cluster in clusters.current] == ["billing"]
    assert not clusters.changed()


def test_a_bad_change_is_told_once_and_leaves_the_clusters_as_they_were(tmp_path: Path) -> None:
    """The bad content is refused when it appears and not again and again; a missing file is told
    as long as it is missing; a good change after it is taken."""
    path = file(tmp_path, BASE)
    clusters = ClustersFile(path)
    path.write_text("cluster = 7")
    with pytest.raises(Rejected):
        clusters.changed()
    assert not clusters.changed()
    path.unlink()
    for _ in range(2):
        with pytest.raises(Rejected):
            clusters.changed()
    assert [cluster.id for cluster in clusters.current] == ["orders"]
    path.write_text(BASE.replace("orders", "billing"))
    assert clusters.changed()
    assert [cluster.id for cluster in clusters.current] == ["billing"]
