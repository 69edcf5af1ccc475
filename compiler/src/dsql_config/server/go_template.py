"""Whether a text parses as a template of Go's text/template.

One setting is such a template, and the server warns of one that does not parse. Theory of
operation: `_tokens` cuts the text into actions and their words, `_Parser` is a recursive descent
over them that builds nothing. Both know what Go's parser checks: known functions, declared
variables, balanced control structures, definitions given once. Templates nested deeper than
`_MAX_NESTING` are taken for broken (Go allows 10,000 parentheses).
"""

from __future__ import annotations

import re
from typing import Final

from dsql_config.server.go_template_tokens import Broken, Token, tokens
from dsql_config.server.yaml_scalars import go_integer, is_go_float

_MAX_NESTING: Final = 100

_FUNCTIONS: Final = frozenset(
    [
        "and",
        "call",
        "eq",
        "ge",
        "gt",
        "html",
        "index",
        "js",
        "le",
        "len",
        "lt",
        "ne",
        "not",
        "or",
        "print",
        "printf",
        "println",
        "slice",
        "urlquery",
    ]
)
_OPERANDS: Final = frozenset(
    {"bool", "char", "complex", "dot", "field", "word", "number", "nil", "text", "variable", "("}
)
_LITERALS: Final = frozenset({"bool", "dot", "nil", "number", "char", "complex", "text"})

_ESCAPE: Final = re.compile(
    r"\\(?:[abfnrtv\\]|x[0-9a-fA-F]{2}|[0-3][0-7]{2}"
    r"|u(?!d[89a-f])[0-9a-f]{4}|U(?:0000(?!d[89a-f])|000[1-9a-f]|0010)[0-9a-f]{4})",
    re.IGNORECASE,
)


def is_template(text: str) -> bool:
    """Whether Go's template.Parse takes `text`."""
    try:
        _Parser(list(tokens(text))).template()
    except Broken:
        return False
    return True


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._variables = ["$"]
        self._in_range = 0
        self._depth = 0
        self._defined: set[str] = set()

    def template(self) -> None:
        while (kind := self._peek()) != "eof":
            if kind == "{{" and self._second() == "define":
                self._skip(2)
                self._definition(self._name())
                continue
            if self._node() in ("end", "else"):
                raise Broken

    def _peek(self, *, spaces: bool = False) -> str:
        """The next token's kind, spaces skipped unless they are asked for."""
        while not spaces and self._at < len(self._tokens) and self._tokens[self._at][0] == "space":
            self._at += 1
        return self._tokens[self._at][0] if self._at < len(self._tokens) else "eof"

    def _second(self) -> str:
        at = self._at + 1
        while at < len(self._tokens) and self._tokens[at][0] == "space":
            at += 1
        return self._tokens[at][0] if at < len(self._tokens) else "eof"

    def _skip(self, count: int) -> None:
        for _ in range(count):
            self._take()

    def _take(self, expected: str | None = None) -> Token:
        kind = self._peek()
        if kind == "eof" or (expected is not None and kind != expected):
            raise Broken
        self._at += 1
        return self._tokens[self._at - 1]

    def _name(self) -> str:
        return _unquoted(self._take("text")[1])

    def _definition(self, name: str, *, closed: bool = False) -> None:
        """The body of a `define` or `block`, which is a template of its own."""
        if not closed:
            self._take("}}")
        outer, self._variables = self._variables, ["$"]
        in_range, self._in_range = self._in_range, 0
        start = self._at
        if self._body() != "end":
            raise Broken
        body = self._tokens[start : self._at - 3]
        if any(kind != "plain" or word.strip() for kind, word in body):
            if name in self._defined:
                raise Broken
            self._defined.add(name)
        self._variables, self._in_range = outer, in_range

    def _body(self) -> str:
        """Nodes up to `end` or `else`, which it gives back."""
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise Broken
        while self._peek() != "eof":
            kind = self._node()
            if kind in ("end", "else"):
                self._depth -= 1
                return kind
        raise Broken

    def _node(self) -> str:
        kind, _word = self._take()
        if kind == "plain":
            return "plain"
        if kind != "{{":
            raise Broken
        match word := self._peek():
            case "if" | "with" | "range":
                self._take()
                self._control(word)
            case "end":
                self._take()
                self._take("}}")
            case "else":
                self._take()
                if self._peek() not in ("if", "with"):
                    self._take("}}")
            case "break" | "continue":
                self._take()
                self._take("}}")
                if not self._in_range:
                    raise Broken
            case "template" | "block":
                self._take()
                self._call(word)
            case _:
                self._pipeline("}}")
        return word

    def _call(self, word: str) -> None:
        name = self._name()
        if word == "template" and self._peek() == "}}":
            self._take()
            return
        self._pipeline("}}")
        if word == "block":
            self._definition(name, closed=True)

    def _control(self, word: str) -> None:
        declared = len(self._variables)
        self._pipeline("}}", in_range_clause=word == "range")
        self._in_range += word == "range"
        ending = self._body()
        self._in_range -= word == "range"
        if ending == "else":
            if self._peek() == word and word != "range":
                self._take()
                self._nested_control(word)
            elif self._body() != "end":
                raise Broken
        del self._variables[declared:]

    def _nested_control(self, word: str) -> None:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise Broken
        self._control(word)
        self._depth -= 1

    def _pipeline(self, end: str, *, in_range_clause: bool = False) -> None:
        self._declarations(in_range_clause=in_range_clause)
        commands = 0
        while (kind := self._peek()) != end:
            if kind not in _OPERANDS:
                raise Broken
            first = self._command()
            if commands and first in _LITERALS:
                raise Broken
            commands += 1
        self._take()
        if not commands:
            raise Broken

    def _declarations(self, *, in_range_clause: bool) -> None:
        for count in (1, 2):
            if self._peek() != "variable":
                return
            start = self._at
            name = self._take()[1]
            kind = self._peek()
            if kind in ("declare", "assign"):
                self._take()
                self._variables.append(name)
                return
            if not (kind == "other" and self._tokens[self._at][1] == ","):
                self._at = start
                return
            self._take()
            self._variables.append(name)
            if count == 2 or not in_range_clause or self._peek() not in ("variable", "}}", ")"):
                raise Broken

    def _command(self) -> str:
        """One command with its pipe; gives back the kind of its first operand."""
        first = ""
        while True:
            kind = self._operand()
            first = first or kind
            after = self._peek(spaces=True)
            if after == "space":
                self._at += 1
                continue
            if after == "pipe":
                self._at += 1
            elif after not in ("}}", ")"):
                raise Broken
            if not first:
                raise Broken
            return first

    def _operand(self) -> str:
        kind = self._peek()
        if kind not in _OPERANDS:
            return ""
        word = self._take()[1]
        if kind == "(":
            self._depth += 1
            if self._depth > _MAX_NESTING:
                raise Broken
            self._pipeline(")")
            self._depth -= 1
        elif not self._is_operand(kind, word):
            raise Broken
        chained = False
        while self._peek(spaces=True) == "field":
            self._at += 1
            chained = True
        if chained and kind in _LITERALS:
            raise Broken
        return kind

    def _is_operand(self, kind: str, word: str) -> bool:
        if kind == "word":
            return word in _FUNCTIONS
        if kind == "variable":
            return word in self._variables
        if kind in ("number", "complex"):
            return _is_number(word)
        if kind in ("text", "char"):
            _unquoted(word)
        return True


def _is_number(word: str) -> bool:
    split = re.fullmatch(r"(.*?[^eEpP])([-+].+i)", word)
    if split is not None:
        return is_go_float(split[1]) and is_go_float(split[2][:-1])
    if word.endswith("i") and is_go_float(word[:-1]):
        return True
    if go_integer(word, underscores=True) is not None:
        return True
    return is_go_float(word) and any(c in word for c in ".eEpP")


def _unquoted(word: str) -> str:
    """The text between quotes; a char constant holds exactly one character."""
    quote, inner = word[0], word[1:-1]
    if quote == "`":
        return inner
    rest = _ESCAPE.sub("x", inner).replace(f"\\{quote}", "x")
    if "\\" in rest or (quote == "'" and len(rest) != 1):
        raise Broken
    return inner
