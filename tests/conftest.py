"""Fixtures every test may ask for: real components, and how long Hypothesis looks.

    kafka, postgres          one server each for the whole run; leave them running
    own_kafka, own_postgres  a server of this test alone, to be killed, frozen and restarted
    pg_dsn                   the address of a new, empty database on `postgres`
    topic_suffix             a text that makes topic names on `kafka` this test's own
    prometheus_of(path)      the Prometheus server of a recording (`metrics.om.gz`)
    prometheus_at(targets)   a Prometheus server that scrapes `host:port` by the name of its job
    temporal_server_binary   the Temporal server's program, to be run with a command of its own
    temporal_on(path)        a Temporal server that reads this dynamic config
    kept_temporal            a Temporal server of this test alone that keeps its data when killed
    temporal                 one Temporal server for the whole run; give task queues a name
    go_sdk                   vets and runs Go sources against Temporal's Go SDK
    compose_check            the program that reads Compose files as Compose does

Tests that ask for one get the marker `infra`. A missing component is a skip that names it; with
CI=true it is a failure.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.infra.components import (
    Missing,
    compose_check_file,
    go_file,
    kafka_files,
    prometheus_files,
    required,
    temporal_server_file,
)
from tests.infra.go_tools import GoSdk
from tests.infra.kafka import Kafka
from tests.infra.postgres import Postgres
from tests.infra.prometheus import Prometheus, ScrapingPrometheus
from tests.infra.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Found = TypeVar("Found")

_REAL_COMPONENTS = {
    "kafka", "own_kafka", "postgres", "own_postgres", "pg_dsn", "prometheus_of",
    "prometheus_at",
    "temporal_server_binary", "temporal_on", "kept_temporal", "temporal", "go_sdk", "compose_check",
}  # fmt: skip

# No deadline: a busy machine is not a falsified law. "fast" is a taste for every check, "standard"
# is what the whole test run takes its time for, "long" is the proof, run when a law or a rule
# changes.
_alike = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("fast", _alike, max_examples=50)
settings.register_profile("standard", _alike, max_examples=1_000)
settings.register_profile("long", _alike, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by what a test asks for, so that nobody has to remember it."""
    for item in items:
        if _REAL_COMPONENTS & set(getattr(item, "fixturenames", ())):
            item.add_marker("infra")


def _found(where: Callable[[], Found]) -> Found:
    try:
        return where()
    except Missing as missing:
        reason = str(missing)
    if required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One Kafka broker for the whole run; give topics a `topic_suffix`."""
    with Kafka(_found(kafka_files), tmp_path_factory.mktemp("kafka") / "home") as server:
        yield server


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """A Kafka broker of this test alone."""
    with Kafka(_found(kafka_files), tmp_path / "own-kafka") as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the whole run."""
    with Postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test alone."""
    with Postgres() as server:
        yield server


@pytest.fixture
def pg_dsn(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database that only this test uses."""
    name = postgres.create_database()
    yield postgres.dsn(name)
    postgres.drop_database(name)


@pytest.fixture
def topic_suffix() -> str:
    """What to append to a topic name on the shared broker, e.g. `.3f9a1c0b`."""
    return f".{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def prometheus_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Path], Prometheus]]:
    """Gives the running server of a gzip-compressed OpenMetrics file; one server per file."""
    servers: dict[Path, Prometheus] = {}
    with ExitStack() as running:

        def of(recording: Path) -> Prometheus:
            if recording not in servers:
                home = tmp_path_factory.mktemp("prometheus")
                server = Prometheus(_found(prometheus_files), home, recording=recording)
                servers[recording] = running.enter_context(server)
            return servers[recording]

        yield of


@pytest.fixture
def prometheus_at(tmp_path: Path) -> Iterator[Callable[[Mapping[str, str]], ScrapingPrometheus]]:
    """Starts a server that scrapes these targets every few seconds; each call is a new server."""
    with ExitStack() as running:

        def at(targets: Mapping[str, str]) -> ScrapingPrometheus:
            home = tmp_path / f"prometheus-{uuid.uuid4().hex[:8]}"
            server = ScrapingPrometheus(_found(prometheus_files), home, targets=targets)
            return running.enter_context(server)

        yield at


@pytest.fixture(scope="session")
def temporal_server_binary() -> Path:
    """The Temporal server's program (`validate-dynamic-config`, `start`, ...)."""
    return _found(temporal_server_file)


@pytest.fixture
def temporal_on(
    tmp_path: Path, temporal_server_binary: Path
) -> Iterator[Callable[[Path], Temporal]]:
    """Starts a Temporal server that reads this dynamic-config file; each call is a new server."""
    with ExitStack() as running:

        def on(dynamic_config: Path) -> Temporal:
            home = Path(tempfile.mkdtemp(prefix="temporal-", dir=tmp_path))
            server = Temporal(temporal_server_binary, home, dynamic_config=dynamic_config)
            return running.enter_context(server)

        yield on


@pytest.fixture
def kept_temporal(tmp_path: Path, temporal_server_binary: Path) -> Iterator[Temporal]:
    """A Temporal server of this test alone; killed and started again it has its workflows."""
    with _temporal(temporal_server_binary, tmp_path / "temporal", kept=True) as server:
        yield server


@pytest.fixture(scope="session")
def temporal(
    tmp_path_factory: pytest.TempPathFactory, temporal_server_binary: Path
) -> Iterator[Temporal]:
    """One Temporal server for the whole run; leave it running."""
    home = tmp_path_factory.mktemp("temporal") / "home"
    with _temporal(temporal_server_binary, home) as server:
        yield server


def _temporal(binary: Path, home: Path, *, kept: bool = False) -> Temporal:
    home.mkdir()
    dynamic_config = home / "dynamicconfig.yaml"
    dynamic_config.write_text("{}\n")
    return Temporal(binary, home, dynamic_config=dynamic_config, kept=kept)


@pytest.fixture(scope="session")
def go_sdk() -> GoSdk:
    """Temporal's Go SDK, to try Go sources against."""
    return GoSdk(_found(go_file))


@pytest.fixture(scope="session")
def compose_check() -> Path:
    """The program that `tests.infra.go_tools.composed` asks."""
    return _found(compose_check_file)
