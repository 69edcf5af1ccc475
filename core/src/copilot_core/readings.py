"""A reading is a number or the reason why there is none.

Absence is a value here: no default, no zero, no None. Every place that consumes a reading has to
say what it does when there is none.
"""

from __future__ import annotations

from enum import StrEnum
from math import floor, isfinite, log10


class Missing(StrEnum):
    """Why a reading has no number. The value is the sentence shown to people."""

    NO_SOURCE = "no source"
    """This installation cannot produce the signal (no such metric in its dialect): no loss."""
    ROLE_SILENT = "role not reporting"
    """The role's pulse does not answer, so nothing its rates still say can be believed."""
    NO_SERIES = "no series"
    """The query was answered, with nothing in it."""
    NOT_A_NUMBER = "not a number"
    """The answer was NaN or infinite; a quantile over no observations reads so."""
    SCRAPE_FAILED = "scrape failed"
    """The metrics backend refused or broke off."""
    TIMED_OUT = "timed out"
    """The metrics backend did not answer in time."""
    NO_SAMPLE = "no sample"
    """No sample of this slot arrived: the slot was filled by the watchdog or by a later sample."""


Reading = float | Missing
"""A finite number in the signal's unit, or the reason why there is none."""

SIGNIFICANT_DIGITS = 6
"""Readings are rounded before they are sent, so that what is logged is what was folded."""

CODE_OF: dict[Missing, str] = {
    Missing.NO_SOURCE: "n",
    Missing.ROLE_SILENT: "r",
    Missing.NO_SERIES: "e",
    Missing.NOT_A_NUMBER: "x",
    Missing.SCRAPE_FAILED: "f",
    Missing.TIMED_OUT: "t",
    Missing.NO_SAMPLE: "s",
}
"""One letter per reason, for the compact form in samples and in the log. Never reuse a letter."""

MISSING_OF: dict[str, Missing] = {code: reason for reason, code in CODE_OF.items()}


def reading(value: float) -> Reading:
    """Turn a backend's number into a reading: rounded to 6 significant digits, NaN/Inf missing."""
    if not isfinite(value):
        return Missing.NOT_A_NUMBER
    if value == 0.0:
        return 0.0  # also turns -0.0 into 0.0: both must digest alike
    return round(value, SIGNIFICANT_DIGITS - 1 - floor(log10(abs(value)))) + 0.0


def known(value: Reading) -> bool:
    """True when the reading is a number."""
    return not isinstance(value, Missing)
