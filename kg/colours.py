"""Colours of pictures: what the model says of each kind, made readable on light and on dark."""

from __future__ import annotations

from dataclasses import dataclass

from kg.model import Kind, Model


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one theme that do not depend on a kind."""

    name: str
    background: str
    ink: str
    muted: str
    line: str
    edge: str
    supports: str
    contradicts: str

    def strong(self, kind: Kind) -> str:
        """Return a kind's colour for shapes and outlines: at least 3:1 on the background."""
        return self._readable(kind.color, 3.0)

    def tint(self, kind: Kind) -> str:
        """Return a kind's colour for areas that ink is written on."""
        return mix(kind.color, self.background, 0.1 if self.name == "light" else 0.22)

    def _readable(self, colour: str, ratio: float) -> str:
        towards = "#000000" if self.name == "light" else "#ffffff"
        part = 0.0
        while contrast(mix(towards, colour, part), self.background) < ratio and part < 1:
            part += 0.05
        return mix(towards, colour, part)


LIGHT = Theme("light", "#ffffff", "#17202b", "#56616f", "#d5dbe3", "#8793a1", "#2a7a4b", "#b3362f")
DARK = Theme("dark", "#12171d", "#e8ecf1", "#a3afbd", "#343e49", "#7a8896", "#5cc48a", "#f0857c")
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def kind_class(model: Model, name: str) -> str:
    """Return the CSS class of a kind: by number, because a name could be anything."""
    return f"k{[kind.name for kind in model.kinds].index(name)}"


def style_rules(model: Model, theme: Theme, within: str = "") -> str:
    """Return CSS that gives pictures the colours of a theme; ``within`` is a selector to put before each rule."""
    rules = {
        ".kg-bg": f"fill:{theme.background}",
        ".kg-ink": f"fill:{theme.ink}",
        ".kg-muted": f"fill:{theme.muted}",
        ".kg-halo": f"stroke:{theme.background}",
        ".kg-edge": f"stroke:{theme.edge}",
        ".kg-head": f"fill:{theme.edge}",
        ".kg-line": f"stroke:{theme.line}",
        ".kg-for": f"fill:{theme.supports}",
        ".kg-against": f"fill:{theme.contradicts}",
        ".kg-disputed": f"stroke:{theme.contradicts}",
        ".kg-disputed-head": f"fill:{theme.contradicts}",
    }
    for number, kind in enumerate(model.kinds):
        rules[f".k{number}.kg-box"] = f"fill:{theme.tint(kind)};stroke:{theme.strong(kind)}"
        rules[f".k{number}.kg-glyph"] = f"fill:{theme.strong(kind)}"
    return "\n".join(f"{within}{selector}{{{said}}}" for selector, said in rules.items())


def mix(a: str, b: str, part: float) -> str:
    """Return ``part`` of colour a in colour b."""
    return "#" + "".join(
        f"{round(x * part + y * (1 - part)):02x}" for x, y in zip(_channels(a), _channels(b), strict=True)
    )


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    text = colour.lstrip("#")
    if len(text) == 3:
        text = "".join(letter * 2 for letter in text)
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _luminance(colour: str) -> float:
    parts = [c / 255 for c in _channels(colour)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
