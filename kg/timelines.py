"""When evidence was published, as SVG: one dot a piece, for above the line and against below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from html import escape

from kg.colours import LIGHT, THEMES
from kg.dates import first_day
from kg.lettering import clean
from kg.pictures import FONT

WIDE, SIDE, DOT, TOP, FOOT = 880.0, 18.0, 4.0, 16.0, 26.0
MOST = 14  # dots in one column; what is above is counted


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of evidence: when, for or against (SUPPORTS, CONTRADICTS, INCONCLUSIVE), in words, and where to read on."""

    date: str
    direction: str
    text: str
    href: str


def timeline(events: Iterable[Event], theme: str = "light") -> str:
    """Return the timeline of some events; nothing for none."""
    events = sorted(events, key=lambda event: (event.date, event.text))
    if not events:
        return ""
    colours = THEMES.get(theme, LIGHT)
    first, last = first_day(events[0].date).year, first_day(events[-1].date).year + 1
    columns = _columns(events, first, last)
    above = max(len(up) for up, _ in columns.values())
    below = max(len(down) for _, down in columns.values())
    pitch = 2 * DOT + 1.5
    zero = TOP + min(above, MOST) * pitch
    high = zero + min(below, MOST) * pitch + FOOT
    said = f"{len(events)} piece{'s' * (len(events) != 1)} of evidence, {events[0].date} to {events[-1].date}"
    parts = [
        f'<path class="kg-line" d="M{SIDE:g} {zero:.1f}H{WIDE - SIDE:g}" stroke="{colours.line}" stroke-width="1.5"/>'
    ]
    parts += _years(first, last, zero, high, colours.muted, colours.line)
    for x, (up, down) in sorted(columns.items()):
        parts += _stack(up, x, zero, -pitch, colours.supports, colours.muted)
        parts += _stack(down, x, zero, pitch, colours.contradicts, colours.muted)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kg-timeline" viewBox="0 0 {WIDE:g} {high:.1f}" width="{WIDE:g}" height="{high:.0f}" '
        f'font-family="{FONT}" font-size="11" role="group" aria-label="{said}"><title>{said}</title>{"".join(parts)}</svg>'
    )


def _columns(events: list[Event], first: int, last: int) -> dict[float, tuple[list[Event], list[Event]]]:
    columns: dict[float, tuple[list[Event], list[Event]]] = defaultdict(lambda: ([], []))
    step = 2 * DOT + 2
    for event in events:
        x = _x(first_day(event.date), first, last)
        columns[SIDE + round((x - SIDE) / step) * step][event.direction == "CONTRADICTS"].append(event)
    return columns


def _x(day: date, first: int, last: int) -> float:
    passed = day.year + (day.timetuple().tm_yday - 1) / 366 - first
    return SIDE + passed / (last - first) * (WIDE - 2 * SIDE)


def _years(first: int, last: int, zero: float, high: float, ink: str, line: str) -> list[str]:
    step = max(1, round((last - first) / 14))
    parts = []
    for year in range(first, last + 1, step):
        x = _x(date(year, 1, 1), first, last)
        anchor = "end" if x > WIDE - 34 else "start" if x < 34 else "middle"
        parts.append(
            f'<path class="kg-line" d="M{x:.1f} {zero - 3:.1f}v6" stroke="{line}"/>'
            f'<text class="kg-muted" x="{x:.1f}" y="{high - 8:.1f}" text-anchor="{anchor}" fill="{ink}">{year}</text>'
        )
    return parts


def _stack(events: list[Event], x: float, zero: float, pitch: float, colour: str, muted: str) -> list[str]:
    dots = [_dot(event, x, zero + (i + 0.5) * pitch, colour) for i, event in enumerate(events[:MOST])]
    left = len(events) - MOST
    if left > 0:
        y = zero + MOST * pitch + (10 if pitch > 0 else -4)
        dots.append(
            f'<text class="kg-muted" x="{x:.1f}" y="{y:.1f}" font-size="9" text-anchor="middle" fill="{muted}">+{left}</text>'
        )
    return dots


def _dot(event: Event, x: float, y: float, colour: str) -> str:
    said = escape(clean(event.text))
    name = "kg-against" if event.direction == "CONTRADICTS" else "kg-for"
    hollow = event.direction == "INCONCLUSIVE"
    paint = (
        f'class="kg-edge" fill="none" stroke="{colour}" stroke-width="1.5"'
        if hollow
        else f'class="{name}" fill="{colour}"'
    )
    return (
        f'<a href="{escape(event.href)}" role="link" aria-label="{said}"><title>{said}</title>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT - 0.5 * hollow:g}" {paint}/></a>'
    )
