"""What a page must be, and that everything wrong with it is said at once."""

from __future__ import annotations

import pytest

from copilot_core.errors import Rejected
from copilot_workflows.knowledge.pages import MAX_CHARS, check, findings, parse
from tests.unit.workflows.knowledge.pages_of import FRUIT, page, runbook, text_of


def test_a_page_has_front_matter_sections_and_a_name() -> None:
    """The part before the first heading has no heading; the title is not repeated in it."""
    read = page("topics/apples.md", "Apples", "Red.\n\n## Storage\n\nCool.\n\n## Eating\n\nRaw.")
    assert read.name == "apples"
    assert [(s.heading, s.text) for s in read.sections] == [
        ("", "Red."), ("Storage", "Cool."), ("Eating", "Raw."),
    ]  # fmt: skip
    assert read.body.startswith("# Apples\n")


def test_a_heading_in_a_fenced_block_begins_no_section() -> None:
    """A comment in a shell block looks like one."""
    read = page("apples.md", "Apples", "## Storage\n\n```sh\n## not a heading\nls\n```\n\nCool.")
    assert [s.heading for s in read.sections] == ["", "Storage"]


def test_line_endings_of_windows_are_read() -> None:
    """The same page."""
    text = text_of("Apples", "## Storage\n\nCool.")
    assert parse("a.md", text.replace("\n", "\r\n")) == parse("a.md", text)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("# Apples\n", "no front matter"),
        ("---\ntitle: [\n---\n\n# Apples\n", "no YAML"),
        ("---\ntitle: Apples\n---\n\n# Apples\n", "summary: Field required"),
        (text_of("Apples").replace("sources", "source"), "source: Extra inputs"),
        (text_of("Apples", cause="Workers gone"), "cause: String should match"),
        ("---\n- a\n---\n\n# Apples\n", "front matter: Input should be"),
    ],
)
def test_a_page_without_its_shape_is_refused(text: str, finding: str) -> None:
    """The page and the mistake are named."""
    with pytest.raises(Rejected) as refused:
        parse("apples.md", text)
    assert any(f.startswith("apples.md: ") and finding in f for f in refused.value.findings)


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("aws_access_key_id=AKIA" + "QYZ7TESTK3Y2WXAB", "line 10: holds a secret"),
        ("postgresql://admin:hunter2hunter2@db.example.com/x", "holds a secret"),
        ("Look at rate(service_errors[5m]).", "line 10: a query"),
        ('Look at temporal_num_pollers{poller_type="x"}.', "a query"),
        ("Look at sum by (instance) (x).", "a query"),
        ("Read [more](nowhere.md).", "the link nowhere.md leads to no page"),
        ("plums " * (MAX_CHARS // 5), "at the most"),
    ],
)
def test_a_page_that_must_not_be_served_is_refused(body: str, finding: str) -> None:
    """Secrets, queries, dead links and novels; the secret is not repeated."""
    found = findings([page("apples.md", "Apples", body)])
    assert len(found) == 1
    assert found[0].startswith("apples.md: ")
    assert finding in found[0]
    assert "hunter2" not in found[0]


def test_links_and_prose_that_look_like_queries_pass() -> None:
    """Links to pages, headings and the web; a rate in brackets is prose."""
    body = "A low rate (`--rps`). [Pears](fruit/pears.md#storage), [this](#a), [web](https://a.b/)"
    pears = page("fruit/pears.md", "Pears", "[Apples](../apples.md)")
    assert findings([page("apples.md", "Apples", body), pears]) == ()


def test_a_runbook_says_what_is_safe_and_what_is_not() -> None:
    """Sections that are missing or in another order are named; so is a wrong file name."""
    whole = runbook("workers/absent", "Nobody picks")
    assert findings([whole]) == ()
    unsafe = parse(whole.path, whole.text.replace("## Unsafe actions", "## Other"))
    assert findings([unsafe]) == (
        "workers-absent.md: a runbook without Unsafe actions, or with nothing there",
    )
    text = whole.text.replace("## Checks", "## X").replace("## Symptoms", "## Checks")
    swapped = parse(whole.path, text.replace("## X", "## Symptoms"))
    assert "another order" in findings([swapped])[0]
    assert "is called workers-absent.md" in findings([parse("pickers.md", whole.text)])[0]


def test_names_and_titles_are_kept_apart() -> None:
    """Two pages of one name, a name with blanks, a heading that is not the title."""
    twice = [page("a/apples.md", "Apples"), page("b/apples.md", "Apples")]
    assert findings(twice) == ("apples: 2 pages have this name",)
    assert "lower-case words" in findings([page("My Apples.md", "Apples")])[0]
    renamed = parse("apples.md", text_of("Apples").replace("# Apples", "# Pears"))
    assert "not its title" in findings([renamed])[0]


def test_everything_wrong_is_told_at_once() -> None:
    """Two pages with a mistake each make two findings."""
    with pytest.raises(Rejected) as refused:
        check([*FRUIT.pages, page("x.md", "X", "[a](b.md)"), page("y.md", "Y", "[a](b.md)")])
    assert len(refused.value.findings) == 2
