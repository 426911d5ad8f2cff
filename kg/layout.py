"""Where the boxes of a figure stand: the same every time, no box on another.

Boxes that have a column stand in it, from left to right, so that edges cross little and run level (the layers of
Sugiyama, Tagawa & Toda 1981: ordered by barycentre, then moved as close to their neighbours as their order allows). Of the others, up to ``STRESS_NODES`` boxes are placed by stress majorization (Gansner, Koren & North 2004): distances on
paper follow distances in the graph, and boxes of one kind are drawn together. More than that are
set in rows, nearest first; such a picture is a list in any case. Overlaps are then pushed apart, and a last
sweep makes sure that none is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRESS_NODES = 400
ROUNDS, PUSHES = 60, 80
GAP_X, GAP_Y = 18.0, 16.0
COLUMN_GAP = 104.0  # between columns: room for an edge's label
SWEEPS = 8
ASPECT = 1.5  # wider than high, as screens and pages are
ROOMY = 2.3  # area of the picture, in areas of all boxes

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """A box to place: its size, its hops from the middle, the group it belongs to, and its column if it has one."""

    width: float
    height: float
    distance: int = 0
    group: int = 0
    column: int | None = None


def arrange(boxes: Sequence[Box], edges: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """Return the centre of each box, in the order given; edges join boxes by their index."""
    if len(boxes) <= 1:
        return [(0.0, 0.0)] * len(boxes)
    if all(box.column is not None for box in boxes):
        return _in_columns(boxes, edges)
    if len(boxes) > STRESS_NODES:
        return _rows(boxes)
    sizes = np.array([(box.width + GAP_X, box.height + GAP_Y) for box in boxes])
    points = _scaled(_stress(boxes, edges), sizes)
    return [(round(float(x), 1), round(float(y), 1)) for x, y in _swept(_pushed(points, sizes), sizes)]


# ---------------------------------------------------------------- columns
def _in_columns(boxes: Sequence[Box], edges: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    columns: dict[int, list[int]] = {}
    for i, box in sorted(enumerate(boxes), key=lambda row: (row[1].column, row[0])):
        columns.setdefault(box.column or 0, []).append(i)
    near: list[list[int]] = [[] for _ in boxes]
    for a, b in edges:
        if boxes[a].column != boxes[b].column:
            near[a].append(b)
            near[b].append(a)
    y = [0.0] * len(boxes)
    for members in columns.values():
        _stack(members, [0.0] * len(members), boxes, y)
    order = list(columns)
    for sweep in range(2 * SWEEPS):
        for column in order if sweep % 2 == 0 else order[::-1]:
            members = columns[column]
            wanted = {i: sum(y[j] for j in near[i]) / len(near[i]) if near[i] else y[i] for i in members}
            if sweep < SWEEPS:  # afterwards only places change, not the order
                members.sort(key=lambda i: wanted[i])
            _stack(members, [wanted[i] for i in members], boxes, y)
    x, places = 0.0, [(0.0, 0.0)] * len(boxes)
    for members in columns.values():
        wide = max(boxes[i].width for i in members)
        for i in members:
            places[i] = (round(x + wide / 2, 1), round(y[i], 1))
        x += wide + COLUMN_GAP
    return places


def _stack(members: Sequence[int], wanted: Sequence[float], boxes: Sequence[Box], y: list[float]) -> None:
    """Set heights as near to those wanted as the order and the gaps allow (pool adjacent violators)."""
    offsets, down = [], 0.0
    for rank, i in enumerate(members):
        down += (boxes[i].height + boxes[members[rank - 1]].height) / 2 + GAP_Y if rank else 0.0
        offsets.append(down)
    pools: list[tuple[float, int]] = []  # mean of what its members want, and how many they are
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] >= mean:
            before, others = pools.pop()
            mean, count = (mean * count + before * others) / (count + others), count + others
        pools.append((mean, count))
    levels = [mean for mean, count in pools for _ in range(count)]
    for i, level, offset in zip(members, levels, offsets, strict=True):
        y[i] = level + offset


# ---------------------------------------------------------------- stress
def _stress(boxes: Sequence[Box], edges: Sequence[tuple[int, int]]) -> Array:
    wanted = _distances(boxes, edges)
    weights = 1.0 / np.maximum(wanted, 0.1) ** 2
    np.fill_diagonal(weights, 0.0)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.inv(laplacian + 1.0 / len(boxes))
    points = _start(boxes)
    for _ in range(ROUNDS):
        apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        pull = np.where(apart > 1e-9, -weights * wanted / np.maximum(apart, 1e-9), 0.0)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        points = inverse @ (pull @ points)
    return points


def _distances(boxes: Sequence[Box], edges: Sequence[tuple[int, int]]) -> Array:
    """Return hops between boxes, less within a group; what no path joins stands one further than the furthest."""
    n = len(boxes)
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    hops = np.full((n, n), -1.0)
    for start in range(n):
        hops[start, start] = 0.0
        front = [start]
        while front:
            new = []
            for here in front:
                for there in near[here]:
                    if hops[start, there] < 0:
                        hops[start, there] = hops[start, here] + 1
                        new.append(there)
            front = new
    hops[hops < 0] = hops.max() + 1
    groups = np.array([box.group for box in boxes])
    alike = (groups[:, None] == groups[None, :]) & (hops > 1)
    return np.where(alike, hops * 0.7, hops)


def _start(boxes: Sequence[Box]) -> Array:
    """Return rings by distance, groups side by side on each, so that the search for less stress ends the same way."""
    points = np.zeros((len(boxes), 2))
    for distance in sorted({box.distance for box in boxes}):
        ring = sorted((i for i, box in enumerate(boxes) if box.distance == distance), key=lambda i: boxes[i].group)
        for place, i in enumerate(ring):
            angle = 2 * np.pi * (place + 0.25) / len(ring)
            radius = distance + (0.3 if distance == 0 and len(ring) > 1 else 0.0)
            points[i] = radius * np.cos(angle), radius * np.sin(angle)
    return points + 1e-4 * np.array([(i % 7, i % 5) for i in range(len(boxes))])


def _scaled(points: Array, sizes: Array) -> Array:
    """Return the points spread over an area that the boxes fill well."""
    area = sizes.prod(axis=1).sum() * ROOMY
    extent = np.maximum(np.ptp(points, axis=0), 1e-3)
    high = np.sqrt(area / ASPECT)
    wanted = np.array([high * ASPECT, high])
    flat = extent < 0.05 * extent.max()  # on a line: spreading it would only blow up noise
    return np.asarray((points - points.mean(axis=0)) * np.where(flat, 0.0, wanted / extent))


# ---------------------------------------------------------------- no overlaps
def _pushed(points: Array, sizes: Array) -> Array:
    """Return the points with overlapping boxes pushed apart, each along the way that is shorter."""
    points = points.copy()
    room = (sizes[:, None, :] + sizes[None, :, :]) / 2
    for _ in range(PUSHES):
        apart = points[:, None, :] - points[None, :, :]
        over = room - np.abs(apart)
        np.fill_diagonal(over[:, :, 0], -1.0)
        overlapping = (over > 0.01).all(axis=2)
        if not overlapping.any():
            break
        index = np.arange(len(points))
        sign = np.where(apart != 0, np.sign(apart), np.sign(index[:, None] - index[None, :])[:, :, None])
        shorter = over[:, :, 1] <= over[:, :, 0]
        push = np.zeros_like(apart)
        push[:, :, 0] = np.where(overlapping & ~shorter, sign[:, :, 0] * over[:, :, 0] / 2, 0.0)
        push[:, :, 1] = np.where(overlapping & shorter, sign[:, :, 1] * over[:, :, 1] / 2, 0.0)
        points += push.sum(axis=1) / np.maximum(overlapping.sum(axis=1), 1)[:, None] * 1.1
    return points


def _swept(points: Array, sizes: Array) -> Array:
    """Return the points with any box that still overlaps one above it moved down until it is free."""
    points = points.copy()
    order = sorted(range(len(points)), key=lambda i: (points[i, 1], points[i, 0], i))
    for rank, i in enumerate(order[1:], 1):
        above = np.array(order[:rank])
        room = (sizes[above] + sizes[i]) / 2
        beside = np.abs(points[above, 0] - points[i, 0]) < room[:, 0] - 0.02
        for j in sorted(np.flatnonzero(beside), key=lambda j: points[above[j], 1]):
            if abs(points[i, 1] - points[above[j], 1]) < room[j, 1] - 0.02:
                points[i, 1] = points[above[j], 1] + room[j, 1]
    return points


def _rows(boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """Return places in rows, by distance and then by group."""
    order = sorted(range(len(boxes)), key=lambda i: (boxes[i].distance, boxes[i].group, i))
    area = sum((box.width + GAP_X) * (box.height + GAP_Y) for box in boxes)
    full = (area * ASPECT) ** 0.5
    places, x, y, high = [(0.0, 0.0)] * len(boxes), 0.0, 0.0, 0.0
    for i in order:
        box = boxes[i]
        if x and x + box.width > full:
            x, y, high = 0.0, y + high + GAP_Y, 0.0
        places[i] = (round(x + box.width / 2, 1), round(y + box.height / 2, 1))
        x, high = x + box.width + GAP_X, max(high, box.height)
    return places
