"""The statements of a Turtle text, each with its subject and its comments, for putting them in another order."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from pyoxigraph import BlankNode, Quad, RdfFormat

from kg.documents import Subject
from kg.errors import SyntaxProblem
from kg.positions import MARK, TOKEN, Parsed, cut, mark_statements, plain_parse


@dataclass(frozen=True, slots=True)
class Told:
    """A statement of a Turtle text and its subject; a directive has none."""

    start: int
    end: int
    subject: Subject | None


def parse_statements(text: str, name: str) -> tuple[Parsed, list[Told]]:
    """Parse a Turtle text and return its statements in order, each with its subject."""
    marked, offsets = mark_statements(text, RdfFormat.TURTLE, name)
    try:
        parsed = plain_parse(marked, RdfFormat.TURTLE, name)
    except SyntaxProblem:
        plain_parse(text, RdfFormat.TURTLE, name)  # raises again, with the place in the real text
        raise
    quads: list[Quad] = []
    groups: dict[int, list[Quad]] = {}
    here = 0
    for quad in parsed.quads:
        if quad.predicate != MARK:
            quads.append(quad)
            groups[here].append(quad)
        elif quad.subject == MARK:
            here = offsets[int(quad.object.value)]  # type: ignore[union-attr]
            groups[here] = []
    parsed.quads = quads
    bounds = list(cut(text))
    if {s.start for s in bounds if not s.directive} != set(groups):
        raise SyntaxProblem(name, "the layout is not understood; begin each statement on a line of its own")
    return parsed, [Told(s.start, s.end, None if s.directive else _subject(groups[s.start])) for s in bounds]


def _subject(quads: list[Quad]) -> Subject:
    """Return the subject of a statement: the one that nothing else in it refers to."""
    inner = {quad.object for quad in quads if isinstance(quad.object, BlankNode)}
    return next((quad.subject for quad in quads if quad.subject not in inner), quads[0].subject)


def comments_of(text: str, statements: list[Told]) -> tuple[list[str], dict[Subject, list[str]], list[str]]:
    """Return the comments at the top, those of each subject, and those at the end."""
    header: list[str] = []
    kept: dict[Subject, list[str]] = {}
    tail: list[str] = []
    last = max((s.end for s in statements if s.subject is None), default=0)
    first = statements[0].start if statements else len(text)
    for match in TOKEN.finditer(text):
        if match.lastgroup == "space" and match.group().startswith("#"):
            line = match.group().rstrip()
            at = match.start()
            owner = _owner(text, at, statements)
            if at < first or (owner and owner.subject is None) or at < last:
                header.append(line)
            elif owner is None:
                tail.append(line)
            else:
                kept.setdefault(owner.subject, []).append(line)
    return header, kept, tail


def _owner(text: str, at: int, statements: list[Told]) -> Told | None:
    """Return the statement that a comment belongs to: the one it stands in or right behind, else the next."""
    number = bisect.bisect_left(statements, at, key=lambda s: s.start)
    before = statements[number - 1] if number else None
    if before and (at < before.end or "\n" not in text[before.end : at]):
        return before
    return statements[number] if number < len(statements) else None
