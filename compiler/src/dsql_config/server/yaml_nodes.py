"""The node tree of a YAML file, as the server's parser builds it.

Theory of operation. The server's yaml.v3 is a Go port of libyaml, and PyYAML carries libyaml
itself: both agree on nearly every input. `parse` runs libyaml's events into nodes and evens out the
rest, which differential runs against yaml.v3 brought to light:

    input                            libyaml             yaml.v3            here
    BOM at the start of a line       skipped             ordinary text      stands in for itself
    `{a:}`, `[a:,b]`                 error               the text `a:`      `:` stands in for itself
    `[a?b]`                          the text `a?b`      error              error
    `[!x, b]`, `!x[`                 tag `!x`, error     tag `!x,`          `,` escaped in the tag
    a tab before a second comment    error               skipped            a space
    `"\\/"`                           a slash             error              error
    `"\\'"`                           error               a single quote     `\\x27`
    `%YAML 1.2`                      accepted            error              error
    deeper than 10,000               accepted            error              error
    after the first document         never read          two more tokens    two more tokens

"Stands in" means: a private-use character takes its place for libyaml and is put back afterwards.
Not followed: two byte order marks at the very start, which make yaml.v3 skip first letters of
lines, and a whole document `{}` with a mapping behind it on its line, which it ignores. The
parser never follows an alias and never recurses, so time and memory are linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml import events as ev
from yaml import tokens as tk
from yaml.reader import ReaderError

from copilot_core.errors import Unavailable
from dsql_config.server.yaml_scalars import MERGE, STR, resolve, short_tag
from dsql_config.server.yaml_text import BOM, BadYaml, read_text

SCALAR: Final = "scalar"
SEQUENCE: Final = "sequence"
MAPPING: Final = "mapping"
ALIAS: Final = "alias"

MAX_DEPTH: Final = 10_000
"""yaml.v3's max_flow_level and max_indents."""

_MAX_REWRITTEN_CHARS: Final = 5_000_000
"""Each spelling that only yaml.v3 takes costs another parse of the text: some five seconds in all,
then the file counts as refused. At least three are evened out, however long the text is."""

_LOOKAHEAD_TOKENS: Final = 2
"""What yaml.v3 scans beyond the token it looks at, even after the document's end."""

_SLASH_ESCAPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_TAG: Final = re.compile(r"(?:&[0-9A-Za-z_-]+\s+)?!(?!<)[0-9A-Za-z;/?:@&=+$.!~*'()%_-]*(?=,)")
_COMMENT_LINE_BEFORE: Final = re.compile(r"^[ \t]*#[^\n]*\n\s*\Z", re.MULTILINE)
_COMMENT_LINES: Final = re.compile(r"(?:[ \t\r\n]*#[^\n]*)+")
_MARGIN: Final = re.compile(r"^[ \t]+(?=#|\r?$)", re.MULTILINE)
_ONLY_MARKERS: Final = re.compile(r"(?:\s|#[^\n]*|^(?:---|\.\.\.)(?=\s|$))*", re.MULTILINE)


class Node:
    """A YAML node. `tag` is short; untagged nodes carry the tag they resolve to.

    `children` alternates keys and values in a mapping. `target` is the node an alias stands for.
    """

    __slots__ = ("children", "column", "kind", "line", "quoted", "tag", "target", "text")

    def __init__(self, kind: str, tag: str, text: str, mark: yaml.Mark, *, quoted: bool) -> None:
        self.kind = kind
        self.tag = tag
        self.text = text
        self.quoted = quoted
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1
        self.children: list[Node] = []
        self.target: Node | None = None

    @property
    def is_merge(self) -> bool:
        """Whether this is the key `<<`, not quoted."""
        return self.kind == SCALAR and self.text == "<<" and self.tag == MERGE

    def resolved_tag(self) -> str:
        """The tag that decides whether a mapping's keys are all strings."""
        return self.target.resolved_tag() if self.target is not None else self.tag


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's first document; `root` is None for an empty file. From `ignored_from_line` on there
    is text behind it that the server never reads."""

    root: Node | None
    ignored_from_line: int | None = None


class _Rewrite(Exception):
    """libyaml needs another spelling of `start:end` to see what yaml.v3 sees."""

    def __init__(self, start: int, end: int, spelling: str) -> None:
        self.start = start
        self.end = end
        self.spelling = spelling
        super().__init__(start)


def parse(data: bytes) -> Parsed:
    """The first document of `data`. Raises `BadYaml` where the server's parser refuses the file."""
    read = read_text(data)
    stand_ins = _stand_ins(read.text)
    text = read.text.replace(BOM, stand_ins[0])
    for _ in range(max(3, _MAX_REWRITTEN_CHARS // (len(text) + 1000))):
        try:
            return _Composer(text, read.refused, stand_ins).document()
        except _Rewrite as r:
            text = text[: r.start] + r.spelling + text[r.end :]
    raise BadYaml("too many `:` and `\\'` where few parsers take them; quote the scalars otherwise")


def _libyaml(text: str) -> Any:
    """A parser of libyaml. Raises `Unavailable` when PyYAML was built without it."""
    if not yaml.__with_libyaml__:
        raise Unavailable(
            "PyYAML was installed without libyaml",
            where="import yaml",
            todo="install PyYAML from its wheel, or build it with libyaml's headers",
        )
    from yaml.cyaml import CParser  # it cannot be imported without libyaml

    return CParser(text)


def _stand_ins(text: str) -> tuple[str, str]:
    """Two private-use characters that the text does not hold, three bytes each in UTF-8."""
    free = (chr(c) for c in range(0xE000, 0xF8FF) if chr(c) not in text)
    return next(free), next(free)


class _Composer:
    """One pass over libyaml's events."""

    def __init__(self, text: str, cut: BadYaml | None, stand_ins: tuple[str, str]) -> None:
        self._text = text
        self._cut = cut
        self._bom, self._colon = stand_ins
        self._swapped = self._bom in text or self._colon in text
        self._slashes = "\\/" in text
        self._parser = _libyaml(text)
        self._anchors: dict[str, Node] = {}

    def document(self) -> Parsed:
        try:
            self._event()
            start = self._event()
            if isinstance(start, ev.StreamEndEvent):
                if self._cut is not None:
                    raise self._cut
                return Parsed(None)
            if start.version not in (None, (1, 1)):
                raise BadYaml("only %YAML 1.1 is accepted", start.start_mark.line + 1)
            root = self._root()
            return Parsed(root, self._after(self._event()))
        except yaml.MarkedYAMLError as e:
            raise self._refusal(e) from e
        except ReaderError as e:
            raise BadYaml(f"{e.reason} at character {e.position}") from e
        finally:
            self._parser.dispose()

    def _event(self) -> Any:
        return self._parser.get_event()

    def _root(self) -> Node:
        parents: list[Node] = []
        flow, block = 0, 0
        levels: list[tuple[bool, bool]] = []
        while True:
            event = self._event()
            if isinstance(event, (ev.MappingEndEvent, ev.SequenceEndEvent)):
                in_flow, indents = levels.pop()
                flow, block = flow - in_flow, block - indents
                done = parents.pop()
                if not parents:
                    return done
                continue
            node = self._node(event, in_flow=flow > 0)
            if parents:
                parents[-1].children.append(node)
            if not isinstance(event, ev.CollectionStartEvent):
                if not parents:
                    return node
                continue
            level = (bool(event.flow_style), not event.flow_style and not _flush(node, parents))
            levels.append(level)
            flow, block = flow + level[0], block + level[1]
            if flow > MAX_DEPTH or block >= MAX_DEPTH:
                raise BadYaml(f"nested deeper than {MAX_DEPTH}", node.line, node.column)
            parents.append(node)

    def _node(self, event: Any, *, in_flow: bool) -> Node:
        mark = event.start_mark
        if isinstance(event, ev.AliasEvent):
            node = Node(ALIAS, "", event.anchor, mark, quoted=False)
            node.target = self._anchors.get(event.anchor)
            if node.target is None:
                raise BadYaml(f"unknown anchor {event.anchor!r}", node.line, node.column)
            return node
        if event.tag is not None:
            self._check_tag(event, in_flow=in_flow)
        if isinstance(event, ev.ScalarEvent):
            node = self._scalar(event, in_flow=in_flow)
        else:
            kind = SEQUENCE if isinstance(event, ev.SequenceStartEvent) else MAPPING
            tag = event.tag if event.tag not in (None, "!") else None
            default = "!!seq" if kind == SEQUENCE else "!!map"
            node = Node(kind, short_tag(tag) if tag else default, "", mark, quoted=False)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, *, in_flow: bool) -> Node:
        text, mark = event.value, event.start_mark
        plain = not event.style
        if plain and in_flow and "?" in text:
            raise BadYaml("'?' inside a plain scalar of a flow collection", mark.line + 1)
        if self._slashes and event.style == '"':
            source = self._text[mark.index : event.end_mark.index]
            if _SLASH_ESCAPE.search(source):
                raise BadYaml("unknown escape '\\/' in a quoted scalar", mark.line + 1)
        if self._swapped:
            text = text.replace(self._bom, BOM).replace(self._colon, ":")
        if event.tag not in (None, "!"):
            tag = short_tag(event.tag)
        elif not plain:
            tag = STR
        else:
            tag = MERGE if text == "<<" else resolve("", text)[0]
        return Node(SCALAR, tag, text, mark, quoted=not plain)

    def _check_tag(self, event: Any, *, in_flow: bool) -> None:
        """To yaml.v3 a comma is part of a tag, also in a flow collection."""
        if in_flow:
            index = event.start_mark.index
            m = _TAG.match(self._text, index)
            if m is not None:
                raise _Rewrite(m.end(), m.end() + 1, "%2C")

    def _refusal(self, e: yaml.MarkedYAMLError) -> Exception:
        mark = e.problem_mark or e.context_mark
        problem = e.problem or e.context or "not YAML"
        if mark is None:
            return BadYaml(problem)
        rewrite = self._other_spelling(e.context, problem, mark.index)
        if rewrite is not None:
            return rewrite
        context = f" {e.context}" if e.context else ""
        return self._cut or BadYaml(f"{problem}{context}", mark.line + 1, mark.column + 1)

    def _other_spelling(self, context: str | None, problem: str, index: int) -> _Rewrite | None:
        """The spelling under which libyaml accepts what yaml.v3 accepts as it is."""
        char = self._text[index : index + 1]
        if context == "while scanning a plain scalar" and problem == "found unexpected ':'":
            return _Rewrite(index, index + 1, self._colon)
        if context in ("while scanning a tag", "while parsing a tag") and char and char in ",[]":
            return _Rewrite(index, index + 1, f"%{ord(char):02X}")
        if problem == "found unknown escape character" and self._text.startswith("\\'", index):
            return _Rewrite(index, index + 2, "\\x27")
        if char == "\t" and problem == "found character that cannot start any token":
            lines = _COMMENT_LINES.match(self._text, index)
            if lines is not None and _COMMENT_LINE_BEFORE.search(self._text[:index]):
                spaced = _MARGIN.sub(lambda m: m[0].replace("\t", " "), lines[0])
                return _Rewrite(index, lines.end(), spaced)
        return None

    def _after(self, end: Any) -> int | None:
        """Looks as far behind the document's end as yaml.v3 does; the first line left unread."""
        index = end.end_mark.index
        rest = self._text[index:]
        count = _LOOKAHEAD_TOKENS + (not end.explicit)
        seen = 0
        try:
            for _token in self._tokens(count):
                seen += 1
        except yaml.MarkedYAMLError as e:
            if self._scanned_before(index, e) < count:
                raise
        if self._cut is not None and seen < count:
            raise self._cut
        return None if _ONLY_MARKERS.fullmatch(rest) else self._text.count("\n", 0, index) + 1

    def _tokens(self, count: int) -> Iterator[yaml.Token]:
        for _ in range(count):
            token = self._parser.get_token()
            if token is None or isinstance(token, tk.StreamEndToken):
                return
            yield token

    def _scanned_before(self, index: int, e: yaml.MarkedYAMLError) -> int:
        """How many tokens stand between the document's end and the faulty one.

        libyaml reads further than yaml.v3 to tell whether a scalar is a key.
        """
        mark = e.context_mark or e.problem_mark
        if mark is None:
            return 0
        parser = _libyaml(self._text[: mark.index])
        count = 0
        try:
            for token in iter(parser.get_token, None):
                closing = isinstance(token, (tk.BlockEndToken, tk.StreamEndToken))
                count += token.start_mark.index >= index and not closing
        except yaml.MarkedYAMLError:
            pass
        finally:
            parser.dispose()
        return count + (e.context == "while scanning a simple key")


def _flush(node: Node, parents: list[Node]) -> bool:
    """Whether a block sequence stands at its mapping's own column, which opens no indent."""
    return (
        node.kind == SEQUENCE
        and bool(parents)
        and parents[-1].kind == MAPPING
        and parents[-1].column == node.column
    )
