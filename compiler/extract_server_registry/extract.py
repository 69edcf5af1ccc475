"""Reads the dynamic-config registries of the supported Temporal servers into `server/data`.

Theory of operation. A server's registry is what its packages put there when they are initialised,
so the only complete reading is from inside a program linked with the same packages. For each
release this script makes a throw-away Go module that requires exactly what the release requires,
copies `reader/` into it, adds blank imports of everything that the server's main package imports,
and builds. The binary's `dump` is the registry; its `validate` is the server's own loader, against
which the verdicts of `check` can be tested. `compact.py` then joins the dumps into the stored form.

    extract.py --binaries DIR                                   build, dump, write the data
    extract.py --binaries DIR --release 1.32.1 --build-only     only a validator

Needs Go (the version that the newest release asks for) and its module cache or proxy; takes some
twenty minutes in all on two cores the first time. Nothing here runs when the product runs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from compact import write_data

RELEASES: Final = ("1.27.3", "1.28.1", "1.29.7", "1.30.8", "1.31.4", "1.32.1")
"""For each minor the newest patch that builds with Go 1.26.8 and is served by the module proxy."""

MODULE: Final = "go.temporal.io/server"
DYNAMIC_CONFIG: Final = f"{MODULE}/common/dynamicconfig"
HERE: Final = Path(__file__).parent
DATA: Final = HERE.parent / "src" / "dsql_config" / "server" / "data"

KEYS_OF_UNSERVED_MODULES: Final = {"go.temporal.io/auto-scaled-workers": "workercontroller."}
"""Modules that register settings but that the proxy may not serve in the version that a release
asks for, to the prefix of their keys: those keys are left open for such a release."""


def main(arguments: list[str]) -> None:
    """Build the readers that are missing, then dump all of them into the data file."""
    options = _options(arguments)
    options.binaries.mkdir(parents=True, exist_ok=True)
    dumps: dict[str, dict[str, Any]] = {}
    for release in options.release or RELEASES:
        binary = options.binaries.absolute() / f"validate-{release}"
        with _module(release) as module:
            linked = _linked_packages(module)
            if not binary.exists():
                whole = not options.registering_only and not _unread(linked)
                _build(module, linked, binary, whole=whole)
            dumps[release] = _dump(linked, binary)
        print(f"{release}: {len(dumps[release]['settings'])} settings")  # noqa: T201
    if not options.build_only:
        write_data(dumps, DATA)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("--binaries", type=Path, required=True, help="where validate-RELEASE go")
    parser.add_argument("--release", action="append", choices=RELEASES, help="only these")
    parser.add_argument("--build-only", action="store_true", help="leave the data as it is")
    parser.add_argument("--registering-only", action="store_true", help="link no other packages")
    options = parser.parse_args(arguments)
    if options.release and not options.build_only:
        parser.error("the data holds all releases: --release needs --build-only")
    return options


@contextmanager
def _module(release: str) -> Generator[Path]:
    """A Go module with the build list of the server's own: its requirements plus the release."""
    cache = Path(tempfile.gettempdir())
    source = Path(
        json.loads(_go("mod", "download", "-json", f"{MODULE}@v{release}", cwd=cache))["Dir"]
    )
    with tempfile.TemporaryDirectory(prefix="server-registry-") as name:
        module = Path(name)
        own = (source / "go.mod").read_text()
        renamed = re.sub(r"^module .*$", "module registryreader", own, count=1, flags=re.MULTILINE)
        (module / "go.mod").write_text(f"{renamed}\nrequire {MODULE} v{release}\n")
        shutil.copy(source / "go.sum", module / "go.sum")
        for file in sorted((HERE / "reader").glob("*.go")):
            shutil.copy(file, module / file.name)
        yield module


def _linked_packages(module: Path) -> dict[str, dict[str, Any]]:
    """Every package that the server's main package links, by import path, as `go list` tells it.

    A package that a missing module is needed for has `DepsErrors`; the missing one has `Error`.
    """
    wanted = "-json=ImportPath,Name,Dir,Imports,Error,DepsErrors"
    answer = _go("list", "-e", "-deps", wanted, f"{MODULE}/cmd/server", cwd=module)
    decoder, packages, at = json.JSONDecoder(), {}, 0
    while at < len(answer.rstrip()):
        package, end = decoder.raw_decode(answer, at)
        packages[package["ImportPath"]] = package
        at = end + 1
    return packages


def _registering(linked: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The packages that can be compiled and can register a setting."""
    return [
        package
        for path, package in linked.items()
        if (path == DYNAMIC_CONFIG or DYNAMIC_CONFIG in package.get("Imports", ()))
        and package["Name"] != "main"
        and not {"Error", "DepsErrors"} & package.keys()
    ]


def _unread(linked: dict[str, dict[str, Any]]) -> list[str]:
    """Prefixes of the keys that packages which cannot be compiled would have registered."""
    missing = [path for path, package in linked.items() if "Error" in package]
    prefixes = set()
    for path in missing:
        known = [m for m in KEYS_OF_UNSERVED_MODULES if path.startswith(f"{m}/")]
        if not known:
            sys.exit(f"{path} cannot be had: {linked[path]['Error']['Err']}")
        prefixes.add(KEYS_OF_UNSERVED_MODULES[known[0]])
    return sorted(prefixes)


def _build(module: Path, linked: dict[str, dict[str, Any]], binary: Path, *, whole: bool) -> None:
    """Link the reader with what the server's main package imports, the whole server.

    Where a module is missing (not `whole`): with every package of the server that can register a
    setting and does not need that module. `--registering-only` does so for any release, to prove
    that the registry is the same.
    """
    imports = linked[f"{MODULE}/cmd/server"]["Imports"]
    paths = imports if whole else [package["ImportPath"] for package in _registering(linked)]
    lines = "\n".join(f'\t_ "{path}"' for path in paths)
    (module / "imports.go").write_text(f"package main\n\nimport (\n{lines}\n)\n")
    # Releases without a YamlLoader key their registry by plain strings.
    loader = Path(linked[DYNAMIC_CONFIG]["Dir"]) / "yaml_loader.go"
    tags = "" if loader.exists() else "string_keys"
    flags = ("-p", "2", "-trimpath", "-ldflags=-s -w", "-tags", tags)
    _go("build", *flags, "-o", str(binary), ".", cwd=module)


def _dump(linked: dict[str, dict[str, Any]], binary: Path) -> dict[str, Any]:
    folders = [package["Dir"] for package in _registering(linked)]
    # One default depends on the environment (TEMPORAL_VERSION_CHECK_DISABLED): read without any.
    done = subprocess.run(
        [binary, "dump", *folders], check=True, stdout=subprocess.PIPE, text=True, env={}
    )
    return json.loads(done.stdout) | {"unread": _unread(linked)}


def _go(*arguments: str, cwd: Path) -> str:
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        ["go", *arguments], cwd=cwd, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"go {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
