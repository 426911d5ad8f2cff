"""Triples by subject and predicate: in little room, and read by most who read them without making triples of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias, TypeVar, overload

from pyoxigraph import Literal, NamedNode, Quad, Triple

Made = TypeVar("Made", Triple, Quad)
Term: TypeAlias = Any  # NamedNode or Literal
About: TypeAlias = Mapping[str, Sequence[Term]]
"""What is said of a subject: predicate -> objects, each once."""
Facts: TypeAlias = Mapping[str, About]
"""Subject -> predicate -> objects, subjects and predicates by IRI. Subjects that say the same may have it in common."""


class Triples(Sequence[Triple]):
    """Triples without blank nodes, each once, in the order of their texts.

    ``facts`` are what is kept. The triples are made while somebody goes through them; one at an index takes as long as all.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @classmethod
    def of(cls, statements: Iterable[Triple | Quad]) -> Triples:
        """Return statements without blank nodes as triples."""
        return statements if isinstance(statements, Triples) else cls(grouped(statements))

    @cached_property
    def _size(self) -> int:
        """How many there are."""
        return sum([len(terms) for about in self.facts.values() for terms in about.values()])

    @property
    def literals(self) -> set[Literal]:
        """The literals among the objects."""
        terms = chain.from_iterable(chain.from_iterable(about.values() for about in self.facts.values()))
        return {term for term in terms if isinstance(term, Literal)}

    def replaced(self, literals: Mapping[Literal, Literal]) -> Triples:
        """Return the triples with other literals in the place of some."""
        if not literals:
            return self
        known: dict[int, About] = {}  # what subjects have in common, they have in common afterwards
        return Triples({subject: _replaced(about, literals, known) for subject, about in self.facts.items()})

    def quads(self, graph: NamedNode) -> Iterator[Quad]:
        """Yield the triples as quads of a graph."""
        return self._made(Quad, graph)

    def _made(self, make: Callable[..., Made], *graph: NamedNode) -> Iterator[Made]:
        nodes: dict[str, NamedNode] = {}
        orders: dict[tuple[str, ...], list[tuple[str, NamedNode]]] = {}
        for iri in sorted(self.facts, key=ended):
            subject, about = NamedNode(iri), self.facts[iri]
            order = orders.get(predicates := tuple(about))
            if order is None:
                order = orders[predicates] = [(p, nodes.setdefault(p, NamedNode(p))) for p in sorted(about, key=ended)]
            for predicate, node in order:
                for term in about[predicate]:
                    yield make(subject, node, term, *graph)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Triple]:
        return self._made(Triple)

    @overload
    def __getitem__(self, index: int) -> Triple: ...
    @overload
    def __getitem__(self, index: slice) -> list[Triple]: ...
    def __getitem__(self, index: int | slice) -> Triple | list[Triple]:
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def ended(iri: str) -> str:
    """Return what IRIs are sorted by to come in the order of their texts in N-Triples."""
    return iri + ">"


def _replaced(about: About, literals: Mapping[Literal, Literal], known: dict[int, About]) -> About:
    found = known.get(id(about))
    if found is None:
        same = not any(term in literals for terms in about.values() for term in terms)
        found = known[id(about)] = (
            about if same else {p: in_order([literals.get(t, t) for t in terms]) for p, terms in about.items()}
        )
    return found


def in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return terms, each once, in the order of their texts."""
    return tuple(sorted(set(terms), key=str))


def grouped(statements: Iterable[Triple | Quad]) -> dict[str, dict[str, tuple[Term, ...]]]:
    """Return statements without blank nodes as facts; objects come in the order of their texts."""
    facts: dict[str, dict[str, Any]] = {}
    only: dict[Term, tuple[Term]] = {}  # most objects are of many subjects, and alone there
    several: list[tuple[dict[str, Any], str]] = []
    subject: Any
    for statement in statements:
        subject = statement.subject
        about = facts.get(name := subject.value)
        if about is None:
            about = facts[name] = {}
        term = statement.object
        terms = only.get(term)
        if terms is None:
            only[term] = terms = (term,)
        had = about.get(predicate := statement.predicate.value)
        if had is None:
            about[sys.intern(predicate)] = terms
        elif type(had) is list:
            had.append(term)
        elif had is not terms:
            several.append((about, predicate))
            about[predicate] = [*had, term]
    for about, predicate in several:
        about[predicate] = in_order(about[predicate])
    return facts


def together(facts: Iterable[Facts]) -> dict[str, About]:
    """Return what some facts say together; what several say alike is there once, and what none adds to is shared."""
    whole: dict[str, About] = {}
    for some in facts:
        if whole.keys().isdisjoint(some):
            whole.update(some)
            continue
        for subject, about in some.items():
            held = whole.get(subject)
            whole[subject] = about if held is None else _both(held, about)
    return whole


def _both(one: About, other: About) -> About:
    both = dict(one)
    for predicate, terms in other.items():
        had = both.get(predicate)
        both[predicate] = terms if had is None else in_order((*had, *terms))
    return both
