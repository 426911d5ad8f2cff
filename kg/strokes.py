"""Lines from box to box: how they bow, where they start and end, and how thick they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Spot(Protocol):
    """A box on paper, by its middle and its size."""

    @property
    def x(self) -> float: ...  # noqa: D102
    @property
    def y(self) -> float: ...  # noqa: D102
    @property
    def width(self) -> float: ...  # noqa: D102
    @property
    def height(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Curve:
    """A quadratic curve from a box's border to another's, and where its middle is."""

    start: tuple[float, float]
    bend: tuple[float, float]
    end: tuple[float, float]

    @property
    def middle(self) -> tuple[float, float]:
        """Where its label goes."""
        x, y = (self.start[i] / 4 + self.bend[i] / 2 + self.end[i] / 4 for i in (0, 1))
        return x, y


def curve_between(source: Spot, target: Spot, bend: float) -> Curve:
    """Return the curve from one box to another that passes ``bend`` beside the straight way; a loop for one box."""
    if source is target:
        left, top = source.x - source.width / 2, source.y - source.height / 2
        return Curve((left + 14, top), (left - 22, top - 26), (left, top + 12))
    dx, dy = target.x - source.x, target.y - source.y
    far = math.hypot(dx, dy) or 1.0
    control = ((source.x + target.x) / 2 - dy / far * bend, (source.y + target.y) / 2 + dx / far * bend)
    return Curve(border(source, control, 1.0), control, border(target, control, 2.5))


def border(box: Spot, towards: tuple[float, float], gap: float) -> tuple[float, float]:
    """Return where the line from a box's middle leaves the box."""
    dx, dy = towards[0] - box.x, towards[1] - box.y
    across = (box.width / 2 + gap) / abs(dx) if dx else math.inf
    along = (box.height / 2 + gap) / abs(dy) if dy else math.inf
    part = min(across, along)
    return (box.x + dx * part, box.y + dy * part) if math.isfinite(part) else (box.x, box.y)


def stroke_width(confidence: float) -> float:
    """Return how thick the line of an edge is."""
    return 0.7 + 1.9 * max(0.0, min(1.0, confidence))


def is_straight(curve: Curve) -> bool:
    """Whether a curve might as well be a line."""
    (x0, y0), (xc, yc), (x1, y1) = curve.start, curve.bend, curve.end
    return abs((x1 - x0) * (yc - y0) - (y1 - y0) * (xc - x0)) < 1.0


def meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Whether two areas (left, top, right, bottom) share any ground."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
