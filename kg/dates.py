"""Dates known to the day, the month or the year: ``2024-02-22``, ``2024-02`` or ``2024``."""

from __future__ import annotations

import calendar
import re
from datetime import date

PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def parse_partial(text: str) -> tuple[int, int | None, int | None]:
    """Return (year, month or None, day or None); raises ValueError for anything that is no such date."""
    match = PARTIAL.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a date: write 2024-02-22, 2024-02 or 2024.")
    year, month, day = (int(part) if part else None for part in match.groups())
    date(year or 1, month or 1, day or 1)
    return year or 1, month, day


def first_day(text: str) -> date:
    """Return the first day that a partial date may mean."""
    year, month, day = parse_partial(text)
    return date(year, month or 1, day or 1)


def last_day(text: str) -> date:
    """Return the last day that a partial date may mean."""
    year, month, day = parse_partial(text)
    month = month or 12
    return date(year, month, day or calendar.monthrange(year, month)[1])
