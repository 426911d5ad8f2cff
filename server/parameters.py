"""Query parameters of pages and pictures, read once, with words that say what to do about a bad one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches

from starlette.datastructures import QueryParams

from kg.dates import last_day
from kg.errors import BadInput, LimitExceeded

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class Parameters:
    """The parameters of one request."""

    def __init__(self, given: QueryParams) -> None:
        self.given = given

    def only(self, names: Iterable[str]) -> None:
        """Raise BadInput for a parameter that is none of these."""
        known = list(names)
        for name in self.given:
            if name not in known:
                close = get_close_matches(name, known, 1)
                meant = f" Did you mean {close[0]}?" if close else ""
                raise BadInput(f"There is no parameter {name!r} here.{meant} Parameters are {', '.join(known)}.")

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as it is, without blanks around it."""
        return str(self.given.get(name, default)).strip()

    def texts(self, name: str) -> list[str]:
        """Return every value of a parameter that may be repeated."""
        return [text for value in self.given.getlist(name) if (text := value.strip())]

    def items(self, name: str) -> list[str]:
        """Return a list: separated by commas, the parameter repeated, or both; an IRI may hold commas."""
        values: list[str] = []
        for text in self.given.getlist(name):
            values += [text] if "://" in text else text.split(",")
        return [value.strip() for value in values if value.strip()]

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None, limit: str = "") -> int:
        """Return a whole number; raises LimitExceeded, naming the setting ``limit``, above ``most``."""
        text = self.text(name)
        if not text:
            return default
        if not text.lstrip("-").isdecimal() or len(text) > 12:
            raise BadInput(f"The parameter {name} is {text[:40]!r}; it must be a whole number.")
        value = int(text)
        if value < least:
            raise BadInput(f"The parameter {name} is {value}; it must be {least} or more.")
        if most is not None and value > most:
            raise LimitExceeded(limit or name, most, value, f"Ask for a smaller {name}.")
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """Return a number between two bounds."""
        text = self.text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise BadInput(f"The parameter {name} is {text[:40]!r}; it must be a number from {least:g} to {most:g}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        text = self.text(name).lower()
        if text and text not in TRUE | FALSE:
            raise BadInput(f"The parameter {name} is {text[:40]!r}; it must be 1 or 0.")
        return text in TRUE if text else default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of some words."""
        text = self.text(name, default) or default
        if text not in choices:
            raise BadInput(f"The parameter {name} is {text[:40]!r}; it must be one of {', '.join(choices)}.")
        return text

    def day(self, *names: str) -> date | None:
        """Return the last day that a date (2024-02-22, 2024-02 or 2024) may mean; the first of these names that is given."""
        for name in names:
            text = self.text(name)
            if text:
                try:
                    return last_day(text)
                except ValueError as error:
                    raise BadInput(
                        f"The parameter {name} is {text[:40]!r}; write a date such as 2024-02-22, 2024-02 or 2024."
                    ) from error
        return None
