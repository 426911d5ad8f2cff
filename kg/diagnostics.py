"""What a check found, and how it is shown: like a compiler's messages, as JSON, or as GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kg.documents import Document
from kg.errors import SyntaxProblem, abridged

EXCERPT = 160  # columns of a line that are shown


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: ``severity`` is error or warning; line and column count from 1.

    Long values that messages quote are abridged, so that a file of one huge literal is told of in a few lines.
    """

    severity: str
    code: str
    message: str
    source: str
    line: int | None = None
    column: int | None = None
    hint: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        for name, most in (("message", 800), ("hint", 800), ("subject", 200)):
            object.__setattr__(self, name, abridged(getattr(self, name), most))

    @property
    def place(self) -> str:
        """The file, line and column, as an editor understands them."""
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message} [{self.code}]{' ' + self.hint if self.hint else ''}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)

    def as_github(self) -> str:
        """Return the finding as a workflow command that GitHub shows beside the line."""
        properties = {"file": self.source, "line": self.line or 1, "col": self.column or 1, "title": self.code}
        listed = ",".join(f"{key}={_escaped(str(value), property_=True)}" for key, value in properties.items())
        return f"::{self.severity} {listed}::{_escaped(f'{self.message} {self.hint}'.strip())}"


def _escaped(text: str, *, property_: bool = False) -> str:
    """Escape as GitHub's workflow commands want it."""
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(char, code)
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The line a finding is about, cut to what fits, and the caret that points into it."""

    line: str
    caret: str

    def __bool__(self) -> bool:
        return bool(self.line)


def excerpt(diagnostic: Diagnostic, document: Document | None) -> Excerpt:
    """Return the line of a finding with a caret under its column; empty where the line is not known."""
    text = document.line(diagnostic.line) if document and diagnostic.line else ""
    column = diagnostic.column or 1
    start = max(0, column - EXCERPT // 2) if column > EXCERPT - 20 else 0
    shown = text[start : start + EXCERPT]
    before = "".join("\t" if char == "\t" else " " for char in shown[: column - 1 - start])
    return Excerpt(shown, before + "^") if shown.strip() else Excerpt("", "")


def with_excerpts(diagnostics: Iterable[Diagnostic], documents: Sequence[Document]) -> list[tuple[Diagnostic, Excerpt]]:
    """Return each diagnostic with the line of text that it is about."""
    by_name = {document.name: document for document in documents}
    return [(d, excerpt(d, by_name.get(d.source))) for d in diagnostics]


def as_errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics with every warning turned into an error."""
    return [replace(d, severity="error") for d in diagnostics]


def of_syntax(error: SyntaxProblem) -> Diagnostic:
    """Return a syntax error as a diagnostic."""
    return Diagnostic("error", "syntax", error.reason, error.source, error.line, error.column)


def by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics without repeats, in the order of files, lines and columns."""
    return sorted(set(diagnostics), key=lambda d: (d.source, d.line or 0, d.column or 0, d.severity, d.code, d.message))
