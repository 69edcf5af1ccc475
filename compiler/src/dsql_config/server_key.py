"""A key of the server's dynamic config that no parameter writes, explained from the registries."""

from __future__ import annotations

from typing import assert_never

import orjson

from copilot_core.errors import Rejected
from dsql_config.explanation import Explanation
from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS
from dsql_config.plain_text import page, rows
from dsql_config.server.registry import ServerRegistry, dsql_fork_default, in_dsql_fork, presence
from dsql_config.server.setting import Always, ByConstraints, Default, Nil


class ServerKeyExplanation(Explanation):
    """A key as one server has it. Type, scope and default are None where that server does not know
    the key; `versions` are the releases that do."""

    key: str
    server_version: str
    type: str | None
    scope: str | None
    default: str | None
    versions: tuple[str, ...]
    in_dsql_fork: bool | None
    dsql_fork_default: str | None
    """The fork's default where it differs from that of the newest release; None otherwise."""

    def to_text(self) -> str:
        fork = {True: "knows it", False: "does not know it", None: "not known"}[self.in_dsql_fork]
        if self.dsql_fork_default is not None:
            fork += f", default {self.dsql_fork_default}"
        unknown = f"server {self.server_version} does not know it"
        facts = [
            ("type", self.type or unknown),
            ("scope", self.scope or unknown),
            ("default", self.default or unknown),
            ("known to", ", ".join(self.versions)),
            ("DSQL fork", fork),
            ("written by", "no parameter: the compiler leaves the server's default"),
        ]
        return page(f"{self.key}, a key of the server's dynamic config\n{rows(facts)}")


def explain_server_key(name: str, registry: ServerRegistry) -> ServerKeyExplanation:
    """Explain a key, in any case, as one server's registry has it.

    Raises `Rejected` with the nearest name, of a parameter or of a key, when no supported server
    knows it.
    """
    known = presence(name)
    if not known.versions:
        near = nearest(name, (*PARAMETERS, *(s.key for s in registry)))
        raise Rejected(
            f"nothing is called {name!r}",
            where="parameters, server keys, variables and worker options",
            todo=f"did you mean {near}?" if near else "search with `temporal-dsql-config keys`",
            code="unknown-key",
        )
    setting, of_fork = registry.find(name), dsql_fork_default(known.key)
    return ServerKeyExplanation(
        key=known.key,
        server_version=str(registry.version),
        type=setting.kind.value if setting else None,
        scope=setting.scope.value if setting else None,
        default=default_text(setting.default) if setting else None,
        versions=tuple(map(str, known.versions)),
        in_dsql_fork=in_dsql_fork(known.key),
        dsql_fork_default=default_text(of_fork) if of_fork else None,
    )


def default_text(default: Default) -> str:
    """A default as JSON, with the server's exceptions for its own queues."""
    match default:
        case Nil():
            return "none"
        case Always(value=value):
            return _json(value)
        case ByConstraints(rows=rows):
            return ", ".join(_json(v) + (f" for {_json(dict(c))}" if c else "") for c, v in rows)
        case _:
            assert_never(default)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
