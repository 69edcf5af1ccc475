"""Rows know what was loaded, what changed and what goes, so that a batch writes just that."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from copilot_core.errors import Defect
from copilot_projections.shape import Rows, Table, columns_of
from copilot_projections.statements import of_build
from copilot_projections.views import VIEWS


@dataclass(frozen=True, slots=True)
class Fruit:
    """A row with a key of two columns."""

    tree: str
    number: int
    colour: str


FRUIT = Table("fruit", Fruit, key=("tree", "number"))


def test_loaded_rows_are_known_and_not_written() -> None:
    """What came from the table and stayed as it was costs no write."""
    rows = Rows()
    rows.load(FRUIT, [Fruit("apple", 1, "red")])
    rows.put(FRUIT, Fruit("apple", 1, "red"))
    assert rows.get(FRUIT, "apple", 1) == Fruit("apple", 1, "red")
    assert rows.written(FRUIT) == []
    assert rows.changes() == 0


def test_changed_and_new_rows_are_written_in_order_of_the_key() -> None:
    """Two writers of the same rows touch them in the same order, so they cannot dead-lock."""
    rows = Rows()
    rows.load(FRUIT, [Fruit("pear", 1, "green")])
    rows.put(FRUIT, Fruit("pear", 1, "yellow"))
    rows.put(FRUIT, Fruit("apple", 2, "red"))
    rows.put(FRUIT, Fruit("apple", 1, "red"))
    assert [(r.tree, r.number) for r in rows.written(FRUIT)] == [
        ("apple", 1),
        ("apple", 2),
        ("pear", 1),
    ]
    assert rows.changes() == 3


def test_row_put_and_deleted_in_one_batch_never_reaches_the_table() -> None:
    """Only a row that the table holds has to be deleted there."""
    rows = Rows()
    rows.load(FRUIT, [Fruit("pear", 1, "green")])
    rows.put(FRUIT, Fruit("apple", 1, "red"))
    rows.delete(FRUIT, "apple", 1)
    rows.delete(FRUIT, "pear", 1)
    assert rows.written(FRUIT) == []
    assert rows.deleted == {"fruit": {("pear", 1)}}


def test_row_deleted_and_put_again_is_written() -> None:
    """The last word counts."""
    rows = Rows()
    rows.load(FRUIT, [Fruit("pear", 1, "green")])
    rows.delete(FRUIT, "pear", 1)
    rows.put(FRUIT, Fruit("pear", 1, "yellow"))
    assert rows.written(FRUIT) == [Fruit("pear", 1, "yellow")]
    assert rows.deleted == {"fruit": set()}


def test_prune_keeps_the_latest_limit() -> None:
    """Later limits forget more; an earlier one that comes late takes nothing back."""
    rows = Rows()
    for limit in (10, 30, 20):
        rows.prune(FRUIT, "orders", limit)
    assert rows.pruned == {"fruit": {"orders": 30}}


def test_columns_are_in_the_order_of_the_fields() -> None:
    """Statements bind one list per column, in the order of the row's fields."""
    rows = [Fruit("apple", 1, "red"), Fruit("pear", 2, "green")]
    assert columns_of(FRUIT, rows) == [["apple", "pear"], [1, 2], ["red", "green"]]
    assert columns_of(FRUIT, []) == [[], [], []]


def test_build_is_part_of_every_table_name_and_checked() -> None:
    """A statement speaks of the tables of one build; what is no build id never gets into SQL."""
    sql = of_build("clusters", "one", "1_2")
    assert "view_clusters__1_2" in sql
    assert "__build" not in sql
    for bad in ("1", "1_2; DROP TABLE x", "0_1", "", "1_2\n"):
        with pytest.raises(Defect, match="no build id"):
            of_build("clusters", "one", bad)


def test_shape_tells_whose_build_it_is() -> None:
    """A build is read only by a program that knows its shape."""
    view = VIEWS["clusters"]
    assert view.reads(f"{view.shape}_17")
    assert not view.reads(f"{view.shape + 1}_17")
    assert not view.reads(f"{view.shape}7_1")
