"""The text of a YAML file, as the server's reader gives it to the server's parser.

Theory of operation. A byte order mark tells UTF-16 from UTF-8; a byte that is neither, or a control
character, refuses the file once the parser gets there. `Text.refused` holds that error together
with the text before it, because a document may end earlier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BOM: Final = "\ufeff"

_RAW_CHUNK_BYTES: Final = 512
"""yaml.v3 decodes its input in chunks of this size: a bad byte is seen with its whole chunk."""

_FORBIDDEN: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


class BadYaml(ValueError):
    """The server cannot parse the file at all: `message`, with line and column counted from 1."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, cut short before `refused` where there is such an error."""

    text: str
    refused: BadYaml | None = None


def read_text(data: bytes) -> Text:
    """The text of `data`, without its byte order mark."""
    encoding, bom = "utf-8", b""
    for name, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        if data.startswith(mark):
            encoding, bom = name, mark
    if data.startswith(b"\xef\xbb\xbf"):
        bom = data[:3]
    body = data[len(bom) :]
    error: BadYaml | None = None
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as e:
        text = body[: e.start].decode(encoding)
        error = BadYaml(f"byte {e.start} is not {encoding.upper()}", text.count("\n") + 1)
    bad = _FORBIDDEN.search(text)
    if bad is not None:
        text = text[: bad.start()]
        error = BadYaml(
            f"control character {bad[0]!r} is not allowed in YAML", text.count("\n") + 1
        )
    if error is None:
        return Text(text)
    seen = (len(text.encode()) // _RAW_CHUNK_BYTES) * _RAW_CHUNK_BYTES
    return Text(text.encode()[:seen].decode("utf-8", "ignore"), error)
