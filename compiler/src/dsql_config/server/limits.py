"""How much of a dynamic-config file that somebody else wrote is looked at, and answered.

Theory of operation. Reading is linear, suggesting a key is not cheap: a file of unknown keys alone
would otherwise take a minute. Whoever reads such files holds to the same limits.
"""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 1_048_576
"""Files above 1 MiB are not read; a file that sets every known key twenty times is half as long."""

MAX_SUGGESTIONS: Final = 100
"""Looking for the nearest key takes up to two milliseconds; a file with more unknown keys than this
is another's."""

LONGEST_KEY: Final = 200
"""Letters of an unknown key that are looked at for a suggestion; the longest real one has 80."""
