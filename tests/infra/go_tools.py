"""Go's toolchain: building programs once, and asking the compiler and the Compose loader.

    asked                    answers
    GoSdk.vet, GoSdk.run     whether Go code fits the Temporal SDK, and what it prints
    composed                 what Compose makes of a file

Programs are built for the speed of building: without inlining and debug information, and with a
compiler that collects its garbage rarely. Measured on the SDK's packages, that takes 47 s of
processor time instead of 80 s; optimising less still saves nothing more. Without cgo no C compiler
is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.infra.components import CACHE, FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

SDK_SOURCES: Final = FILES / "go_sdk"
SDK_MODULE: Final = "worker.test"
"""The module that Go sources given to `GoSdk` belong to; packages in folders import each other."""

BUILD_FLAGS: Final = ("-trimpath", "-gcflags=all=-l -dwarf=false", "-ldflags=-s -w")

# Compiling the SDK takes under a minute, and only where setup has not done it.
_WITHIN_S: Final = 600.0


class Refused(Exception):
    """The compiler, the program or the loader said no; the text is what it said."""


def go_environment() -> dict[str, str]:
    """The environment for every `go` command: the user's, less what would change the outcome.

    A flag of the user's could ask for vendored modules; a toolchain other than the chosen one is
    never fetched; a workspace above a temporary folder would hide its module.
    """
    home = os.environ.get("HOME") or str(CACHE / "home")
    return {
        **os.environ,
        "HOME": home,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOGC": "400",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


@dataclass(frozen=True, slots=True)
class GoSdk:
    """The Go SDK of Temporal, to try Go sources against; needs a Go toolchain.

    Sources are file names (`worker_options.go`, `options/worker_options.go`) with their text.
    """

    go: Path

    def vet(self, sources: Mapping[str, str], folder: Path) -> None:
        """Compile the sources and look for what compiles and is wrong; raises Refused."""
        self._go("vet", sources, folder, "./...")

    def run(self, sources: Mapping[str, str], folder: Path) -> str:
        """What the `main` package in the sources' top folder prints; raises Refused."""
        return self._go("run", sources, folder, ".")

    def _go(self, verb: str, sources: Mapping[str, str], folder: Path, packages: str) -> str:
        for name in ("go.mod", "go.sum"):
            shutil.copy(SDK_SOURCES / name, folder)
        for name, text in sources.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return _said((str(self.go), verb, *BUILD_FLAGS, packages), folder, go_environment())


def composed(
    compose_check: Path, file: Path, *, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The project that a Compose file describes, with defaults and variables filled in.

    Variables are `environment` and those of a `.env` file beside the file. Raises Refused for a
    file that Compose refuses or warns of.
    """
    variables = dict(environment or {})
    return json.loads(_said((str(compose_check), str(file)), file.parent, variables))


def _said(command: tuple[str, ...], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout
