"""SHACL: the shapes of the schema folder and of the engine, run over all documents at once.

The engine is PyPI ``shacl``, 40 times as fast as pyshacl and measured to agree with the W3C suite
(research/modelling.md §4.1); a test compares the two on the seeds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import shacl
from pyoxigraph import BlankNode as Unnamed
from pyoxigraph import Literal, NamedNode, RdfFormat, parse
from rapidfuzz import process
from rdflib import BNode, Graph
from rdflib.namespace import OWL, RDF, RDFS, SH
from rdflib.term import Node

from kg.diagnostics import Diagnostic
from kg.facts import World
from kg.model import Model
from kg.triples import grouped
from kg.vocabulary import KG

PART = 100_000  # subjects that are validated at one time, where shapes look at what is near
STEPS = 3  # as far as is looked: shapes look two steps on at most, and what is one step on is validated as well
_ON, _SAME = (SH.property, SH.qualifiedValueShape), (SH.node, SH["not"])
_LISTS, _FAR = (SH["and"], SH["or"], SH.xone), (SH.sparql, SH.select, SH.target)

# What shapes say that nothing can be wrong with, what node shapes may say without seeing which node it is, ...
_SILENT = {
    *(SH.declare, SH.prefix, SH.namespace, SH.prefixes, SH.name, SH.description, SH.message, SH.severity),
    *(SH.order, SH.group, SH.defaultValue),
}
_OF_NODES = {SH.property, SH.nodeKind, SH["class"], SH.targetClass, SH.targetSubjectsOf}
_COUNTING = {SH.minCount, SH.maxCount, SH.nodeKind}  # ... and property shapes without seeing which values they are
_FOLLOWING = {*_COUNTING, SH.node, SH["class"]}
_TARGETS = ((SH.targetClass,), (SH.targetSubjectsOf,), (RDF.type, RDFS.Class), (RDF.type, OWL.Class))
_SUBCLASS = str(RDFS.subClassOf)
NO_FACTS: Mapping[str, Sequence[Any]] = {}
_PAIRS = (SH.equals, SH.disjoint, SH.lessThan, SH.lessThanOrEquals)


class Shapes(World):
    """Violations of shapes, in the words of the shapes where they have any."""

    def shapes(self) -> Iterator[Diagnostic]:
        """Yield every violation whose focus is in the documents."""
        results = list(self.results())
        incomplete = {_iri(result.focus_node) for result in results}
        for result in results:
            if result.component == "NodeConstraintComponent" and _iri(result.value or "") in incomplete:
                continue  # the value's own result says more
            yield self.shape_problem(result)

    def results(self) -> Iterator[Any]:
        """Yield the engine's results.

        Of subjects in which shapes see the same, one is validated, and the others where something is wrong with that.
        """
        if _looks_near(self.model) and (sight := _sight(self.model)):
            saying: dict[Hashable, list[str]] = defaultdict(list)
            for subject in self.own:
                saying[subject if subject in sight.known else id(self.facts[subject])].append(subject)
            alike: dict[Hashable, list[str]] = defaultdict(list)
            for subjects in saying.values():
                alike[self.seen(subjects[0], sight)] += subjects
            done: set[str] = set()
            wrong: dict[Hashable, None] = {}
            for result in self.validated([same[0] for same in alike.values()], done):
                wrong[self.seen(_iri(result.focus_node), sight)] = None
                yield result
            yield from self.validated(chain.from_iterable(alike[seen] for seen in wrong), done)
        else:
            yield from self.validated(self.own, set())

    def seen(self, subject: str, sight: Sight) -> Hashable:
        """Return what shapes see in a subject: the same for two subjects only where the same can be wrong with both."""
        seen: list[Any] = [subject] if subject in sight.known else []
        for predicate, terms in self.facts[subject].items():
            seen.append(predicate)
            if predicate in sight.counted:
                seen += map(type, terms)
            elif predicate in sight.followed:
                seen += [id(self.said_of(term, sight)) for term in terms]
            else:
                seen += map(id, terms)
        return tuple(seen)

    def said_of(self, term: Any, sight: Sight) -> Any:
        """Return what is said of an object, or itself where that is nothing, or not all that shapes may see of it."""
        if type(term) is Literal or (iri := term.value) in sight.known:
            return term
        return self.facts.get(iri, term)

    def validated(self, subjects_: Iterable[str], done: set[str]) -> Iterator[Any]:
        """Yield the results for subjects that are not done yet; afterwards they are.

        Part by part: text and graph of a large load are never in memory as a whole. What is one step from a part's
        subjects (an assertion's evidence) is seen whole as well, so it is done with it.
        """
        size = PART if _looks_near(self.model) else max(len(self.own), 1)
        left = (subject for subject in subjects_ if subject not in done)
        while subjects := set(islice(left, size)):
            lines, near = self.surroundings(subjects)
            subjects |= {subject for subject in near - done if subject in self.own}
            done |= subjects
            text = "".join(lines)
            del lines
            for result in _compiled_shapes(self.model).validate_text(text, "ntriples").results:
                if _iri(result.focus_node) in subjects:
                    yield result

    def surroundings(self, subjects: Collection[str]) -> tuple[list[str], set[str]]:
        """Return as N-Triples what shapes can see from subjects and what is next to them, and what is next to them."""
        schema = _schema_seen(self.model)
        done, fresh, near = set[str](), set(subjects), set[str]()
        lines = list(schema.anywhere)
        for step in range(STEPS + 1):
            done |= fresh
            following: set[str] = set()
            for iri in fresh:
                for predicate, terms in self.facts.get(iri, NO_FACTS).items():
                    for term in terms:
                        lines.append(f"<{iri}> <{predicate}> {term!s} .\n")
                        if (value := term.value) not in done and (value in self.facts or value in schema.near):
                            following.add(value)
                if iri in schema.near:
                    of_schema = schema.near[iri]
                    lines += of_schema.lines
                    following |= of_schema.objects - done
            fresh = following
            near = near if step else following
        return lines, near

    def shape_problem(self, result: Any) -> Diagnostic:
        """Return a result of the engine in our words."""
        focus, path = _iri(result.focus_node), _iri(result.path or "")
        who, field = self.described(focus), self.name(path)
        value = self.name(result.value_plain) if result.value_plain else ""
        told = next((m for m in self.messages.get((_iri(result.root_shape or ""), path), ())), None)
        if told and result.component == "InConstraintComponent" and value:
            told = f"{told}, and may not be {value}"
        message = f"{who}: {told}" if told else f"{who}: {_plain(result.component, field, value, result.message)}"
        return self.say(
            "error",
            f"shape-{result.component.removesuffix('ConstraintComponent')}",
            focus,
            message,
            self.near_value(path, value),
        )

    @cached_property
    def messages(self) -> dict[tuple[str, str], list[str]]:
        """The messages of the schema's property shapes."""
        return _messages(self.model)

    def near_value(self, path: str, value: str) -> str:
        """Return the allowed values most like a wrong one, as a hint."""
        allowed = {
            self.name(v.iri): v.name
            for things in self.model.owners
            for f in things.fields
            if f.iri == path
            for v in f.values
        }
        if path == str(KG.sourceKind):
            allowed = {self.name(kind.iri): kind.name for kind in self.model.source_kinds}
        near = process.extract(value, list(allowed), limit=2, score_cutoff=70) if value else []
        if near:
            return f"Did you mean {' or '.join(match for match, *_ in near)}?"
        return f"One of {', '.join(allowed)}." if value and allowed else ""


def _plain(component: str, field: str, value: str, fallback: str | None) -> str:
    phrases: dict[str, Callable[[], str]] = {
        "MinCountConstraintComponent": lambda: f"needs {field}",
        "MaxCountConstraintComponent": lambda: f"has more than one {field}",
        "InConstraintComponent": lambda: f"{field} may not be {value}",
        "DatatypeConstraintComponent": lambda: f"{field} has the value {value}, which is of the wrong datatype",
        "ClassConstraintComponent": lambda: f"{field} refers to {value}, which is not defined or of the wrong kind",
        "PatternConstraintComponent": lambda: f"{field} has the value {value}, which is not of the right form",
        "NodeKindConstraintComponent": lambda: f"{field} has the value {value}; an identifier is needed",
        "NodeConstraintComponent": lambda: f"{field} has the value {value}, which is incomplete or of the wrong form",
    }
    return phrases[component]() if component in phrases else f"{field} {value}: {fallback or component}"


def _iri(term: str) -> str:
    match = re.fullmatch(r"<(.*)>", term)
    return match.group(1) if match else term


@lru_cache(maxsize=4)
def _schema_ntriples(model: Model) -> bytes:
    return bytes(model.shapes.serialize(format="ox-nt"), "utf-8")


class _OfSchema(NamedTuple):
    """What the schema says of a node, as N-Triples, and the nodes that it says more of."""

    lines: Sequence[str]
    objects: Set[str]


class _SchemaSeen(NamedTuple):
    """The part of the schema that is seen from anywhere, and those that are seen only from near their node."""

    anywhere: Sequence[str]
    near: Mapping[str, _OfSchema]


@lru_cache(maxsize=4)
def _schema_seen(model: Model) -> _SchemaSeen:
    """Return what shapes see of the schema: all of it, unless they look at what is near and never at its nameless nodes.

    With every change, all of it took 1.2 ms with Hetionet's schema and 3.2 ms with the seeds', and nothing else ran meanwhile.
    """
    text = _schema_ntriples(model)
    quads = list(parse(text, format=RdfFormat.N_TRIPLES))
    paths = {str(path) for path in model.shapes.objects(None, SH.path)}
    unnamed = {quad.predicate.value for quad in quads if isinstance(quad.object, Unnamed)}
    if not _looks_near(model) or paths & unnamed:
        return _SchemaSeen([text.decode()], {})
    anywhere: list[str] = []
    lines: dict[str, list[str]] = defaultdict(list)
    objects: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        line = f"{quad.triple} .\n"
        if quad.predicate.value == _SUBCLASS:
            anywhere.append(line)
        elif isinstance(quad.subject, NamedNode):
            lines[quad.subject.value].append(line)
            if isinstance(quad.object, NamedNode):
                objects[quad.subject.value].add(quad.object.value)
    return _SchemaSeen(anywhere, {iri: _OfSchema(lines[iri], objects[iri] & lines.keys()) for iri in lines})


@lru_cache(maxsize=4)
def _compiled_shapes(model: Model) -> shacl.Shapes:
    return shacl.Shapes.from_text(_schema_ntriples(model).decode(), format="ntriples")


@dataclass(frozen=True, slots=True)
class Sight:
    """What no shape sees of objects: of those of ``counted`` predicates more than how many and of which sort they are, of
    those of ``followed`` ones more than that and what is said of them. Of others, shapes may see all, and so they may of
    subjects that are ``known``: the schema speaks of them, too.
    """

    counted: frozenset[str]
    followed: frozenset[str]
    known: frozenset[str]


@lru_cache(maxsize=4)
def _sight(model: Model) -> Sight | None:
    """Return what shapes see of objects, or None where a shape may see which IRI a subject has."""
    graph = model.shapes
    told: dict[Node, set[Node]] = defaultdict(set)
    for shape, predicate in graph.subject_predicates():
        if str(predicate).startswith(str(SH)) and predicate not in _SILENT:
            told[shape].add(predicate)
    blind = {shape for shape in told if SH.path not in told[shape] and told[shape] <= _OF_NODES}
    targeted = {shape for target in _TARGETS for shape in graph.subjects(*target)} & told.keys()
    if not targeted <= blind or any((None, far, None) in graph for far in (SH.targetNode, SH.targetObjectsOf)):
        return None
    counted, followed = set[Node](), set[Node]()
    for path in set(graph.objects(None, SH.path)):
        shapes = list(graph.subjects(SH.path, path))
        said = {SH.path}.union(*(told[shape] for shape in shapes)) - {SH.path}
        nodes = {node for shape in shapes for node in graph.objects(shape, SH.node)}
        if said <= _COUNTING:
            counted.add(path)
        elif said <= _FOLLOWING and nodes <= blind:
            followed.add(path)
    compared = {RDF.type}.union(*(graph.objects(None, pair) for pair in _PAIRS))
    known = frozenset(str(subject) for subject in graph.subjects())
    return Sight(frozenset(map(str, counted - compared)), frozenset(map(str, followed - compared)), known)


@lru_cache(maxsize=4)
def _looks_near(model: Model) -> bool:
    """Whether no shape looks further than one step less than is looked, along one predicate a step."""
    graph = model.shapes
    if any((None, far, None) in graph for far in _FAR) or any(
        isinstance(p, BNode) for p in graph.objects(None, SH.path)
    ):
        return False
    return all(_depth(graph, shape, ()) < STEPS for shape in graph.subjects(SH.property))


def _depth(graph: Graph, shape: Node, above: tuple[Node, ...]) -> int:
    """Return over how many steps a shape looks; more than any where it refers to itself."""
    if shape in above:
        return STEPS
    above = (*above, shape)
    members = (m for p in _LISTS for head in graph.objects(shape, p) for m in graph.items(head))
    same = chain(members, *(graph.objects(shape, p) for p in _SAME))
    on = chain.from_iterable(graph.objects(shape, p) for p in _ON)
    inner = (*(_depth(graph, s, above) for s in same), *(1 + _depth(graph, s, above) for s in on))
    return max(inner, default=0)


@lru_cache(maxsize=4)
def _messages(model: Model) -> dict[tuple[str, str], list[str]]:
    """Return (shape, path) -> the messages its property shapes carry."""
    facts = grouped(quad.triple for quad in parse(_schema_ntriples(model), format=RdfFormat.N_TRIPLES))
    sh = "http://www.w3.org/ns/shacl#"
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shape, about in facts.items():
        for node in about.get(f"{sh}property", ()):
            body = facts.get(node.value, {})
            for path in body.get(f"{sh}path", ()):
                out[shape, path.value] += [m.value for m in body.get(f"{sh}message", ()) if isinstance(m, Literal)]
    return out
