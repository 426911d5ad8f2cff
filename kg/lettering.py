"""How wide text will be, and text made safe to draw, without a font at hand.

Widths are those of Helvetica (Adobe's metrics, in thousandths of the size) plus a sixth, because the
reader's font is unknown; letters outside ASCII are taken by their East Asian width.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

MARGIN = 1.18
HELVETICA = {
    **dict.fromkeys("ijl'", 222), **dict.fromkeys(" !,./:;I[]\\|ft", 278), **dict.fromkeys('()-`r"', 340),
    **dict.fromkeys("Jcksvxyz{}^*", 500), **dict.fromkeys("abdeghnopqu0123456789_#$?L", 556),
    **dict.fromkeys("FTZ+=<>~", 600), **dict.fromkeys("ABEKPSVXY&", 667), **dict.fromkeys("CDHNRUw", 722),
    **dict.fromkeys("GOQ", 778), **dict.fromkeys("Mm", 833), **dict.fromkeys("W%@", 950),
}  # fmt: skip
# What XML cannot hold, and the marks that turn the direction of what follows them.
UNSAFE = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def clean(text: str) -> str:
    """Return text without what XML forbids and without marks that reorder what stands after them."""
    return UNSAFE.sub("\ufffd", text)


def web_address(url: str | None) -> str | None:
    """Return an address that may stand in a link, since it leads to a web page; None for one that does anything else, such as run a script."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def width(text: str, size: float) -> float:
    """Return about how wide a text is in a sans-serif font, rather too much than too little."""
    return sum(map(_em, text)) * size * MARGIN / 1000


def is_measured(text: str) -> bool:
    """Whether the width of each letter is known and not guessed."""
    return all(letter in HELVETICA for letter in text)


def lines(text: str, most: float, size: float, count: int) -> list[str]:
    """Return a text broken into at most ``count`` lines no wider than ``most``; what is left over becomes an ellipsis."""
    words = [piece for word in clean(text).split() for piece in _pieces(word, most, size)] or [""]
    broken, line = [], words[0]
    for word in words[1:]:
        if width(f"{line} {word}", size) <= most:
            line = f"{line} {word}"
        else:
            broken.append(line)
            line = word
    broken.append(line)
    if len(broken) <= count:
        return broken
    return [*broken[: count - 1], _shortened(" ".join(broken[count - 1 :]), most, size)]


def _pieces(word: str, most: float, size: float) -> list[str]:
    """Return a word that fits as it is, and one that does not in pieces that do."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width(pieces[-1] + letter, size) > most:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _shortened(text: str, most: float, size: float) -> str:
    """Return a text cut after a whole word, or within one that is too long by itself, with an ellipsis."""
    words = text.split(" ")
    while len(words) > 1 and width(f"{' '.join(words)}…", size) > most:
        words.pop()
    text = " ".join(words)
    while text and width(f"{text}…", size) > most:
        text = text[:-1]
    return f"{text}…"


def _em(letter: str) -> float:
    if letter in HELVETICA:
        return HELVETICA[letter]
    if unicodedata.combining(letter):
        return 0
    return 1000 if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0xFFFF else 667
