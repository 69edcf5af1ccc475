"""Log lines as templates: which lines are of one kind, and no word of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from copilot_core.samples import LogExcerpt
from copilot_workflows.log_templates import MAX_TEMPLATES, ParameterKind, log_templates
from tests.data.attacks.attacks import attacks, excerpt_of
from tests.data.attacks.planted import planted

LOGS = Path(__file__).parents[2] / "data" / "logs" / "o1-workers-stopped.jsonl.gz"


def lines(*texts: str, service: str = "history") -> list[LogExcerpt]:
    return [
        LogExcerpt(service=service, pattern="deadline_exceeded", untrusted_text=text)
        for text in texts
    ]


def test_lines_that_differ_in_values_are_one_template() -> None:
    """Numbers, durations, addresses, ids, hosts and paths are parameters; so is a word that
    differs."""
    (template,), names = log_templates(
        lines(
            "shard 11 of node-a took 4.5s at 10.0.0.1:7234: deadline exceeded",
            "shard 12 of node-b took 900ms at 10.0.0.2:7234: deadline exceeded",
        )
    )
    assert (template.lines, template.patterns) == (2, ("deadline_exceeded",))
    assert [(p.kind, p.value) for p in template.parameters] == [
        (ParameterKind.NUMBER, "12"),
        (ParameterKind.NAME, "<name-1>"),
        (ParameterKind.DURATION, "0.9 s"),
        (ParameterKind.IP, "<ip-1>"),
    ]
    assert names.restored("<name-1>") == "node-b"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("17", ParameterKind.NUMBER),
        ("-2.5e-3", ParameterKind.NUMBER),
        ("1m30s", ParameterKind.DURATION),
        ("2026-11-23T03:07:30.123Z", ParameterKind.TIME),
        ("01a20437-9200-799a-aad8-aa3bec359640", ParameterKind.UUID),
        ("10.1.2.3:7233", ParameterKind.IP),
        ("db-1.internal.example:5432", ParameterKind.HOST),
        ("/temporal.api.workflowservice.v1.WorkflowService/Poll", ParameterKind.PATH),
        ("password=hunter2", ParameterKind.SECRET),
    ],
)
def test_types_of_parameters(word: str, kind: ParameterKind) -> None:
    """Each kind of value is known by its form."""
    (template,), _ = log_templates(lines(f"seen {word} today"))
    assert [p.kind for p in template.parameters] == [kind]


def test_services_are_kept_apart() -> None:
    """The same line of two services is two templates; a foreign service has a pseudonym."""
    same = "deadline exceeded after 3 attempts"
    made, _ = log_templates([*lines(same), *lines(same, service="order-worker-1")])
    assert [t.service for t in made] == ["history", "<service-1>"]


def test_the_same_lines_give_the_same_templates() -> None:
    """Nothing is kept between calls, and no order is left to chance."""
    with gzip.open(LOGS, "rb") as recorded:
        texts = [line.decode()[:300] for line in recorded]
    made, names = log_templates(lines(*texts))
    assert (made, names) == log_templates(lines(*texts))
    assert 1 < len(made) <= MAX_TEMPLATES
    assert sum(template.lines for template in made) > 0.9 * 500


def test_no_word_of_a_line_is_in_a_template() -> None:
    """Of attacks and planted secrets, nothing but numbers of eight characters at the most."""
    texts = [excerpt_of(attack, n) for n, attack in enumerate(attacks())]
    secrets = [e for p in list(planted())[::5] for e in lines(p.text[:300])]
    for begin in range(0, len(texts), 50):
        made, _ = log_templates(texts[begin : begin + 50])
        shown = [p for t in made for p in t.parameters]
        assert all(len(p.value) <= 12 or p.value.startswith("<") for p in shown)
        assert "ignore" not in orjson.dumps([t.as_json() for t in made]).decode().casefold()
    made, _ = log_templates(secrets)
    assert "hunter2" not in str([t.as_json() for t in made])


def test_nothing_is_nothing() -> None:
    """No line, no template; a line without a token is one."""
    assert log_templates([]) == ((), log_templates([])[1])
    template, *_ = log_templates(lines("", "\u200b"))[0]
    assert (template.lines, template.parameters) == (2, ())
