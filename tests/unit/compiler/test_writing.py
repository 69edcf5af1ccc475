"""A folder is written whole or not at all, and never over the files of others."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from copilot_core.errors import Rejected, Unavailable
from dsql_config.writing import write

OLD = {"dynamicconfig.yaml": b"old", "ecs/history.json": b"{}", "compose.yaml": b"x: 1\n"}
NEW = {"dynamicconfig.yaml": b"new\n", "why.md": b"# Why\n", "worker_options.go": b"\0\xff"}


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


@pytest.mark.parametrize("foreign", ["notes.txt", ".env", "ecs/other.json", "sub/why.md"])
def test_foreign_files_stop_it(tmp_path: Path, foreign: str) -> None:
    """A file that somebody else put there is named, and nothing is touched."""
    out = tmp_path / "out"
    write(OLD, out)
    (out / foreign).parent.mkdir(exist_ok=True)
    (out / foreign).write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(Rejected, match=foreign) as refused:
        write(NEW, out)
    assert refused.value.code == "foreign-files"
    assert contents(tmp_path) == before


def test_a_foreign_link_stops_it(tmp_path: Path) -> None:
    """A link to a folder of others is a foreign file too, and is not followed."""
    write({"kept": b"1"}, tmp_path / "theirs")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "linked").symlink_to(tmp_path / "theirs")
    with pytest.raises(Rejected, match="linked"):
        write(NEW, tmp_path / "out")
    assert contents(tmp_path / "theirs") == {"kept": b"1"}


def test_many_foreign_files_are_not_all_listed(tmp_path: Path) -> None:
    """A whole project named by mistake gives a short error."""
    for number in range(50):
        (tmp_path / f"file-{number:02}").touch()
    with pytest.raises(Rejected) as refused:
        write(NEW, tmp_path)
    assert "file-00, file-01, file-02, file-03, file-04 and more" in str(refused.value)


def test_the_current_folder_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that stands in the folder would stand in a removed one."""
    write(OLD, tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(Rejected, match="runs inside of it"):
        write(NEW, Path())
    assert contents(tmp_path / "out") == OLD


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


def test_a_disk_that_takes_no_more_leaves_the_old_folder(tmp_path: Path) -> None:
    """A write that fails half-way leaves the old files whole and no new ones beside them."""
    write(OLD, tmp_path / "out")
    assert _run(_ON_A_FULL_DISK, tmp_path / "out") == "75"
    assert contents(tmp_path) == {f"out/{path}": content for path, content in OLD.items()}
