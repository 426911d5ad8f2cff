"""Lines from box to box: how they bow, where they start and end, and how thick they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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


Point = tuple[float, float]
Area = tuple[float, float, float, float]
DOTS = 12  # points looked at along each piece of a curve
LEVEL = 0.45  # how long a curve between columns runs level, as a part of the gap


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubic Bézier curves, one after another, from a box's border to another's: each point on it, then two that pull."""

    points: tuple[Point, ...]

    @property
    def middle(self) -> Point:
        """Where its label goes: the middle of its middle piece."""
        return self._at(len(self.points) // 6, 0.5)

    @property
    def area(self) -> Area:
        """The area that it lies in."""
        dots = [self._at(piece, i / DOTS) for piece in range(len(self.points) // 3) for i in range(DOTS + 1)]
        xs, ys = zip(*dots, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def _at(self, piece: int, t: float) -> Point:
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        points = self.points[3 * piece : 3 * piece + 4]
        x, y = (sum(w * point[axis] for w, point in zip(weights, points, strict=True)) for axis in (0, 1))
        return x, y


def curve_between(source: Spot, target: Spot, bend: float) -> Curve:
    """Return the curve from one box to another that passes ``bend`` beside the straight way.

    For one box it is a loop at a corner: at the left, or at the right for a negative bend, and the wider the more it bends.
    """
    if source is target:
        side = -1 if bend >= 0 else 1
        edge, top, out = source.x + side * source.width / 2, source.y - source.height / 2, abs(bend)
        control = (edge + side * (22 + out), top - 26 - out)
        return _bent((edge - side * (14 + out / 2), top), control, (edge, top + 12))
    dx, dy = target.x - source.x, target.y - source.y
    far = math.hypot(dx, dy) or 1.0
    control = ((source.x + target.x) / 2 - dy / far * bend, (source.y + target.y) / 2 + dx / far * bend)
    return _bent(border(source, control, 1.0), control, border(target, control, 2.5))


def curve_across(source: Spot, target: Spot, between: Sequence[Spot], bend: float) -> Curve:
    """Return the curve from a box in one column to a box in another, level wherever it meets a column.

    ``between`` are the places in the columns on the way. Boxes of one column are joined at their right.
    """
    if abs(source.x - target.x) < (source.width + target.width) / 2:
        x0, x1 = source.x + source.width / 2 + 1.0, target.x + target.width / 2 + 2.5
        out = max(x0, x1) + 44.0 + abs(bend) / 2
        return Curve(((x0, source.y), (out, source.y), (out, target.y), (x1, target.y)))
    side = 1.0 if target.x > source.x else -1.0
    marks = [(source.x + side * (source.width / 2 + 1.0), source.y)]
    for spot in between:
        marks += [(spot.x - side * spot.width / 2, spot.y + bend), (spot.x + side * spot.width / 2, spot.y + bend)]
    marks.append((target.x - side * (target.width / 2 + 2.5), target.y))
    points = marks[:1]
    for (x0, y0), (x1, y1) in pairwise(marks):
        reach = (x1 - x0) * LEVEL
        pull = 0.0 if between else bend
        points += [(x0 + reach, y0 + pull), (x1 - reach, y1 + pull), (x1, y1)]
    return Curve(tuple(points))


def _bent(start: Point, control: Point, end: Point) -> Curve:
    """Return the curve that one point pulls."""
    (x0, y0), (x, y), (x1, y1) = start, control, end
    first, second = (x0 + (x - x0) * 2 / 3, y0 + (y - y0) * 2 / 3), (x1 + (x - x1) * 2 / 3, y1 + (y - y1) * 2 / 3)
    return Curve((start, first, second, end))


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
    (x0, y0), *others, (x1, y1) = curve.points
    return all(abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < 1.0 for x, y in others)


def meet(a: Area, b: Area) -> bool:
    """Whether two areas (left, top, right, bottom) share any ground."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
