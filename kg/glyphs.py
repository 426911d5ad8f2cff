"""The small shapes that stand for kinds, by their Cytoscape.js names."""

from __future__ import annotations

import math

SHAPES = {  # corners on the unit circle's square, by Cytoscape.js name without "round-"
    "rectangle": ((-0.9, -0.7), (0.9, -0.7), (0.9, 0.7), (-0.9, 0.7)),
    "diamond": ((0, -1), (1, 0), (0, 1), (-1, 0)),
    "triangle": ((0, -1), (1, 0.85), (-1, 0.85)),
    "vee": ((-1, -0.9), (0, -0.3), (1, -0.9), (0, 1)),
    "tag": ((-1, -0.75), (0.35, -0.75), (1, 0), (0.35, 0.75), (-1, 0.75)),
    "rhomboid": ((-1, -0.7), (0.5, -0.7), (1, 0.7), (-0.5, 0.7)),
    "star": tuple(
        (math.sin(i * math.pi / 5) * (1 if i % 2 == 0 else 0.45), -math.cos(i * math.pi / 5) * (1 if i % 2 == 0 else 0.45))
        for i in range(10)
    ),
    **{
        name: tuple((math.sin((2 * i + turn) * math.pi / n), -math.cos((2 * i + turn) * math.pi / n)) for i in range(n))
        for name, n, turn in (("pentagon", 5, 0), ("hexagon", 6, 1), ("heptagon", 7, 0), ("octagon", 8, 1))
    },
}  # fmt: skip


def glyph(shape: str, x: float, y: float, radius: float, attributes: str) -> str:
    """Return the small shape that stands for a kind."""
    name = shape.removeprefix("round-").removeprefix("cut-").removeprefix("concave-").removeprefix("bottom-")
    corners = SHAPES.get(name)
    if corners is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * 0.85:.1f}" {attributes}/>'
    points = " ".join(f"{x + a * radius:.1f},{y + b * radius:.1f}" for a, b in corners)
    return f'<polygon points="{points}" {attributes}/>'
