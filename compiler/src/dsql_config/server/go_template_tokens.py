"""The words of a Go template: texts between actions, and what stands inside `{{` and `}}`.

Each token is a pair of kind and text. Kinds are those of Go's lexer, under the names that `_TOKEN`
gives them; keywords, parentheses and the two delimiters are kinds of their own. Spaces inside an
action are tokens, because `.A .B` and `.A.B` differ.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final

Token = tuple[str, str]

_KEYWORDS: Final = frozenset(
    [
        "block",
        "break",
        "continue",
        "define",
        "else",
        "end",
        "if",
        "nil",
        "range",
        "template",
        "with",
    ]
)

_TERMINATOR: Final = r"(?=[ \t\r\n.,|:()]|\}\}|\Z)"
_NUMBER: Final = (
    r"(?>[-+]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?)i?)(?!\w)"
)
_TOKEN: Final = re.compile(
    rf"""(?P<close>[ \t\r\n]-\}}\}}[ \t\r\n]*|\}}\}}) |(?P<space>[ \t\r\n](?:(?!-\}}\}})[
    \t\r\n])*(?![ \t\r\n]*-\}}\}})|[ \t\r\n]+(?=[ \t\r\n]-\}}\}}))
    |(?P<declare>:=)|(?P<assign>=)|(?P<pipe>\|) |(?P<text>"(?:\\[^\n]|[^"\\\n])*"|`[^`]*`)
    |(?P<variable>\$\w*{_TERMINATOR}) |(?P<char>'(?:\\[^\n]|[^'\\\n])*')
    |(?P<field>\.(?![0-9])\w+{_TERMINATOR}) |(?P<dot>\.{_TERMINATOR})
    |(?P<complex>{_NUMBER}[-+]{_NUMBER}) |(?P<number>(?=[-+.0-9]){_NUMBER})
    |(?P<word>\w+{_TERMINATOR}) |(?P<open>\()|(?P<shut>\)) |(?P<other>[!-/;<>?@\[\\\]^{{}}~])""",
    re.VERBOSE,
)
_OPENING: Final = re.compile(r"\{\{(?P<trim>-[ \t\r\n])?(?P<comment>/\*)?")
_COMMENT_END: Final = re.compile(r"(?>.*?\*/)(?:[ \t\r\n]-\}\}[ \t\r\n]*|\}\})", re.DOTALL)


class Broken(Exception):
    """Go's parser gives up."""


def tokens(text: str) -> Generator[Token, None, None]:
    """The tokens of a template. Raises `Broken` where Go's lexer finds an error."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        piece = text[at : opening.start()]
        if opening["trim"]:
            piece = piece.rstrip(" \t\r\n")
        if piece:
            yield "plain", piece
        if opening["comment"]:
            comment = _COMMENT_END.match(text, opening.end())
            if comment is None:
                raise Broken
            at = comment.end()
        else:
            yield "{{", ""
            at = yield from _action(text, opening.end())
    if text[at:]:
        yield "plain", text[at:]


def _action(text: str, at: int) -> Generator[Token, None, int]:
    """The words of one action; gives back where the text goes on."""
    depth = 0
    while True:
        m = _TOKEN.match(text, at)
        if m is None or m.lastgroup is None:
            raise Broken
        at, kind, word = m.end(), m.lastgroup, m[0]
        if kind == "close":
            if depth:
                raise Broken
            yield "}}", ""
            return at
        if kind in ("open", "shut"):
            depth += 1 if kind == "open" else -1
            if depth < 0:
                raise Broken
            kind = word
        elif kind == "word":
            kind = _word_kind(word)
        yield kind, word


def _word_kind(word: str) -> str:
    if word in _KEYWORDS:
        return word
    if not all(c == "_" or c.isalpha() or c.isdecimal() for c in word):
        raise Broken
    return "bool" if word in ("true", "false") else "word"
