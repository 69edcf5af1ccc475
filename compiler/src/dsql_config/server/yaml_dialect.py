"""A dynamic-config file as the server's loader decodes it, before any setting is looked at.

Theory of operation. The loader gives yaml.v3 a Go type to fill:

    FILE         map of key -> ENTRIES
    ENTRIES      list of ENTRY
    ENTRY        struct {constraints: CONSTRAINTS, value: ANY}
    CONSTRAINTS  map of name -> ANY

and yaml.v3 decides by node and type. A node that does not fit refuses the whole file; a null where
a struct or a name is wanted, and a field that the struct does not have, are dropped without a word.
`decode` does the same over the nodes of `yaml_nodes`: same merges, same duplicate rule (text and
kind of the key, not its meaning), same limit on alias expansion, so that its work is bounded as the
server's is. Every refusal is collected; the few that stop yaml.v3 at once stop here, too.

The walk is a stack of generators instead of recursion: a chain of aliases may be as deep as it
likes.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum, auto
from typing import Any, Final

from dsql_config.server.decoded import AnyKeyMap, Decoded, Entry, Key, Problem, Trouble
from dsql_config.server.yaml_nodes import ALIAS, MAPPING, SCALAR, SEQUENCE, Node, parse
from dsql_config.server.yaml_scalars import (
    BINARY,
    MERGE,
    NULL,
    STR,
    BadScalar,
    Scalar,
    Timestamp,
    resolve,
)
from dsql_config.server.yaml_text import BadYaml

_ALIASES_FREE: Final = 100
_DECODES_FREE: Final = 1000
_RATIO_LOW: Final = 400_000
_RATIO_HIGH: Final = 4_000_000
"""yaml.v3's limit: of up to 400,000 decoded nodes 99 % may come from aliases, of 4 million 10 %."""


def decode(data: bytes) -> Decoded:
    """The file as the server's loader sees it. Never raises for what a file may contain."""
    try:
        parsed = parse(data)
    except BadYaml as e:
        where = f", column {e.column}" if e.column else ""
        return Decoded((), (Problem(Trouble.NOT_YAML, e.line, "", f"{e.message}{where}"),))
    decoder = _Decoder()
    if parsed.root is not None:
        decoder.file(parsed.root)
    if parsed.ignored_from_line is not None:
        decoder.problem(
            Trouble.TEXT_AFTER_DOCUMENT,
            parsed.ignored_from_line,
            "everything behind the first document is ignored",
        )
    return Decoded(tuple(decoder.keys.values()), tuple(decoder.problems))


class _Shape(Enum):
    FILE = auto()
    ENTRIES = auto()
    ENTRY = auto()
    CONSTRAINTS = auto()
    ANY = auto()
    NAME = auto()


_WANTED: Final = {
    _Shape.FILE: "a mapping of setting names",
    _Shape.ENTRIES: "a list of {value, constraints}",
    _Shape.ENTRY: "a mapping with `value` and `constraints`",
    _Shape.CONSTRAINTS: "a mapping of constraint names",
    _Shape.NAME: "a plain name",
}

_Result = tuple[bool, Any]
_Step = Generator[Any, Any, _Result]
_NOTHING: Final[_Result] = (False, None)


_MAX_PROBLEMS: Final = 1_000
"""A file with so many refusals is not read to its end: the verdict stands, and nobody reads on."""


class _Enough(Exception):
    """The file has shown enough refusals."""


class _Stop(Exception):
    """yaml.v3 gives up at once."""

    def __init__(self, trouble: Trouble, node: Node, message: str) -> None:
        self.problem = (trouble, node.line, message)
        super().__init__(message)


class _Decoder:
    """yaml.v3's decoder for the loader's type; state as in the original, one file each."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.problems: list[Problem] = []
        self._key = ""
        self._decodes = 1
        self._from_aliases = 0
        self._alias_depth = 0
        self._open_aliases: set[Node] = set()
        self._merged: set[Any] | None = None

    def file(self, root: Node) -> None:
        """Runs the whole walk, collecting into `keys` and `problems`."""
        steps = [self._node(root, _Shape.FILE, None)]
        answer: Any = None
        try:
            while steps:
                try:
                    steps.append(steps[-1].send(answer))
                    answer = None
                except StopIteration as done:
                    steps.pop()
                    answer = done.value
        except _Stop as stop:
            trouble, line, message = stop.problem
            self.problems.append(Problem(trouble, line, self._key, message))
        except _Enough:
            pass
        self._key = ""

    def problem(self, trouble: Trouble, line: int, message: str, name: str = "") -> None:
        self.problems.append(Problem(trouble, line, self._key, message, name))
        if trouble.refuses and len(self.problems) >= _MAX_PROBLEMS:
            raise _Enough

    def _count(self, node: Node) -> None:
        self._decodes += 1
        if not self._alias_depth:
            return
        self._from_aliases += 1
        if self._from_aliases <= _ALIASES_FREE or self._decodes <= _DECODES_FREE:
            return
        if self._from_aliases / self._decodes > _allowed_ratio(self._decodes):
            raise _Stop(Trouble.BAD_ALIAS, node, "too much of the document comes from aliases")

    def _node(self, node: Node, shape: _Shape, into: Any) -> _Step:
        """Decodes `node` as `shape`; `into` is what a merge adds to. False: nothing was set."""
        self._count(node)
        if node.kind == ALIAS:
            return (yield from self._alias(node, shape, into))
        if node.kind == SCALAR:
            return self._scalar(node, shape)
        if node.kind == SEQUENCE:
            return (yield from self._sequence(node, shape))
        return (yield from self._mapping(node, shape, into))

    def _alias(self, node: Node, shape: _Shape, into: Any) -> _Step:
        if node in self._open_aliases or node.target is None:
            raise _Stop(Trouble.BAD_ALIAS, node, f"anchor {node.text!r} contains itself")
        self._open_aliases.add(node)
        self._alias_depth += 1
        result = yield self._node(node.target, shape, into)
        self._alias_depth -= 1
        self._open_aliases.discard(node)
        return result

    def _scalar(self, node: Node, shape: _Shape) -> _Result:
        value: Scalar
        if node.tag == STR:
            value = node.text
        else:
            try:
                _tag, value = resolve(node.tag, node.text)
            except BadScalar as e:
                raise _Stop(Trouble.BAD_SCALAR, node, str(e)) from e
        if shape is _Shape.ANY:
            return True, value
        if shape is _Shape.NAME:
            if value is None:
                return _NOTHING
            return True, value if isinstance(value, str) and node.tag == BINARY else node.text
        if value is None:
            return (shape is not _Shape.ENTRY), None
        return self._misfit(node, shape)

    def _misfit(self, node: Node, shape: _Shape) -> _Result:
        what = f"`{node.text[:40]}`" if node.kind == SCALAR else f"a {node.kind}"
        trouble = Trouble.NOT_A_LIST if shape is _Shape.ENTRIES else Trouble.WRONG_SHAPE
        self.problem(trouble, node.line, f"{what} where {_WANTED[shape]} is needed")
        return _NOTHING

    def _sequence(self, node: Node, shape: _Shape) -> _Step:
        if shape not in (_Shape.ENTRIES, _Shape.ANY):
            return self._misfit(node, shape)
        item = _Shape.ENTRY if shape is _Shape.ENTRIES else _Shape.ANY
        items: list[Any] = []
        for child in node.children:
            if item is _Shape.ANY and child.kind == SCALAR:
                self._count(child)
                done, value = self._scalar(child, item)
            else:
                done, value = yield self._node(child, item, None)
            if done:
                items.append(value)
            elif item is _Shape.ENTRY and child.resolved_tag() == NULL:
                self.problem(Trouble.NULL_DROPPED, child.line, "an empty list item is dropped")
        return True, items

    def _mapping(self, node: Node, shape: _Shape, into: Any) -> _Step:
        if self._has_duplicates(node):
            return _NOTHING
        if shape in (_Shape.ENTRIES, _Shape.NAME):
            return self._misfit(node, shape)
        out = self._container(node, shape) if into is None else into
        merged, self._merged = self._merged, None
        merge: Node | None = None
        for i in range(0, len(node.children), 2):
            key, value = node.children[i], node.children[i + 1]
            if key.is_merge:
                merge = value
            else:
                yield from self._pair(out, key, value, shape, merged)
        self._merged = merged
        if merge is not None:
            yield from self._merge(node, merge, shape, out)
        return True, out

    def _container(self, node: Node, shape: _Shape) -> Any:
        if shape is _Shape.FILE:
            return self.keys
        if shape is _Shape.ENTRY:
            return Entry(line=node.line)
        strings = shape is _Shape.CONSTRAINTS or all(
            key.resolved_tag() in (STR, MERGE) for key in node.children[::2]
        )
        return {} if strings else AnyKeyMap()

    def _has_duplicates(self, node: Node) -> bool:
        """Keys are the same by kind and text: `1` and `"1"` are, `1` and `01` are not."""
        first: dict[tuple[str, str], Node] = {}
        twice = False
        for key in node.children[::2]:
            before = first.setdefault((key.kind, key.text), key)
            if before is not key:
                twice = True
                message = f"{key.text[:80]!r} is already on line {before.line}"
                self.problem(Trouble.DUPLICATE_KEY, key.line, message, key.text)
        return twice

    def _pair(
        self, out: Any, key: Node, value: Node, shape: _Shape, merged: set[Any] | None
    ) -> _Step:
        any_keys = isinstance(out, AnyKeyMap)
        done, name = yield self._node(key, _Shape.ANY if any_keys else _Shape.NAME, None)
        if not done:
            if key.resolved_tag() == NULL:
                self.problem(Trouble.NULL_DROPPED, key.line, "a null key is dropped")
            return _NOTHING
        if isinstance(name, (list, dict, AnyKeyMap)):
            raise _Stop(Trouble.WRONG_SHAPE, key, f"a {key.kind} cannot be a key")
        if merged is not None:
            if _identity(name) in merged:
                return _NOTHING
            merged.add(_identity(name))
        if isinstance(out, Entry):
            return (yield from self._field(out, key, name, value))
        if shape is _Shape.FILE:
            return (yield from self._setting(key, name, value))
        done, item = yield self._node(value, _Shape.ANY, None)
        if done and isinstance(out, AnyKeyMap):
            out.pairs[_identity(name)] = (name, item)
        elif done:
            out[name] = item
        return _NOTHING

    def _setting(self, key: Node, name: str, value: Node) -> _Step:
        self._key = name
        done, entries = yield self._node(value, _Shape.ENTRIES, None)
        self._key = ""
        if done:
            self.keys[name] = Key(name, key.line, entries or [])
        return _NOTHING

    def _field(self, entry: Entry, key: Node, name: str, value: Node) -> _Step:
        if name == "value":
            entry.value_line = value.line
            _done, entry.value = yield self._node(value, _Shape.ANY, None)
        elif name == "constraints":
            _done, constraints = yield self._node(value, _Shape.CONSTRAINTS, None)
            entry.constraints = constraints or {}
        else:
            self.problem(Trouble.UNKNOWN_FIELD, key.line, f"{name[:80]!r} is ignored", name)
        return _NOTHING

    def _merge(self, parent: Node, merge: Node, shape: _Shape, out: Any) -> _Step:
        outer = self._merged
        if outer is None:
            self._merged = set()
            for key in parent.children[::2]:
                done, name = yield self._node(key, _Shape.ANY, None)
                if done and isinstance(name, (list, dict, AnyKeyMap)):
                    raise _Stop(Trouble.BAD_MERGE, key, "merging under a key that is no scalar")
                if done:
                    self._merged.add(_identity(name))
        sources = merge.children if merge.kind == SEQUENCE else [merge]
        for source in sources:
            target = source.target if source.kind == ALIAS else source
            if target is None or target.kind != MAPPING:
                raise _Stop(Trouble.BAD_MERGE, source, "`<<` takes a mapping, or a list of them")
            yield self._node(source, shape, out)
        self._merged = outer
        return _NOTHING


def _identity(value: Any) -> tuple[str, Any]:
    """Go tells 1, 1.0, true and "1" apart."""
    if isinstance(value, Timestamp):
        return "time", value.text
    return type(value).__name__, value


def _allowed_ratio(decodes: int) -> float:
    if decodes <= _RATIO_LOW:
        return 0.99
    if decodes >= _RATIO_HIGH:
        return 0.10
    return 0.99 - 0.89 * ((decodes - _RATIO_LOW) / (_RATIO_HIGH - _RATIO_LOW))
