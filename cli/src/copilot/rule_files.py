"""Rule overlays as files: the one place of the command line that opens them."""

from __future__ import annotations

from pathlib import Path

from copilot_core.errors import Rejected
from copilot_core.rules import RulePack, load_rules


def read_rules(path: Path | None) -> RulePack:
    """The default pack, or the pack with an overlay file on top.

    Raises `Rejected` for a file that cannot be read or is not a valid overlay.
    """
    if path is None:
        return RulePack.default()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise Rejected(f"cannot be read: {e}", where=str(path), code="bad_rules") from e
    return load_rules(text, where=str(path))
