"""A recording: what was seen of one cluster, slot by slot, in a file.

Format. Gzip over lines of UTF-8 JSON. The first line is the header; every further line is exactly
the bytes of one message of the samples topic (`copilot_core.samples.encode`), in slot order, the
sample of a slot before its log sample. So a recording can be played onto the topic, folded without
any broker, and compared byte for byte.

    {"copilot_recording":1,"cluster":"orders","from":1795367070,"to":1795368120,"interval_s":30,
     "installation":{"server":"otel_ms","sdk":"core_ms","dsql":false,"instance_label":"instance"},
     "signals":["frontend_processes",…],"source":"http://prometheus:9090"}

`from` and `to` are the first and the last slot, in Unix seconds. `signals` names the readings in
the order of the samples' signal list. Reading and writing stream: memory does not grow with length.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from copilot_core.errors import Rejected
from copilot_core.guarding.guard import Sink, guard
from copilot_core.samples import (
    MAX_MESSAGE_BYTES,
    ClusterId,
    DeploymentFact,
    Input,
    LogSample,
    Sample,
    Slot,
    decode,
    encode,
    guarded,
)
from copilot_core.signals import SIGNAL_NAMES, Installation

VERSION: Final = 1
MAX_HEADER_BYTES: Final = 1024 * 1024
SOURCE_CHARS: Final = 500


class RecordedInstallation(BaseModel):
    """The dialects that the recorded queries were spelled in; None where a family was not seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str | None
    sdk: str | None
    dsql: bool
    instance_label: str


class Header(BaseModel):
    """The first line of a recording. `source` says in words where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    copilot_recording: Literal[1] = VERSION
    cluster: ClusterId
    from_: Annotated[Slot, Field(alias="from")]
    to: Slot
    interval_s: Annotated[int, Field(ge=5, le=3600)]
    installation: RecordedInstallation
    signals: tuple[str, ...] = SIGNAL_NAMES
    source: Annotated[str, Field(max_length=SOURCE_CHARS)]

    def encode(self) -> bytes:
        """The header line, without its line feed."""
        return orjson.dumps(self.model_dump(mode="json", by_alias=True))


def header_of(
    installation: Installation, *, cluster: str, first: int, last: int, interval_s: int, source: str
) -> Header:
    """The header of a recording from slot `first` to slot `last`; a long `source` is cut."""
    return Header(
        cluster=cluster,
        from_=first,
        to=last,
        interval_s=interval_s,
        installation=RecordedInstallation(
            server=installation.server,
            sdk=installation.sdk,
            dsql=installation.dsql,
            instance_label=installation.instance_label,
        ),
        source=guard(source, Sink.BUNDLE, limit=SOURCE_CHARS),
    )


class RecordingWriter:
    """Writes messages of one cluster in slot order; see `create`."""

    def __init__(self, out: gzip.GzipFile, header: Header) -> None:
        self._out = out
        self._order = _Order(header)
        self.messages = 0
        self._out.write(header.encode() + b"\n")

    def write(self, message: Sample | LogSample) -> None:
        """Append one message; raises `Rejected` when it does not belong here, or not yet."""
        self._order.admit(message)
        if isinstance(message, LogSample):
            message = guarded(message)  # a file is handed on, to others than those who log
        self._out.write(encode(message) + b"\n")
        self.messages += 1


@contextmanager
def create(path: Path, header: Header) -> Generator[RecordingWriter]:
    """Write a recording to `path`; it appears there complete, or not at all.

    Equal messages give equal files: the gzip header carries no name and no time.
    """
    part = path.with_name(path.name + ".part")
    try:
        with (
            part.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out,
        ):
            yield RecordingWriter(out, header)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


class Recording:
    """A recording opened for reading: its header, and its messages one at a time."""

    def __init__(self, lines: Iterator[tuple[int, bytes]], where: str) -> None:
        self._where = where
        self._lines = lines
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Sample | LogSample]:
        """The messages in order. Raises `Rejected`, naming the line, at the first that is wrong."""
        for message, _ in self.with_bytes():
            yield message

    def with_bytes(self) -> Iterator[tuple[Sample | LogSample, bytes]]:
        """As iteration, each message with its line's bytes (without the line feed)."""
        order = _Order(self.header)
        for number, line in self._lines:
            try:
                message = _slotted(decode(line))
                order.admit(message)
            except Rejected as e:
                raise Rejected(
                    e.what,
                    where=f"{self._where} line {number}",
                    todo=e.todo,
                    code=e.code,
                    findings=e.findings,
                ) from e
            yield message, line

    def _read_header(self) -> Header:
        where = f"{self._where} line 1"
        _, line = next(self._lines, (1, b""))
        try:
            return Header.model_validate_json(line)
        except ValidationError as e:
            findings = tuple(
                f"{'.'.join(map(str, f['loc'])) or 'header'}: {f['msg']}"
                for f in e.errors(include_url=False, include_input=False)
            )
            raise Rejected(
                f"not the header of a recording: {findings[0]}",
                where=where,
                code="not_a_recording",
                findings=findings,
                todo="make one with copilot record",
            ) from e


@contextmanager
def open_recording(path: Path) -> Generator[Recording]:
    """Open a recording for streaming.

    Raises `Rejected`: not there, not gzip, broken off, no header, a malformed line (by number).
    """
    try:
        raw = path.open("rb")
    except OSError as e:
        raise Rejected(f"cannot read: {e.strerror}", where=str(path), code="not_a_recording") from e
    with raw, gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
        yield Recording(_lines(unpacked, str(path)), str(path))


def _lines(unpacked: gzip.GzipFile, where: str) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their line feed; no line is read beyond its limit."""
    number, limit = 1, MAX_HEADER_BYTES
    while True:
        try:
            line = unpacked.readline(limit + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as e:
            raise Rejected(
                f"broken gzip: {e}", where=f"{where} line {number}", code="not_a_recording",
                todo="copy the file again; a recording is gzip from its first to its last byte",
            ) from e  # fmt: skip
        if not line:
            return
        if len(line) > limit:
            raise Rejected(
                f"line over {limit} bytes", where=f"{where} line {number}", code="too_large"
            )
        yield number, line.removesuffix(b"\n")
        number, limit = number + 1, MAX_MESSAGE_BYTES + 1


def _slotted(message: Input) -> Sample | LogSample:
    if isinstance(message, DeploymentFact):
        raise Rejected("a deployment fact does not belong into a recording", code="unknown_kind")
    return message


class _Order:
    """Which message may come next: of the header's cluster and slots, and after the last one."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._last: tuple[int, int] | None = None

    def admit(self, message: Sample | LogSample) -> None:
        """Take the next message, or raise `Rejected`."""
        header, slot = self._header, message.slot
        if message.cluster != header.cluster:
            raise Rejected(
                f"cluster {message.cluster!r} in a recording of {header.cluster!r}",
                code="lies_about_cluster",
            )
        if message.interval_s != header.interval_s or not header.from_ <= slot <= header.to:
            raise Rejected(
                f"slot {slot} every {message.interval_s} s is not of this recording"
                f" ({header.from_} to {header.to} every {header.interval_s} s)",
                code="malformed",
            )
        place = (slot, int(isinstance(message, LogSample)))
        if self._last is not None and place <= self._last:
            raise Rejected(
                f"{message.kind} of slot {slot} after slot {self._last[0]}",
                code="out_of_order",
                todo="slots ascend, and the sample of a slot stands before its log sample",
            )
        self._last = place
