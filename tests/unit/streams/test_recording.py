"""A recording holds exactly the bytes of its messages, and nothing that is not its own."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

from copilot_core.errors import Rejected
from copilot_core.readings import Missing
from copilot_core.samples import DeploymentFact, LogExcerpt, LogSample, Sample, all_missing, encode
from copilot_core.signals import SIGNAL_NAMES, Installation
from copilot_streams.recorder import in_slot_order
from copilot_streams.recording import Header, create, header_of, open_recording

MessageT = TypeVar("MessageT", Sample, LogSample)

FIRST, LAST = 1_800_000_000, 1_800_000_300
HEADER = header_of(
    Installation("otel_ms", "core_ms", dsql=False),
    cluster="orders",
    first=FIRST,
    last=LAST,
    interval_s=30,
    source="a test",
)


def sample(slot: int, *, cluster: str = "orders", interval_s: int = 30) -> Sample:
    return all_missing(
        Missing.NO_SERIES, cluster=cluster, slot=slot, interval_s=interval_s, source="recording"
    )


def log_sample(slot: int) -> LogSample:
    return LogSample(
        cluster="orders", slot=slot, interval_s=30, counts={"history": {"no_poller": 2}}
    )


def packed(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


def written(path: Path, messages: Iterable[Sample | LogSample]) -> Path:
    with create(path, HEADER) as out:
        for message in messages:
            out.write(message)
    return path


MESSAGES = (sample(FIRST), log_sample(FIRST), sample(FIRST + 30), sample(FIRST + 90))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Header and messages come back equal, each with the bytes that the topic would carry."""
    path = written(tmp_path / "r.jsonl.gz", MESSAGES)
    with open_recording(path) as recording:
        assert recording.header == HEADER
        assert recording.header.signals == SIGNAL_NAMES
        pairs = list(recording.with_bytes())
    assert [message for message, _ in pairs] == list(MESSAGES)
    assert [line for _, line in pairs] == [encode(message) for message in MESSAGES]


def test_lines_are_the_bytes_of_the_messages(tmp_path: Path) -> None:
    """Unpacked, the file is the header's JSON and then the messages' bytes, a line each."""
    path = written(tmp_path / "r.jsonl.gz", MESSAGES)
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert lines[0].startswith(b'{"copilot_recording":1,"cluster":"orders","from":1800000000,')
    assert lines[1:] == [encode(message) for message in MESSAGES]


def test_equal_messages_give_equal_files(tmp_path: Path) -> None:
    """Neither the file's name nor the clock gets into the file."""
    one, two = (written(tmp_path / name, MESSAGES) for name in ("a.gz", "b.gz"))
    assert one.read_bytes() == two.read_bytes()


def test_a_recording_that_breaks_off_while_written_never_appears(tmp_path: Path) -> None:
    """An error while writing leaves neither the file nor a part of it."""
    path = tmp_path / "r.jsonl.gz"
    with pytest.raises(Rejected), create(path, HEADER) as out:
        out.write(sample(FIRST, cluster="others"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (sample(FIRST + 30, cluster="others"), "lies_about_cluster"),
        (sample(FIRST + 60, interval_s=60), "malformed"),
        (sample(LAST + 30), "malformed"),
        (sample(FIRST - 30), "malformed"),
        (sample(FIRST), "out_of_order"),
        (sample(FIRST + 30), "out_of_order"),
    ],
)
def test_a_message_of_elsewhere_is_refused_by_writer_and_reader(
    tmp_path: Path, message: Sample, code: str
) -> None:
    """Another cluster, another interval, outside the range, twice or backwards: refused with the
    reason, by the reader with the line."""
    before = sample(FIRST + 30)
    with create(tmp_path / "w.gz", HEADER) as out:
        out.write(before)
        with pytest.raises(Rejected) as refused:
            out.write(message)
    assert refused.value.code == code
    path = packed(tmp_path / "r.gz", [HEADER.encode(), encode(before), encode(message)])
    with open_recording(path) as recording, pytest.raises(Rejected) as refused:
        list(recording)
    assert refused.value.code == code
    assert refused.value.where.endswith("r.gz line 3")


def test_a_log_sample_before_the_sample_of_its_slot_is_out_of_order(tmp_path: Path) -> None:
    """The sample of a slot stands first: a fold sees both in one order only."""
    with create(tmp_path / "w.gz", HEADER) as out:
        out.write(log_sample(FIRST))
        with pytest.raises(Rejected):
            out.write(sample(FIRST))


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"{}",
        b"",
        b'{"v":1,"kind":"sample"}',
        b'{"v":2,"kind":"sample"}',
        b"\xff\xfe",
        encode(sample(FIRST + 30))[:-5],
        b" " * 70_000,
        encode(DeploymentFact(cluster="orders", at=FIRST, history_replicas=1)),
    ],
    ids=["text", "empty-object", "empty", "no-body", "version", "binary", "cut", "huge", "fact"],
)
def test_a_malformed_line_is_refused_with_its_number(tmp_path: Path, line: bytes) -> None:
    """What came before the bad line was read; the bad line ends the reading and is named."""
    path = packed(tmp_path / "r.gz", [HEADER.encode(), encode(sample(FIRST)), line])
    read: list[object] = []
    with open_recording(path) as recording, pytest.raises(Rejected) as refused:
        read.extend(recording)
    assert len(read) <= 1
    assert refused.value.where.endswith("line 3")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text, not gzip",
        gzip.compress(b""),
        gzip.compress(b"{}\n"),
        gzip.compress(b'{"copilot_recording":2}\n'),
        gzip.compress(HEADER.encode().replace(b'"orders"', b'"Not An Id"') + b"\n"),
        gzip.compress(b"x" * 2_000_000),
    ],
    ids=["nothing", "not-gzip", "empty", "no-header", "version", "bad-id", "endless-line"],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    """Opening says what is wrong at once, and names the file."""
    path = tmp_path / "r.gz"
    path.write_bytes(content)
    with pytest.raises(Rejected) as refused, open_recording(path):
        pass
    assert str(path) in refused.value.where


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file is the user's mistake, not a crash."""
    with pytest.raises(Rejected), open_recording(tmp_path / "none.gz"):
        pass


def test_a_file_that_was_cut_is_refused_at_its_end(tmp_path: Path) -> None:
    """A download that broke off is noticed, not taken for a shorter recording."""
    path = written(tmp_path / "r.gz", MESSAGES)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(Rejected) as refused, open_recording(path) as recording:
        list(recording)
    assert refused.value.code == "not_a_recording"


def test_every_finding_of_a_header_is_told() -> None:
    """The header names all its faults at once."""
    with pytest.raises(ValueError, match="2 validation errors"):
        Header.model_validate(HEADER.model_dump(by_alias=True) | {"cluster": "NO", "interval_s": 1})


async def given(messages: Iterable[MessageT]) -> AsyncIterator[MessageT]:
    for message in messages:
        yield message


async def test_logs_are_merged_by_slot() -> None:
    """A slot's sample comes before its log sample; a log sample alone keeps its place."""
    samples = [sample(FIRST), sample(FIRST + 60)]
    logs = [log_sample(slot) for slot in (FIRST, FIRST + 30, FIRST + 60, FIRST + 90)]
    merged = [m async for m in in_slot_order(given(samples), given(logs))]
    assert [(m.slot - FIRST, m.kind) for m in merged] == [
        (0, "sample"), (0, "log_sample"), (30, "log_sample"),
        (60, "sample"), (60, "log_sample"), (90, "log_sample"),
    ]  # fmt: skip
    assert [m async for m in in_slot_order(given(samples), None)] == samples


def test_a_recording_holds_no_secret(tmp_path: Path) -> None:
    """Lines, names and the source are guarded on their way into the file, whoever made them."""
    excerpt = LogExcerpt(service="svc", pattern="p", untrusted_text="password=hunter2 refused")
    message = log_sample(FIRST).model_copy(
        update={"counts": {"bob@example.com": {"p": 1}}, "excerpts": (excerpt,)}
    )
    header = HEADER.model_copy(update={"source": ""})
    path = tmp_path / "r.jsonl.gz"
    with create(path, header) as out:
        out.write(message)
    text = gzip.decompress(path.read_bytes()).decode()
    assert "password=[password] refused" in text
    assert "hunter2" not in text
    assert "bob@" not in text
    source = "http://me:hunter2@prometheus:9090"
    told = header_of(
        Installation("otel_ms", "core_ms", dsql=False),
        cluster="orders", first=FIRST, last=LAST, interval_s=30, source=source,
    )  # fmt: skip
    assert told.source == "http://[credentials]@prometheus:9090"
