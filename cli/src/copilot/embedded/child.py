"""Child processes that end when we end, also when we are killed.

`kill -9` of a parent leaves its children running. Linux can send a signal to a child when its
parent dies (`PR_SET_PDEATHSIG`); `setpriv`, part of util-linux, asks for it without a fork hook in
Python. The request belongs to the *thread* that forked: start children from a thread that lives
as long as the process. Where `setpriv` is missing (macOS), an orderly exit still ends the children
and only a `kill -9` leaves them behind.

Servers that refuse to run as root (PostgreSQL) run as `nobody`, the one unprivileged account that
every machine has; nothing is created on the machine for it.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from copilot_core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNPRIVILEGED = "nobody"
"""The account that a server refusing root runs as when we are root."""

# Below Linux' range of ephemeral ports (32768 and up): a port that a client could be given as its
# source port may be taken while a server restarts, and a client that keeps dialling its own
# machine on such a port can even connect to itself.
PORTS = range(15_000, 30_000)


@dataclass(frozen=True, slots=True)
class Account:
    """Who a child runs as; the fields are what `subprocess` takes as user and group."""

    uid: int
    gid: int


def account_of_servers() -> Account | None:
    """The account for a server that refuses root; None means our own will do."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def may_reach(account: Account | None, path: Path) -> bool:
    """Whether `account` can walk to `path`: it may enter every folder above it that exists."""
    if account is None:
        return True
    above = [parent.stat() for parent in path.resolve().parents if parent.exists()]
    return all(state.st_mode & 0o001 or state.st_uid == account.uid for state in above)


def tied_to_us(command: Sequence[str]) -> list[str]:
    """`command`, wrapped so that the kernel kills the child when the starting thread dies."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else list(command)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now.

    Raises Unavailable when a hundred random ports were all taken.
    """
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable(
        "no free TCP port found",
        where=f"127.0.0.1, ports {PORTS.start}-{PORTS.stop - 1}",
        todo="end programs that hold them",
    )
