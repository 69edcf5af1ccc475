"""Bring what the tests need and this machine lacks: `python -m tests.infra.setup`.

    step              how                                              where it goes
    Java and Maven    apt-get install (as root)                        the machine
    Kafka             mvn dependency:copy-dependencies                 .cache/kafka-4.3.1/libs
    class archive     one start and stop of that broker                .cache/kafka-4.3.1/*.jsa
    Prometheus        apt-get download, unpacked and not installed     .cache/prometheus

Prometheus is unpacked and not installed because Debian's package starts a server of its own.
Every step does nothing when its result is there, so a second run takes a second. A step that fails
says why; the exit code is 1 when CI is set and 0 elsewhere, where the tests that need the component
are skipped, each saying what is missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra.components import (
    CACHE,
    FILES,
    KAFKA_HOME,
    PROMETHEUS_HOME,
    Missing,
    kafka_files,
    prometheus_files,
    required,
)
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


_STEPS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("Java", bring_java),
    ("Kafka", bring_kafka),
    ("Kafka's classes", bring_class_archive),
    ("Prometheus", bring_prometheus),
)


def main() -> int:
    """Run every step, one after the other, and say how each ended."""
    CACHE.mkdir(exist_ok=True)
    failed = 0
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two checkouts never share a cache, two runs may
        for name, bring in _STEPS:
            try:
                print(f"[setup] {name}: {bring()}", flush=True)
            except (Missing, RuntimeError) as error:
                failed += 1
                print(f"[setup] {name}: MISSING: {error}", flush=True)
    if failed and not required():
        print("[setup] tests that need a missing component will be skipped", flush=True)
    return 1 if failed and required() else 0


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
