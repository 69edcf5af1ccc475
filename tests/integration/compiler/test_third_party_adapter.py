"""An adapter of somebody else: built, installed and found like any other distribution.

Each test works in a process of its own, whose path also holds the installed distribution, because
a process looks at the distributions on its path once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.components import REPO

SOURCES = REPO / "tests" / "packages" / "worker-settings-adapter"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example was installed from its sources."""
    home = tmp_path_factory.mktemp("third-party")
    sources = shutil.copytree(SOURCES, home / "sources")
    target = home / "installed"
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
    subprocess.run([*command, "--target", str(target), str(sources)], check=True, timeout=120)
    return target


def _with(path: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Python with one more folder of distributions."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _distribution(folder: Path, name: str, offers: str, module: str) -> None:
    """A distribution of one module, laid out as an installer leaves it."""
    info = folder / f"{name}-0.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.9\n")
    (info / "entry_points.txt").write_text(f"[dsql_config.sdk_adapters]\n{offers}\n")
    (folder / f"{name}.py").write_text(module)


_COMPILE = """
import sys
from copilot_core.errors import CopilotError
from dsql_config.artifacts import render
from dsql_config.compiler import compile_profile
from dsql_config.profile import Request
try:
    files = render(compile_profile(Request(preset="starter")).profile, sdks=sys.argv[1:])
except CopilotError as e:
    print(type(e).__name__, e)
else:
    sys.stdout.write(files["worker_settings.json"].decode() + "\\0" + files["why.md"].decode())
"""


def test_one_file_and_one_line_are_an_adapter(installed: Path, tmp_path: Path) -> None:
    """The installed example is chosen by name, writes its file, and why.md tells its account."""
    done = _with(installed, "-c", _COMPILE, "settings", cwd=tmp_path)
    settings, _, page = done.stdout.partition("\0")
    assert json.loads(settings)["workers.activity_slots"] == 50, done.stderr
    assert "**settings**: `worker_settings.json`." in page
    assert "`workers.graceful_stop_s` is left out: the service manager" in page


def test_it_passes_the_shared_suite_in_its_own_tests(installed: Path, tmp_path: Path) -> None:
    """Its own test run, which knows nothing of ours, holds it to the laws of all adapters."""
    tests = tmp_path / "test_conformance.py"
    shutil.copy(SOURCES / "tests" / "conformance.py", tests)
    pytest_ = ("-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests))
    done = _with(installed, *pytest_, cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
        ("", "cannot be loaded: AttributeError"),
        ("class ADAPTER: name = 'other'", "calls itself 'other'"),
        ("class ADAPTER: name = 'broken'", "has no method `render`"),
        (
            "class ADAPTER:\n name = 'broken'\n def render(profile): return 1 / 0",
            "failed: ZeroDivisionError",
        ),
        (
            "from dsql_config.adapters.protocol import Rendered\n"
            "class ADAPTER:\n name = 'broken'\n"
            " def render(profile): return Rendered({'../x': b'1'}, frozenset())",
            "writes '../x', which is no path below the output folder",
        ),
        (
            "from dsql_config.adapters.protocol import Rendered\n"
            "class ADAPTER:\n name = 'broken'\n"
            " def render(profile): return Rendered({'dsql.env': b'1'}, frozenset())",
            "writes dsql.env, where the folder holds something else",
        ),
    ],
)
def test_a_broken_adapter_is_named(tmp_path: Path, module: str, told: str) -> None:
    """Whatever is wrong with somebody's adapter is told with its name, as a defect of theirs."""
    _distribution(tmp_path, "theirs", "broken = theirs:ADAPTER", module)
    done = _with(tmp_path, "-c", _COMPILE, "broken", cwd=tmp_path)
    assert done.stdout.startswith("Defect adapter 'broken'"), done.stderr
    assert told in done.stdout


def test_a_broken_adapter_harms_nobody_else(tmp_path: Path, installed: Path) -> None:
    """Another adapter that is asked for by name is not even aware of the broken one."""
    _distribution(tmp_path, "theirs", "broken = theirs:ADAPTER", "raise SystemExit('no')")
    both = Path(f"{tmp_path}{os.pathsep}{installed}")
    done = _with(both, "-c", _COMPILE, "settings", cwd=tmp_path)
    assert done.stdout.startswith("{"), done.stderr


def test_two_of_one_name_are_told(tmp_path: Path) -> None:
    """A name that two distributions offer is refused with both, and not decided by the path."""
    for name in ("first", "second"):
        _distribution(tmp_path, name, f"broken = {name}:ADAPTER", "")
    done = _with(tmp_path, "-c", _COMPILE, "broken", cwd=tmp_path)
    assert "offered by first 0.9 and by second 0.9" in done.stdout or (
        "offered by second 0.9 and by first 0.9" in done.stdout
    ), done.stderr
