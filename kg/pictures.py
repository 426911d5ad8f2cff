"""Figures as SVG, drawn here: no script, no style sheet, no font to load.

Every node is a link that the keyboard reaches, every edge a list item in words; colours are presentation
attributes, so that a strict content security policy leaves them alone and a page's style sheet can still
change them (``colours.style_rules``). All text is escaped, and cleaned of what XML cannot hold.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from kg.colours import DARK, LIGHT, THEMES, Theme, kind_class, style_rules
from kg.errors import BadInput
from kg.figures import Figure, FigureEdge, FigureNode, edge_sentence, spaced
from kg.glyphs import glyph
from kg.layout import Box, arrange
from kg.lettering import clean, is_measured, lines, width
from kg.strokes import Area, Curve, curve_across, curve_between, is_straight, meet, stroke_width

FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
SIZE, SMALL, LINE = 12.0, 10.0, 14.0
LABEL_WIDTH, LABEL_LINES = 172.0, 2
PAD, GLYPH = 9.0, 12.0
MARGIN = 14.0
LABELLED_EDGES = 14  # more labels than that hide the picture
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw: a theme (light, dark, or auto, which follows the reader's), a legend, a width, and where links go.

    Without a width the picture has its natural size. ``styled`` leaves colours to the page's style sheet.
    """

    theme: str = "light"
    legend: bool = True
    width: float | None = None
    link: Callable[[FigureNode], str | None] = lambda node: node.page
    new_window: bool = False
    styled: bool = False
    background: bool = True

    @property
    def colours(self) -> Theme:
        """The theme that colours are written in; a reader's dark mode is added to light."""
        return THEMES.get(self.theme, LIGHT)


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with its box on paper."""

    node: FigureNode
    text: tuple[str, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def area(self) -> Area:
        """Left, top, right and bottom of its box."""
        wide, high = self.width / 2, self.height / 2
        return self.x - wide, self.y - high, self.x + wide, self.y + high

    @property
    def badge(self) -> str:
        """What says that it has more edges than are shown."""
        return f"+{self.node.hidden}" if self.node.hidden else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edge passes a column."""

    x: float
    y: float
    width: float
    height: float = 0.0


@dataclass
class _Canvas:
    """What the parts of one picture share."""

    figure: Figure
    style: Style
    placed: dict[str, Placed]
    passing: dict[tuple[str, str], list[Place]]
    labels: list[Area] = field(default_factory=list)

    def dimmed(self, id_: str) -> str:
        lit = self.figure.highlighted
        return ' opacity="0.22"' if lit and id_ not in lit else ""


def check_theme(name: str) -> str:
    """Return the name of a theme; raises BadInput for one that is none."""
    if name not in {*THEMES, AUTO}:
        raise BadInput(f"The theme is {name!r}; it must be light, dark or auto.")
    return name


def place(figure: Figure) -> dict[str, Placed]:
    """Return every node of a figure with its box, by id; the same figure gives the same places."""
    return _layout(figure)[0]


def draw(figure: Figure, style: Style | None = None) -> str:
    """Return a figure as SVG."""
    style = style or Style()
    canvas = _Canvas(figure, style, *_layout(figure))
    curves = _curves(canvas)
    left, top, right, bottom = _extent([*(p.area for p in canvas.placed.values()), *(c.area for _, c in curves)])
    legend, legend_height = _legend(canvas, left, bottom, right - left) if style.legend else ("", 0.0)
    bounds = (left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + legend_height + 2 * MARGIN)
    body = "".join(
        [
            f'<g role="list" aria-label="Relations">{"".join(_edges(canvas, curves))}</g>' if figure.edges else "",
            f'<g role="list" aria-label="Entities">{"".join(_nodes(canvas))}</g>' if figure.nodes else "",
            legend,
        ]
    )
    return _document(figure, style, bounds, body)


def message(text: str, theme: str = "light") -> str:
    """Return a sentence as SVG, for readers who asked for a picture that cannot be drawn."""
    colours = THEMES.get(theme, LIGHT)
    said = lines(text, 480, SIZE, 12)
    rows = "".join(
        f'<text x="16" y="{28 + i * 17}" class="kg-ink" fill="{colours.ink}">{escape(line)}</text>'
        for i, line in enumerate(said)
    )
    high = 24 + 17 * len(said)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 {high}" width="520" height="{high}" font-family="{FONT}" '
        f'font-size="{SIZE:g}" role="img" aria-label="{escape(clean(text))}"><rect width="520" height="{high}" rx="8" '
        f'class="kg-bg" fill="{colours.background}" stroke="{colours.line}"/>{rows}</svg>'
    )


# ---------------------------------------------------------------- the document
def _document(figure: Figure, style: Style, bounds: tuple[float, float, float, float], body: str) -> str:
    x, y, wide, high = bounds
    shown = style.width or wide
    sheet = f"<style>{automatic_style(figure)}</style>" if style.theme == AUTO and not style.styled else ""
    ground = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="10" class="kg-bg" fill="{style.colours.background}"/>'
        if style.background
        else ""
    )
    title = escape(clean(figure.title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kg-figure" viewBox="{x:.1f} {y:.1f} {wide:.1f} {high:.1f}" '
        f'width="{shown:.0f}" height="{high * shown / wide:.0f}" font-family="{FONT}" font-size="{SIZE:g}" role="group" '
        f'aria-label="{title}"><title>{title}</title><desc>{escape(clean(figure.description))} {escape(clean(figure.caption))}</desc>'
        f"{sheet}{ground}{body}</svg>"
    )


def automatic_style(figure: Figure) -> str:
    """Return the style sheet of a picture that follows the reader's theme; a policy can allow it by its hash."""
    return f"@media(prefers-color-scheme:dark){{{style_rules(figure.model, DARK)}}}".replace("\n", "")


def _extent(areas: Collection[Area]) -> Area:
    if not areas:
        return 0.0, 0.0, 240.0, 20.0
    left, top, right, bottom = zip(*areas, strict=True)
    return min(left), min(top), max(right), max(bottom)


# ---------------------------------------------------------------- nodes
def _layout(figure: Figure) -> tuple[dict[str, Placed], dict[tuple[str, str], list[Place]]]:
    """Return the nodes with their boxes, by id, and where edges pass columns that they have no end in, by their ends."""
    kinds = [kind.name for kind in figure.model.kinds]
    sized = [_sized(node) for node in figure.nodes]
    index = {item.node.id: i for i, item in enumerate(sized)}
    boxes = [Box(p.width, p.height, p.node.distance, kinds.index(p.node.kind), p.node.column) for p in sized]
    joined: list[tuple[int, int]] = []
    passing: dict[tuple[str, str], list[int]] = {}
    for ends in sorted(
        {(e.source, e.target) for e in figure.edges if e.source != e.target}, key=lambda e: [index[i] for i in e]
    ):
        one, two = index[ends[0]], index[ends[1]]
        chain = [one]
        for column in _columns_between(boxes[one], boxes[two]):
            chain.append(len(boxes))
            boxes.append(Box(0.0, 0.0, column=column))
        joined += pairwise([*chain, two])
        passing[ends] = chain[1:]
    points = arrange(boxes, joined)
    placed = {p.node.id: Placed(p.node, p.text, p.width, p.height, *points[i]) for i, p in enumerate(sized)}
    wide = {column: max(b.width for b in boxes if b.column == column) for column in {b.column for b in boxes}}
    ways = {ends: [Place(*points[i], wide[boxes[i].column]) for i in chain] for ends, chain in passing.items() if chain}
    return placed, ways


def _columns_between(one: Box, two: Box) -> range:
    if one.column is None or two.column is None:
        return range(0)
    step = 1 if two.column > one.column else -1
    return range(one.column + step, two.column, step)


def _sized(node: FigureNode) -> Placed:
    size = SIZE * 1.1 if node.distance == 0 else SIZE  # the middle is set in bold
    text = tuple(lines(node.label, LABEL_WIDTH, size, LABEL_LINES))
    badge = width(f"+{node.hidden}", SMALL) + 8 if node.hidden else 0.0
    wide = PAD + GLYPH + 7 + max(width(line, size) for line in text) + badge + PAD
    return Placed(node, text, round(wide, 1), 12 + LINE * len(text))


def _nodes(canvas: _Canvas) -> Iterator[str]:
    for placed in canvas.placed.values():
        href = canvas.style.link(placed.node)
        target = ' target="_blank" rel="noopener"' if canvas.style.new_window else ' target="_top"'
        kind = spaced(placed.node.kind)
        said = escape(clean(f"{placed.node.label}, {kind}"))
        inside = _box(canvas, placed)
        link = (
            f'<a href="{escape(href)}" role="link" aria-label="{said}"{target}>{inside}</a>'
            if href
            else f'<g role="img" aria-label="{said}">{inside}</g>'
        )
        more = f", {placed.node.hidden} more relation{'s' * (placed.node.hidden != 1)}" if placed.node.hidden else ""
        identity = escape(clean(placed.node.id))
        yield (
            f'<g role="listitem" class="kg-node" data-id="{identity}"{canvas.dimmed(placed.node.id)}>'
            f"<title>{said} ({identity}{more})</title>{link}{_badge(canvas, placed)}</g>"
        )


def _box(canvas: _Canvas, placed: Placed) -> str:
    theme = canvas.style.colours
    kind = canvas.figure.model.kind[placed.node.kind]
    name = kind_class(canvas.figure.model, kind.name)
    left, top = placed.x - placed.width / 2, placed.y - placed.height / 2
    middle = placed.node.distance == 0
    parts = [
        f'<rect class="kg-box {name}" x="{left:.1f}" y="{top:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}" rx="7" '
        f'fill="{theme.tint(kind)}" stroke="{theme.strong(kind)}" stroke-width="{2.4 if middle else 1.1}"/>',
        glyph(kind.shape, left + PAD + GLYPH / 2, placed.y, GLYPH / 2, f'class="kg-glyph {name}" fill="{theme.strong(kind)}"'),
    ]  # fmt: skip
    x, first = left + PAD + GLYPH + 7, placed.y - LINE * (len(placed.text) - 1) / 2 + SIZE * 0.35
    weight = ' font-weight="700"' if middle else ""
    for i, line in enumerate(placed.text):
        fit = "" if is_measured(line) else f' textLength="{width(line, SIZE):.1f}" lengthAdjust="spacingAndGlyphs"'
        parts.append(
            f'<text class="kg-ink" x="{x:.1f}" y="{first + i * LINE:.1f}" fill="{theme.ink}"{weight}{fit}>{escape(line)}{" " if line is not placed.text[-1] else ""}</text>'
        )
    return "".join(parts)


def _badge(canvas: _Canvas, placed: Placed) -> str:
    """Return how many edges are not shown; outside of the link, whose name it is no part of."""
    if not placed.badge:
        return ""
    return (
        f'<text class="kg-muted" aria-hidden="true" x="{placed.x + placed.width / 2 - PAD:.1f}" y="{placed.y + SMALL * 0.35:.1f}" '
        f'font-size="{SMALL:g}" text-anchor="end" fill="{canvas.style.colours.muted}">{placed.badge}</text>'
    )


# ---------------------------------------------------------------- edges
def _curves(canvas: _Canvas) -> list[tuple[FigureEdge, Curve]]:
    """Return every edge with its curve, those that stand out last; the ones between two boxes bow apart."""
    figure = canvas.figure
    total = Counter(frozenset((edge.source, edge.target)) for edge in figure.edges)
    drawn: Counter[frozenset[str]] = Counter()
    curves = []
    for edge in sorted(figure.edges, key=lambda e: (e.id in figure.highlighted, e.confidence)):
        pair = frozenset((edge.source, edge.target))
        bend = (drawn[pair] - (total[pair] - 1) / 2) * 22
        drawn[pair] += 1
        curves.append((edge, _curve(canvas, edge, bend)))
    return curves


def _curve(canvas: _Canvas, edge: FigureEdge, bend: float) -> Curve:
    source, target = canvas.placed[edge.source], canvas.placed[edge.target]
    if source.node.column is None or target.node.column is None or source is target:
        return curve_between(source, target, -bend if edge.source > edge.target else bend)  # both directions bow apart
    return curve_across(source, target, canvas.passing.get((edge.source, edge.target), ()), bend)


def _edges(canvas: _Canvas, curves: Collection[tuple[FigureEdge, Curve]]) -> Iterator[str]:
    names = {node.id: node.label for node in canvas.figure.nodes}
    for edge, curve in curves:
        said = escape(clean(edge_sentence(edge, names)))
        yield (
            f'<g role="listitem" class="kg-relation" data-id="{escape(clean(edge.id))}" aria-label="{said}"{canvas.dimmed(edge.id)}>'
            f"<title>{said}</title>{_arrow(canvas, edge, curve)}</g>"
        )
    if len(curves) <= LABELLED_EDGES:
        yield from (_edge_label(canvas, edge, curve) for edge, curve in curves)


def _arrow(canvas: _Canvas, edge: FigureEdge, curve: Curve) -> str:
    theme = canvas.style.colours
    wide = stroke_width(edge.confidence)
    name = "kg-disputed" if edge.disputed else "kg-edge"
    colour = theme.contradicts if edge.disputed else theme.edge
    dashes = ' stroke-dasharray="6 4"' if edge.disputed else ' stroke-dasharray="2 3"' if edge.assumed else ""
    (x0, y0), *others, (xb, yb), (x1, y1) = curve.points
    turn = math.atan2(y1 - yb, x1 - xb)
    size = 5.5 + wide
    back = (x1 - size * math.cos(turn), y1 - size * math.sin(turn))
    side = (size * 0.42 * math.sin(turn), -size * 0.42 * math.cos(turn))
    pulls = [*others, (xb, yb), back]
    bent = "".join(f"{'C' if i % 3 == 0 else ' '}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(pulls))
    line = f"M{x0:.1f} {y0:.1f}" + (f"L{back[0]:.1f} {back[1]:.1f}" if is_straight(curve) else bent)
    head = f"M{x1:.1f} {y1:.1f}L{back[0] + side[0]:.1f} {back[1] + side[1]:.1f}L{back[0] - side[0]:.1f} {back[1] - side[1]:.1f}Z"
    return (
        f'<path class="{name}" d="{line}" fill="none" stroke="{colour}" stroke-width="{wide:.1f}"{dashes}/>'
        f'<path class="{"kg-disputed-head" if edge.disputed else "kg-head"}" d="{head}" fill="{colour}"/>'
    )


def _edge_label(canvas: _Canvas, edge: FigureEdge, curve: Curve) -> str:
    """Return the words on an edge, where there is room for them."""
    text = clean(edge.phrase)
    x, y = curve.middle
    wide = width(text, SMALL)
    area = (x - wide / 2, y - 7, x + wide / 2, y + 7)
    taken = (p.area for p in canvas.placed.values())
    if any(meet(area, other) for other in (*taken, *canvas.labels)):
        return ""
    canvas.labels.append(area)
    theme = canvas.style.colours
    return (
        f'<text class="kg-muted kg-halo" aria-hidden="true" x="{x:.1f}" y="{y + 3.5:.1f}" font-size="{SMALL:g}" text-anchor="middle" '
        f'fill="{theme.muted}" stroke="{theme.background}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
        f"{canvas.dimmed(edge.id)}>{escape(text)}</text>"
    )


# ---------------------------------------------------------------- legend
def _legend(canvas: _Canvas, left: float, bottom: float, wide: float) -> tuple[str, float]:
    """Return the legend below a picture, and its height."""
    theme, figure = canvas.style.colours, canvas.figure
    wide = max(wide, 220.0)
    x, y, parts = left, bottom + 30, []
    for item, room in _legend_items(canvas):
        if x > left and x + room > left + wide:
            x, y = left, y + 20
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{item}</g>')
        x += room
    caption = lines(figure.caption, wide, SMALL, 3)
    for line in caption:
        y += 16 if line is not caption[0] else 20
        parts.append(
            f'<text class="kg-muted" x="{left:.1f}" y="{y:.1f}" font-size="{SMALL:g}" fill="{theme.muted}">{escape(line)}</text>'
        )
    rule = f'<path class="kg-line" d="M{left:.1f} {bottom + 14:.1f}h{wide:.1f}" stroke="{theme.line}"/>'
    return f'<g class="kg-legend" aria-hidden="true">{rule}{"".join(parts)}</g>', y - bottom


def _legend_items(canvas: _Canvas) -> Iterator[tuple[str, float]]:
    theme, figure = canvas.style.colours, canvas.figure
    counts = Counter(node.kind for node in figure.nodes)
    for kind in figure.kinds:
        mark = glyph(
            kind.shape, 6, -4, 6, f'class="kg-glyph {kind_class(figure.model, kind.name)}" fill="{theme.strong(kind)}"'
        )
        yield _legend_text(canvas, mark, f"{kind.label} ({counts[kind.name]})", 18)
    if figure.edges:
        mark = "".join(
            f'<path class="kg-edge" d="M{i * 13} -4h11" stroke="{theme.edge}" stroke-width="{stroke_width(c):.1f}"/>'
            for i, c in enumerate((0.1, 0.5, 1.0))
        )
        yield _legend_text(canvas, mark, "confidence, low to high", 44)
    for present, dashes, text, disputed in (
        (any(e.disputed for e in figure.edges), "6 4", "disputed", True),
        (any(e.assumed for e in figure.edges), "2 3", "assumed", False),
    ):
        if present:
            name, colour = ("kg-disputed", theme.contradicts) if disputed else ("kg-edge", theme.edge)
            mark = f'<path class="{name}" d="M0 -4h26" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
            yield _legend_text(canvas, mark, text, 32)


def _legend_text(canvas: _Canvas, mark: str, text: str, indent: float) -> tuple[str, float]:
    theme = canvas.style.colours
    said = f'{mark}<text class="kg-muted" x="{indent:g}" font-size="{SMALL + 1:g}" fill="{theme.muted}">{escape(clean(text))}</text>'
    return said, indent + width(text, SMALL + 1) + 14
