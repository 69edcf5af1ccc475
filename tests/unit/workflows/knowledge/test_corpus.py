"""Packing pages, reading them back, and files that are not what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from copilot_workflows.knowledge.corpus import (
    Corpus,
    corpus_of,
    extended,
    pack,
    read_folder,
    read_packed,
    write_packed,
)
from tests.unit.workflows.knowledge.pages_of import FRUIT, page, text_of


def packed(folder: Path, data: bytes) -> Path:
    """A file with these bytes."""
    path = folder / "knowledge.jsonl"
    path.write_bytes(data)
    return path


def test_what_was_packed_is_read_back(tmp_path: Path) -> None:
    """The same pages, the same digest, the same bytes again."""
    read = read_packed(packed(tmp_path, pack(FRUIT)))
    assert read.pages == FRUIT.pages
    assert pack(read) == pack(FRUIT)


def test_the_order_of_pages_does_not_matter() -> None:
    """Pages are put in order of their paths."""
    assert pack(corpus_of(reversed(FRUIT.pages))) == pack(FRUIT)


def test_a_folder_is_read_with_everything_below_it(tmp_path: Path) -> None:
    """Paths are those below the folder; its README is no page."""
    (tmp_path / "topics").mkdir()
    (tmp_path / "README.md").write_text("about this folder")
    (tmp_path / "topics" / "apples.md").write_text(text_of("Apples"))
    assert [p.path for p in read_folder(tmp_path)] == ["topics/apples.md"]


def test_a_page_takes_the_place_of_one_with_its_name() -> None:
    """An installation's own page wins over the shipped one; the others stay."""
    shipped = extended(FRUIT, [page("topics/jam.md", "Jam", "[Apples](../apples.md)")])
    own = page("ours/apples.md", "Our apples", "[Jam](jam.md)")  # links go by names
    both = extended(shipped, [own])
    assert both.by_name["apples"] == own
    assert set(both.by_name) == set(shipped.by_name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json\n",
        b"{}\n",
        pack(FRUIT).replace(b"Red and round", b"Blue and round"),
        b"\n".join(pack(FRUIT).splitlines()[:-1]),
        pack(FRUIT).splitlines()[0],
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, data: bytes) -> None:
    """Nothing half read: a file is what was packed, or it is none."""
    with pytest.raises(Rejected) as refused:
        read_packed(packed(tmp_path, data))
    assert "copilot kb build" in refused.value.todo


def test_a_packed_file_is_judged_again(tmp_path: Path) -> None:
    """Who packs by himself gets no secret past the door."""
    poisoned = Corpus((page("a.md", "A", "password=hunter2hunter2"),))
    with pytest.raises(Rejected) as refused:
        read_packed(packed(tmp_path, pack(poisoned)))
    assert refused.value.code == "page_refused"


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    """A folder that does not exist is a mistake of the caller, no defect."""
    with pytest.raises(Rejected, match="cannot be written"):
        write_packed(tmp_path / "nowhere" / "knowledge.jsonl", FRUIT)


def test_folders_without_pages_and_other_encodings_are_refused(tmp_path: Path) -> None:
    """Named by the path."""
    with pytest.raises(Rejected, match="no pages"):
        read_folder(tmp_path)
    (tmp_path / "a.md").write_bytes("äpfel".encode("latin-1"))
    with pytest.raises(Rejected, match="UTF-8"):
        read_folder(tmp_path)


def test_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    """One finding per file."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text("# no front matter\n")
    with pytest.raises(Rejected) as refused:
        read_folder(tmp_path)
    assert [f.split(":")[0] for f in refused.value.findings] == ["a.md", "b.md"]
