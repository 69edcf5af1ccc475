"""docker-compose.yml fits the code: its variables, commands, topics and clusters file are real.

No container is started here; what is checked is what would otherwise fail only on somebody's
machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from copilot.main import app
from copilot_api.settings import ApiSettings
from copilot_projections.settings import ProjectorSettings
from copilot_service import ServiceSettings, read_settings
from copilot_streams.clusters import parse_clusters
from copilot_streams.kafka import topics_of_the_line
from copilot_streams.relay.settings import RelaySettings
from copilot_streams.scrapers.settings import ScraperSettings
from copilot_streams.worker.settings import WorkerSettings
from copilot_workflows.settings import ExplainerSettings, TriggerSettings
from copilot_workflows.worker.settings import AgentsSettings
from tests.infra.components import REPO

COMPOSE: dict[str, Any] = yaml.safe_load((REPO / "docker-compose.yml").read_text())

PROCESSES: dict[str, type[ServiceSettings]] = {
    "scraper": ScraperSettings,
    "worker": WorkerSettings,
    "relay": RelaySettings,
    "projector": ProjectorSettings,
    "api": ApiSettings,
    "explainer": ExplainerSettings,
    "trigger": TriggerSettings,
    "agents": AgentsSettings,
}

# Set for every process, read by those that need them.
SHARED = set(COMPOSE["x-copilot"]["environment"])


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_starts_with_its_variables(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process has complete, valid settings and reads every variable set for it alone."""
    environment: dict[str, str] = COMPOSE["services"][name]["environment"]
    for variable, value in environment.items():
        token = variable == "COPILOT_API_TOKEN"
        monkeypatch.setenv(variable, "0123456789abcdef" if token else value)
    settings = read_settings(PROCESSES[name])
    fields = {f"COPILOT_{field}".upper() for field in type(settings).model_fields}
    ours = {variable for variable in environment if variable.startswith("COPILOT_")}
    assert ours - SHARED <= fields
    every = {f"COPILOT_{f}".upper() for cls in PROCESSES.values() for f in cls.model_fields}
    assert every >= SHARED


def test_every_command_exists() -> None:
    """What the image is told to run is a command of `copilot`."""
    services = COMPOSE["services"]
    for name in (*PROCESSES, "tables"):
        result = CliRunner().invoke(app, [*services[name]["command"].split(), "--help"])
        assert result.exit_code == 0, result.output


def test_the_topics_are_those_of_the_line() -> None:
    """The compose file makes the topics that the processes use, with the same partitions."""
    script: str = COMPOSE["services"]["topics"]["command"][-1]
    made = [line.split()[1:] for line in script.splitlines() if line.startswith("make ")]
    assert made == [[topic.name, str(topic.partitions)] for topic in topics_of_the_line(4)]
    for topic in topics_of_the_line(4):
        for key, value in topic.config.items():
            assert f"--config {key}={value}" in script


def test_the_clusters_file_is_accepted() -> None:
    """The clusters file inside the compose file passes the scraper's own check."""
    content: str = COMPOSE["configs"]["clusters"]["content"]
    (cluster,) = parse_clusters(content.encode(), Path("clusters.toml"))
    assert cluster.id == "local"
