"""A folder is written whole or not at all, and never over the files of others."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from copilot_core.errors import Rejected, Unavailable
from dsql_config.artifacts import render
from dsql_config.compiler import compile_profile
from dsql_config.ours import MARKS, foreign
from dsql_config.profile import Request
from dsql_config.writing import write

HEAD = b"# temporal-dsql-config 0.1.0\n"
PROFILE = b'{"compiler_version": "0.1.0"}\n'
OLD = {
    "dynamicconfig.yaml": HEAD + b"old", "profile.json": PROFILE, "compose.yaml": HEAD + b"x: 1\n",
    "ecs/history.json": b'{"family": "temporal-history"}',
}  # fmt: skip
NEW = {
    "dynamicconfig.yaml": HEAD + b"new\n", "profile.json": PROFILE,
    "worker_options.go": b"// temporal-dsql-config 0.1.0\n\0\xff",
    "ecs/services/worker.json": b'{"serviceName": "temporal-worker"}',
}  # fmt: skip
"""Two configurations: two files are in both, two are gone, two are new."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_new_folder_holds_exactly_the_files(tmp_path: Path) -> None:
    """Folders above are made, bytes are kept, nothing else is left anywhere."""
    out = tmp_path / "deep" / "out"
    write(NEW, out)
    assert contents(tmp_path) == {f"deep/out/{path}": content for path, content in NEW.items()}


def test_a_folder_is_as_open_as_any_other(tmp_path: Path) -> None:
    """Others may read the folder as they may read one that was made by hand."""
    (tmp_path / "by-hand").mkdir()
    write(NEW, tmp_path / "out")
    modes = {(tmp_path / name).stat().st_mode for name in ("by-hand", "out")}
    assert len(modes) == 1


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    """What the product wrote before and does not write now is gone; permissions stay."""
    out = tmp_path / "out"
    write(OLD, out)
    out.chmod(0o750)
    write(NEW, out)
    assert contents(tmp_path) == {f"out/{path}": content for path, content in NEW.items()}
    assert out.stat().st_mode & 0o777 == 0o750


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    """The same files written again leave the same bytes."""
    write(NEW, tmp_path / "out")
    write(NEW, tmp_path / "out")
    assert contents(tmp_path / "out") == NEW


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder that was made ahead is used."""
    (tmp_path / "out").mkdir()
    write(NEW, tmp_path / "out")
    assert contents(tmp_path / "out") == NEW


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A link to a folder keeps pointing at it; what it points at is replaced."""
    write(OLD, tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    write(NEW, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "real") == NEW


FOREIGN = ["notes.txt", ".env", "ecs/other.json", "sub/why.md", "why.md", "ecs/worker.json"]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_files_of_others_stay_beside_ours(tmp_path: Path, foreign: str) -> None:
    """The new files are there, those that only the first run wrote are not, the rest is as it was:
    also a file with a name of ours that this run does not write."""
    out = tmp_path / "out"
    write(OLD, out)
    (out / foreign).parent.mkdir(exist_ok=True)
    (out / foreign).write_text("mine")
    write(NEW, out)
    assert contents(tmp_path) == {
        f"out/{path}": content for path, content in {**NEW, foreign: b"mine"}.items()
    }
    assert not list(out.glob(".*-*"))


def test_links_of_others_stay_and_are_not_followed(tmp_path: Path) -> None:
    """A link to a folder of others is not ours, nor is what it leads to."""
    theirs = {"history.json": OLD["ecs/history.json"]}
    write(theirs, tmp_path / "theirs")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ecs").symlink_to(tmp_path / "theirs")
    files = {"dynamicconfig.yaml": HEAD}
    write(files, tmp_path / "out")
    assert (tmp_path / "out" / "ecs").is_symlink()
    assert contents(tmp_path / "theirs") == theirs
    assert (tmp_path / "out" / "dynamicconfig.yaml").read_bytes() == HEAD


def _a_file(path: Path) -> None:
    path.write_text("services: {mine: {}}\n")


def _a_link(path: Path) -> None:
    target = path.with_name("target")
    target.write_bytes(HEAD)
    path.symlink_to(target)


@pytest.mark.parametrize("make", [_a_file, Path.mkdir, _a_link, os.mkfifo])
@pytest.mark.parametrize(
    ("name", "path"), [("dynamicconfig.yaml", "dynamicconfig.yaml"), ("ecs", "ecs/worker.json")]
)
def test_what_others_put_where_ours_has_to_go_is_named(
    tmp_path: Path, name: str, path: str, make: Callable[[Path], None]
) -> None:
    """A file, folder, link or pipe of somebody else is never overwritten; nothing is touched."""
    if name == "ecs" and make is Path.mkdir:
        name = path
        (tmp_path / "ecs").mkdir()
    make(tmp_path / name)
    before = [(p, p.lstat().st_mode) for p in sorted(tmp_path.rglob("*"))]
    with pytest.raises(Rejected, match=name) as refused:
        write({"aaa": b"1", path: b"2"}, tmp_path)
    assert refused.value.code == "foreign-files"
    assert [(p, p.lstat().st_mode) for p in sorted(tmp_path.rglob("*"))] == before


def test_many_files_in_the_way_are_not_all_listed(tmp_path: Path) -> None:
    """A whole project named by mistake gives a short error."""
    for number in range(50):
        (tmp_path / f"file-{number:02}").touch()
    with pytest.raises(Rejected) as refused:
        write({f"file-{number:02}": b"" for number in range(50)}, tmp_path)
    assert "file-00, file-01, file-02, file-03, file-04 and more" in str(refused.value)


def test_files_of_an_adapter_are_replaced_beside_our_profile(tmp_path: Path) -> None:
    """What an adapter of somebody else wrote in the run before may be written anew."""
    write({"profile.json": PROFILE, "its.conf": b"1"}, tmp_path / "out")
    write({"profile.json": PROFILE, "its.conf": b"2"}, tmp_path / "out")
    assert contents(tmp_path / "out") == {"profile.json": PROFILE, "its.conf": b"2"}


@pytest.mark.parametrize("inside", ["", "ecs"])
def test_the_current_folder_is_filled_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """A shell that stands in the folder, or below it, still stands in a folder that is there."""
    out = tmp_path / "out"
    write(OLD, out)
    monkeypatch.chdir(out / inside)
    stands = out.stat().st_ino, Path.cwd().stat().st_ino
    for files in (NEW, {"profile.json": PROFILE}):
        write(files, out)
        assert contents(tmp_path) == {f"out/{path}": content for path, content in files.items()}
        assert (out.stat().st_ino, (out / inside).stat().st_ino) == stands


def test_the_current_folder_may_be_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out .` in a folder that was made for it."""
    monkeypatch.chdir(tmp_path)
    write(NEW, Path())
    assert contents(tmp_path) == NEW


def test_what_an_import_leaves_is_ours(tmp_path: Path) -> None:
    """Python caches a module beside it: the folder is replaced all the same, and the cache goes."""
    out = tmp_path / "out"
    write({"profile.json": PROFILE, "worker_options.py": HEAD + b"LIMIT = 1\n"}, out)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run(
        [sys.executable, "-c", "import worker_options"], cwd=out, env=environment, check=True
    )
    assert list(out.glob("__pycache__/worker_options.*.pyc"))
    inode = out.stat().st_ino
    write(NEW, out)
    assert out.stat().st_ino != inode, "the folder was not replaced as a whole"
    assert contents(out) == NEW
    (out / "mine").touch()
    (out / "__pycache__").mkdir()
    (out / "__pycache__" / "worker_options.cpython-311.pyc").touch()
    write(NEW, out)
    assert contents(out) == {**NEW, "mine": b""}
    assert not (out / "__pycache__").exists()


def test_everything_that_is_written_is_known_as_ours(tmp_path: Path) -> None:
    """Each file of each adapter carries the mark by which it is told from files of others."""
    made = compile_profile(Request(preset="starter", given=())).profile
    assert made is not None
    files = render(made, sdks=(), platforms=())
    assert files.keys() == MARKS.keys()
    write(files, tmp_path / "out")
    assert list(foreign(tmp_path / "out", set())) == []


def test_a_file_in_the_place_is_refused(tmp_path: Path) -> None:
    """A file is not replaced by a folder."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Rejected, match="out is a file") as refused:
        write(NEW, tmp_path / "out")
    assert refused.value.code == "unwritable"
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("place", ["file/out", "x" * 300])
def test_a_place_that_takes_no_folder_is_refused(tmp_path: Path, place: str) -> None:
    """Below a file, or under a name too long, the error tells what, where and what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(Rejected) as refused:
        write(NEW, tmp_path / place)
    assert refused.value.code == "unwritable"
    assert refused.value.what
    assert refused.value.where.startswith(str(tmp_path))
    assert refused.value.todo
    assert contents(tmp_path) == {"file": b""}


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "input/output error"), KeyboardInterrupt()])
def test_a_replacement_that_fails_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """When the new folder cannot take the place of the old one, the old one is back in it.

    The second rename of a replacement fails here; no file system does that on demand.
    """
    write(OLD, tmp_path / "out")
    rename, done = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) == 2:
            raise failure
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises((Unavailable, KeyboardInterrupt)):
        write(NEW, tmp_path / "out")
    assert contents(tmp_path) == {f"out/{path}": content for path, content in OLD.items()}


def test_what_cannot_be_put_back_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When even the old folder cannot return to its place, it is kept beside it, whole."""
    write(OLD, tmp_path / "out")
    rename, done = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) > 1:
            raise OSError(errno.EIO, "input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(Unavailable):
        write(NEW, tmp_path / "out")
    (beside,) = tmp_path.iterdir()
    assert contents(beside) == {f"old/{path}": content for path, content in OLD.items()}


@pytest.mark.parametrize("step", range(1, 2 * len({*OLD, *NEW})))
@pytest.mark.parametrize("failure", [OSError(errno.EIO, "input/output error"), KeyboardInterrupt()])
def test_filling_that_fails_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, failure: BaseException
) -> None:
    """Whichever step fails, every file is as it was, and nothing is left beside them; or, where no
    step is left to fail, the new files are there.

    The steps are the replacements and removals of files; no file system fails them on demand.
    """
    write(OLD, tmp_path)
    (tmp_path / "mine").touch()
    (tmp_path / "compose.yaml").chmod(0o640)
    before = {p: p.stat().st_mode for p in tmp_path.rglob("*")}
    replace, unlink, done = Path.replace, Path.unlink, []

    def counted() -> None:
        done.append(1)
        if len(done) == step:
            raise failure

    def replacing(self: Path, target: Path) -> Path:
        counted()
        return replace(self, target)

    def unlinking(self: Path, *, missing_ok: bool = False) -> None:
        counted()
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(Path, "unlink", unlinking)
    try:
        write(NEW, tmp_path)
    except (Unavailable, KeyboardInterrupt):
        assert contents(tmp_path) == {**OLD, "mine": b""}
        assert {p: p.stat().st_mode for p in tmp_path.rglob("*")} == before
        assert step <= len({*OLD, *NEW})
    else:
        assert contents(tmp_path) == {**NEW, "mine": b""}
        assert step > len({*OLD, *NEW})


def test_what_cannot_be_put_back_into_a_folder_is_kept_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a file cannot return to its place, the copies are kept, and the other files are back."""
    write(OLD, tmp_path)
    (tmp_path / "mine").touch()
    replace, done = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) in (3, 4):  # the third new file, then the first that is put back
            raise OSError(errno.EIO, "input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(Unavailable):
        write(NEW, tmp_path)
    (kept,) = tmp_path.glob(".temporal-dsql-config-*")
    assert (kept / "old/dynamicconfig.yaml").read_bytes() == OLD["dynamicconfig.yaml"]
    assert (tmp_path / "profile.json").read_bytes() == OLD["profile.json"]
    assert (tmp_path / "compose.yaml").read_bytes() == OLD["compose.yaml"]


_AS_NOBODY = """
import os, sys
from pathlib import Path
from dsql_config.writing import write
from copilot_core.errors import Rejected
if os.getuid() == 0:  # root may write anywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    write({"why.md": b"x"}, Path(sys.argv[1]))
except Rejected as e:
    print(e.code, e.exit_code)
"""

_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from dsql_config.writing import write
from copilot_core.errors import Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write({"why.md": b"x", "profile.json": b"x" * 5000}, Path(sys.argv[1]))
except Unavailable as e:
    print(e.exit_code)
"""


def _run(script: str, out: Path) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(out)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_a_folder_without_permission_is_refused() -> None:
    """Somebody who may not write here is told so, with exit code 2, and nothing changes."""
    with tempfile.TemporaryDirectory() as home:  # pytest's own folders may be closed to others
        out = Path(home, "out")
        write(OLD, out)
        Path(home).chmod(0o555)
        try:
            assert _run(_AS_NOBODY, out) == "unwritable 2"
        finally:
            Path(home).chmod(0o755)
        assert contents(Path(home)) == {f"out/{path}": content for path, content in OLD.items()}


def test_a_folder_below_a_closed_one_is_filled() -> None:
    """A mounted folder, or one in a place that only others may write to, cannot be renamed."""
    with tempfile.TemporaryDirectory() as home:
        out = Path(home, "out")
        write(OLD, out)
        for folder, mode in ((out, 0o777), (out / "ecs", 0o777), (Path(home), 0o555)):
            folder.chmod(mode)
        try:
            assert _run(_AS_NOBODY, out) == ""
        finally:
            Path(home).chmod(0o755)
        assert contents(Path(home)) == {"out/why.md": b"x"}


def test_a_disk_that_takes_no_more_leaves_the_old_folder(tmp_path: Path) -> None:
    """A write that fails half-way leaves the old files whole and no new ones beside them."""
    write(OLD, tmp_path / "out")
    assert _run(_ON_A_FULL_DISK, tmp_path / "out") == "75"
    assert contents(tmp_path) == {f"out/{path}": content for path, content in OLD.items()}
    (tmp_path / "out" / "mine").touch()
    assert _run(_ON_A_FULL_DISK, tmp_path / "out") == "75"
    assert contents(tmp_path / "out") == {**OLD, "mine": b""}
