"""Reads the dynamic-config registries of the supported Temporal servers into `server/data`.

Theory of operation. A server's registry is what its packages put there when they are initialised,
so the only complete reading is from inside a program linked with the same packages. For each
release this script makes a throw-away Go module that requires exactly what the release requires,
copies `reader/` into it, adds blank imports of everything that the server's main package imports,
and builds. The binary's `dump` is the registry; its `validate` is the server's own loader, against
which `check` is tested. `compact.py` then joins the dumps into the stored form.

    python extract.py --binaries DIR                             build what is missing, write the data
    python extract.py --binaries DIR --release 1.32.1 --build-only

Needs Go (the version that the newest release asks for) and its module cache or proxy; takes some
five minutes a release on two cores the first time. Nothing here runs when the product runs.
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
from collections.abc import Iterator
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

REGISTERING_PACKAGES: Final = (
    f'{{{{range .Imports}}}}{{{{if eq . "{DYNAMIC_CONFIG}"}}}}{{{{$.Dir}}}}{{{{"\\n"}}}}{{{{end}}}}{{{{end}}}}'
    f'{{{{if eq .ImportPath "{DYNAMIC_CONFIG}"}}}}{{{{.Dir}}}}{{{{"\\n"}}}}{{{{end}}}}'
)
"""Template for `go list`: the folder of each package that can register a setting."""


def main(arguments: list[str]) -> None:
    """Build the readers that are missing, then dump all of them into the data file."""
    options = _options(arguments)
    options.binaries.mkdir(parents=True, exist_ok=True)
    dumps: dict[str, dict[str, Any]] = {}
    for release in options.release or RELEASES:
        binary = options.binaries.absolute() / f"validate-{release}"
        with _module(release) as module:
            if not binary.exists():
                _build(module, binary)
            dumps[release] = _dump(module, binary)
        print(f"{release}: {len(dumps[release]['settings'])} settings")  # noqa: T201
    if not options.build_only:
        write_data(dumps, DATA)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("--binaries", type=Path, required=True, help="where validate-RELEASE go")
    parser.add_argument("--release", action="append", choices=RELEASES, help="only these")
    parser.add_argument("--build-only", action="store_true", help="leave the data as it is")
    options = parser.parse_args(arguments)
    if options.release and not options.build_only:
        parser.error("the data holds all releases: --release needs --build-only")
    return options


@contextmanager
def _module(release: str) -> Iterator[Path]:
    """A Go module with the build list of the server's own: its requirements plus the release."""
    cache = Path(tempfile.gettempdir())
    source = Path(json.loads(_go("mod", "download", "-json", f"{MODULE}@v{release}", cwd=cache))["Dir"])
    with tempfile.TemporaryDirectory(prefix="server-registry-") as name:
        module = Path(name)
        own = (source / "go.mod").read_text()
        renamed = re.sub(r"^module .*$", "module registryreader", own, count=1, flags=re.MULTILINE)
        (module / "go.mod").write_text(f"{renamed}\nrequire {MODULE} v{release}\n")
        shutil.copy(source / "go.sum", module / "go.sum")
        for file in sorted((HERE / "reader").glob("*.go")):
            shutil.copy(file, module / file.name)
        imports = _go("list", "-f", '{{join .Imports "\\n"}}', f"{MODULE}/cmd/server", cwd=module)
        (module / "imports.go").write_text(_blank_imports(imports.split()))
        yield module


def _blank_imports(paths: list[str]) -> str:
    lines = "\n".join(f'\t_ "{path}"' for path in paths)
    return f"package main\n\nimport (\n{lines}\n)\n"


def _build(module: Path, binary: Path) -> None:
    """Link the reader; releases without a YamlLoader type key their registry by plain strings."""
    loader = Path(_go("list", "-f", "{{.Dir}}", DYNAMIC_CONFIG, cwd=module).strip()) / "yaml_loader.go"
    tags = "" if loader.exists() else "string_keys"
    flags = ("-p", "2", "-trimpath", "-ldflags=-s -w", "-tags", tags)
    _go("build", *flags, "-o", str(binary), ".", cwd=module)


def _dump(module: Path, binary: Path) -> dict[str, Any]:
    folders = _go("list", "-deps", "-f", REGISTERING_PACKAGES, f"{MODULE}/cmd/server", cwd=module)
    done = subprocess.run(
        [binary, "dump", *sorted(set(folders.split()))], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


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
