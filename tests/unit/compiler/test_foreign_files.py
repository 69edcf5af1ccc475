"""Reading what somebody else wrote: how far, and line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.errors import Rejected
from dsql_config.foreign_files import EnvLine, env_lines, read_at_most


def test_a_file_is_read_no_further_than_one_byte_behind_the_limit(tmp_path: Path) -> None:
    """A file at the limit comes whole; a larger one, and an endless one, show that they are."""
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert [read_at_most(path, n) for n in (6, 5, 4)] == [b"12345", b"12345", b"12345"]
    assert read_at_most(path, 3) == b"1234"
    assert len(read_at_most(Path("/dev/zero"), 100)) == 101


@pytest.mark.parametrize("name", ["missing", ".", "a\0b", "x" * 300])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file, a folder, and names that no file can have: where, and one code."""
    with pytest.raises(Rejected, match="cannot be read") as refused:
        read_at_most(tmp_path / name, 10)
    assert (refused.value.code, refused.value.where) == ("unreadable-file", str(tmp_path / name))


def test_lines_are_counted_where_they_begin() -> None:
    """Blank lines, comments and values of several lines before a line move it, and are no lines of
    their own; what is no NAME=VALUE has no name."""
    text = "\n# one\n\nA=1\nB='x\ny' # two\n\n  export C = \"3\"\nif true; then\nD\nE=\n"
    assert [(found.line, found.name, found.value) for found in env_lines(text)] == [
        (4, "A", "1"), (5, "B", "x\ny"), (8, "C", "3"), (9, None, ""), (10, None, ""),
        (11, "E", ""),
    ]  # fmt: skip
    assert [found.written for found in env_lines(text) if found.name is None] == [
        "if true; then", "D",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(("", "# c", "A=1", "B='2'")), max_size=8))
def test_a_line_stands_where_the_text_has_it(lines: list[str]) -> None:
    """Whatever stands between them, every line is told with its own number."""
    found = {e.line: e.written for e in env_lines("\n".join(lines))}
    assert found == {n: text for n, text in enumerate(lines, start=1) if "=" in text}


def test_a_text_without_lines_has_none() -> None:
    """Neither an empty file nor one of comments says anything."""
    assert list(env_lines("")) == list(env_lines("# a\n\n")) == []
    assert next(env_lines("A=1")) == EnvLine(1, "A", "1", "A=1")
