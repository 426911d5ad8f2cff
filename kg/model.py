"""The schema folder read into records: what kinds, fields, relations and evidence levels there are.

Everything that knows the domain (GraphQL types, validation, exports, colours) is derived from a
``Model``; nothing else in the engine does. A schema folder holds Turtle files written in the terms
of ``kg/core.ttl``; all ``*.ttl`` in it are read together, so one more kind is one more file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rdflib import Graph, URIRef
from rdflib.collection import Collection
from rdflib.namespace import OWL, RDF, RDFS, SH, SKOS, XSD
from rdflib.term import Node

from kg.errors import SchemaError
from kg.vocabulary import KG, Prefix, Prefixes

CORE = Path(__file__).parent / "core.ttl"
PACKAGED = Path(__file__).parent / "_data"
CHECKOUT = Path(__file__).parent.parent

DATATYPES = {
    str(XSD.string): "string",
    str(XSD.integer): "integer",
    str(XSD.decimal): "decimal",
    str(XSD.double): "decimal",
    str(XSD.boolean): "boolean",
    str(XSD.date): "date",
    str(XSD.anyURI): "string",
}
RESERVED = {"id", "iri", "curie", "label", "synonyms", "description", "xrefs", "broadMatches", "kind", "url", "sources"}


def data_folder(name: str) -> Path:
    """Return the folder ``schema`` or ``seeds`` that came with this installation."""
    packaged = PACKAGED / name
    return packaged if packaged.is_dir() else CHECKOUT / name


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One allowed value of an enumerated field."""

    iri: str
    name: str
    description: str


@dataclass(frozen=True)
class Field:
    """One field of a kind or record.

    ``datatype`` is string, integer, decimal, boolean, date, partialDate, enum, entity (``target``
    names the kind), source, or record (``target`` names the record). ``halted_values`` are the enum
    values that mean a study was stopped, ``halt_reason`` the attribute that says why. The values of a ``graded``
    field run from the least grave to the gravest.
    """

    name: str
    iri: str
    datatype: str
    many: bool
    required: bool
    description: str
    values: tuple[EnumValue, ...] = ()
    target: str | None = None
    curie_prefix: str | None = None
    from_curie: str | None = None
    synonym: bool = False
    halted_values: tuple[str, ...] = ()
    halt_reason: str | None = None
    graded: bool = False

    @cached_property
    def attribute(self) -> str:
        """Name as a Python attribute: ``startDate`` is ``start_date``."""
        return snake_case(self.name)


@dataclass(frozen=True)
class Record:
    """A structured value, such as a CAR construct."""

    name: str
    iri: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Kind:
    """A class of entities."""

    name: str
    iri: str
    label: str
    plural: str
    description: str
    fields: tuple[Field, ...]
    color: str
    shape: str
    id_prefixes: tuple[str, ...]
    biolink_class: str | None

    @cached_property
    def grade_field(self) -> Field | None:
        """The field whose values say how grave a harm is."""
        return next((field for field in self.fields if field.graded), None)

    @cached_property
    def status_field(self) -> Field | None:
        """The field whose values say that a study was halted; only kinds of studies have one."""
        return next((field for field in self.fields if field.halted_values), None)


@dataclass(frozen=True)
class Relation:
    """A predicate between kinds; ``subjects`` and ``objects`` name the kinds that may stand at its ends.

    ``effect_sign``, ``symmetric`` (stored once, holds both ways), ``definitional``, ``harm``,
    ``attempt_of`` and ``speaks_against`` are what reasoning about hypotheses reads; kg/core.ttl says
    what each means.
    """

    name: str
    iri: str
    inverse: str
    description: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    same_kind: bool
    phrase: str
    inverse_phrase: str
    effect_sign: int
    accepts_levels: tuple[str, ...]
    biolink_predicate: str | None
    biolink_association: str | None
    mapping_note: str | None
    symmetric: bool = False
    definitional: bool = False
    harm: bool = False
    attempt_of: tuple[str, ...] = ()
    speaks_against: tuple[str, ...] = ()

    def phrases(self, reversed_: bool = False) -> tuple[str, str]:
        """Return its phrase as walked, and the phrase of the way back."""
        return (self.inverse_phrase, self.phrase) if reversed_ else (self.phrase, self.inverse_phrase)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the (subject kind, object kind) pairs that the relation allows."""
        for subject in self.subjects:
            for object_ in self.objects:
                if not self.same_kind or subject == object_:
                    yield subject, object_


@dataclass(frozen=True)
class EvidenceLevel:
    """How strong a kind of source is: ``strength`` in (0, 1], ``order`` 1 for the strongest."""

    name: str
    iri: str
    order: int
    strength: float
    description: str
    eco: str | None
    knowledge_level: str | None
    agent_type: str | None


@dataclass(frozen=True)
class Link:
    """A relation seen from one kind: where it leads and under which name."""

    name: str
    relation: Relation
    reversed: bool
    kinds: tuple[str, ...]
    description: str


@dataclass(frozen=True, eq=False)
class Model:
    """All that a schema folder says; a model equals only itself."""

    iri: str
    """IRI of the schema's ontology; a folder that adds to another's schema has the same."""
    title: str
    description: str
    kinds: tuple[Kind, ...]
    records: tuple[Record, ...]
    relations: tuple[Relation, ...]
    levels: tuple[EvidenceLevel, ...]
    predicts: tuple[str, ...]
    prefixes: Prefixes
    directions: tuple[EnumValue, ...]
    verifications: tuple[EnumValue, ...]
    source_kinds: tuple[EnumValue, ...]
    shapes: Graph = field(repr=False)

    @cached_property
    def kind(self) -> dict[str, Kind]:
        """Kinds by name."""
        return {kind.name: kind for kind in self.kinds}

    @cached_property
    def owners(self) -> tuple[Kind | Record, ...]:
        """Everything that has fields: kinds, then records."""
        return (*self.kinds, *self.records)

    @cached_property
    def record(self) -> dict[str, Record]:
        """Records by name."""
        return {record.name: record for record in self.records}

    @cached_property
    def relation(self) -> dict[str, Relation]:
        """Relations by name."""
        return {relation.name: relation for relation in self.relations}

    @cached_property
    def level(self) -> dict[str, EvidenceLevel]:
        """Evidence levels by name."""
        return {level.name: level for level in self.levels}

    @cached_property
    def by_iri(self) -> dict[str, Kind | Record | Relation | EvidenceLevel]:
        """Kinds, records, relations and levels by IRI."""
        everything: tuple[Kind | Record | Relation | EvidenceLevel, ...] = (
            *self.kinds,
            *self.records,
            *self.relations,
            *self.levels,
        )
        return {thing.iri: thing for thing in everything}

    def links(self, kind: str) -> tuple[Link, ...]:
        """Return the relations that lead from or to a kind, each under the name it has from there."""
        links = []
        for relation in self.relations:
            onward = tuple(o for s, o in relation.pairs() if s == kind)
            back = tuple(s for s, o in relation.pairs() if o == kind)
            if onward:
                links.append(Link(relation.name, relation, False, onward, relation.description))
            if back:
                described = f"{relation.description} Seen from the other end."
                links.append(Link(relation.inverse, relation, True, back, described))
        return tuple(links)


def snake_case(name: str) -> str:
    """Return ``startDate`` as ``start_date``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def load_model(folder: Path | None = None) -> Model:
    """Read a schema folder (the one that came with the installation by default).

    Raises SchemaError, naming the term, where the folder is missing, does not parse or does not fit together.
    """
    folder = folder or data_folder("schema")
    files = sorted(folder.glob("*.ttl")) if folder.is_dir() else []
    if not files:
        raise SchemaError(f"{folder} holds no schema: a folder with at least one *.ttl file is needed.")
    graph = Graph()
    for file in [CORE, *files]:
        try:
            graph.parse(file, format="ox-turtle")
        except (SyntaxError, ValueError) as error:
            raise SchemaError(f"{file} is not valid Turtle: {error}") from error
    return _Reader(graph, folder).model()


class _Reader:
    """Reads the records of a model out of the schema's triples."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph = graph
        self.folder = folder

    def model(self) -> Model:
        kinds = tuple(self.kind(node) for node in self.ordered(KG.Kind))
        if not kinds:
            raise SchemaError(f"{self.folder} declares no kg:Kind.")
        names = tuple(kind.name for kind in kinds)
        evidence = {str(self.graph.value(p, SH.path)): p for p in self.graph.objects(KG.Evidence, SH.property)}
        source = {str(self.graph.value(p, SH.path)): p for p in self.graph.objects(KG.Source, SH.property)}
        ontology = next((o for o in self.graph.subjects(KG.predicts, None)), None)
        iri, title, description = self.about()
        model = Model(
            iri=iri,
            title=title,
            description=description,
            kinds=kinds,
            records=tuple(self.record(node) for node in self.ordered(KG.Record)),
            relations=tuple(self.relation(node, names) for node in self.ordered(KG.Relation)),
            levels=tuple(self.level(node) for node in self.ordered(KG.EvidenceLevel)),
            predicts=tuple(sorted(map(local_name, self.graph.objects(ontology, KG.predicts)))) if ontology else (),
            prefixes=Prefixes(self.prefixes()),
            directions=self.enum(evidence[str(KG.direction)]),
            verifications=self.enum(evidence[str(KG.verification)]),
            source_kinds=self.enum(source[str(KG.sourceKind)]),
            shapes=self.graph,
        )
        _check(model)
        return model

    def about(self) -> tuple[str, str, str]:
        """Return the IRI, title and description of the schema."""
        for node in sorted(self.graph.subjects(RDF.type, OWL.Ontology), key=str):
            if str(node) != str(KG._NS):
                return str(node), self.text(node, RDFS.label) or "Knowledge graph", self.text(node, RDFS.comment)
        return "", "Knowledge graph", ""

    def ordered(self, type_: URIRef) -> list[Node]:
        nodes = set(self.graph.subjects(RDF.type, type_))
        return sorted(nodes, key=lambda node: (float(self.text(node, SH.order) or "inf"), str(node)))

    def text(self, node: Node, predicate: URIRef) -> str:
        value = self.graph.value(node, predicate)
        return "" if value is None else str(value)

    def texts(self, node: Node, predicate: URIRef) -> tuple[str, ...]:
        return tuple(sorted(str(value) for value in self.graph.objects(node, predicate)))

    def need(self, node: Node, predicate: URIRef) -> str:
        value = self.text(node, predicate)
        if not value:
            raise SchemaError(f"{node} in {self.folder} needs {predicate.n3(self.graph.namespace_manager)}.")
        return value

    def prefixes(self) -> Iterable[Prefix]:
        for declaration in self.graph.objects(None, SH.declare):
            yield Prefix(
                prefix=self.need(declaration, SH.prefix),
                namespace=self.need(declaration, SH.namespace),
                synonyms=self.texts(declaration, KG.prefixSynonym),
                url_template=self.text(declaration, KG.urlTemplate) or None,
            )

    def kind(self, node: Node) -> Kind:
        name = local_name(node)
        return Kind(
            name=name,
            iri=str(node),
            label=self.text(node, RDFS.label) or name,
            plural=self.need(node, KG.plural),
            description=self.need(node, RDFS.comment),
            fields=self.fields(node),
            color=self.text(node, KG.color) or "#777777",
            shape=self.text(node, KG.shape) or "ellipse",
            id_prefixes=self.texts(node, KG.idPrefix),
            biolink_class=self.text(node, KG.biolinkClass) or None,
        )

    def record(self, node: Node) -> Record:
        return Record(local_name(node), str(node), self.need(node, RDFS.comment), self.fields(node))

    def fields(self, node: Node) -> tuple[Field, ...]:
        shapes = sorted(
            self.graph.objects(node, SH.property), key=lambda p: (float(self.text(p, SH.order) or "inf"), str(p))
        )
        return tuple(self.field(shape) for shape in shapes)

    def field(self, shape: Node) -> Field:
        iri = self.need(shape, SH.path)
        datatype, target = self.datatype(shape)
        return Field(
            name=self.text(shape, SH.name) or local_name(URIRef(iri)),
            iri=iri,
            datatype=datatype,
            many=self.text(shape, SH.maxCount) != "1",
            required=int(self.text(shape, SH.minCount) or 0) > 0,
            description=self.need(shape, SH.description),
            values=self.enum(shape) if datatype == "enum" else (),
            target=target,
            curie_prefix=self.text(shape, KG.curiePrefix) or None,
            from_curie=self.text(shape, KG.fromCurie) or None,
            synonym=self.text(shape, KG.synonym) == "true",
            halted_values=tuple(
                self.need(v, SKOS.notation) for v in sorted(self.graph.objects(shape, KG.haltedValue), key=str)
            ),
            halt_reason=snake_case(local_name(reason)) if (reason := self.graph.value(shape, KG.haltReason)) else None,
            graded=self.text(shape, KG.graded) == "true",
        )

    def datatype(self, shape: Node) -> tuple[str, str | None]:
        node, class_ = self.graph.value(shape, SH.node), self.graph.value(shape, SH["class"])
        if self.graph.value(shape, SH["in"]) is not None:
            return "enum", None
        if node == KG.PartialDate:
            return "partialDate", None
        if node is not None:
            return "record", local_name(node)
        if class_ == KG.Source:
            return "source", None
        if class_ is not None:
            return "entity", local_name(class_)
        declared = self.text(shape, SH.datatype)
        if declared not in DATATYPES:
            raise SchemaError(
                f"The field {self.text(shape, SH.path)} has the datatype {declared or 'none'}; known are {', '.join(DATATYPES)}."
            )
        return DATATYPES[declared], None

    def enum(self, shape: Node) -> tuple[EnumValue, ...]:
        head = self.graph.value(shape, SH["in"])
        if head is None:
            raise SchemaError(f"The field {self.text(shape, SH.path)} needs sh:in.")
        return tuple(
            EnumValue(str(value), self.need(value, SKOS.notation), self.need(value, RDFS.comment))
            for value in Collection(self.graph, head)
        )

    def relation(self, node: Node, kinds: tuple[str, ...]) -> Relation:
        return Relation(
            name=local_name(node),
            iri=str(node),
            inverse=local_name(URIRef(self.need(node, OWL.inverseOf))),
            description=self.need(node, RDFS.comment),
            subjects=self.ends(node, RDFS.domain, kinds),
            objects=self.ends(node, RDFS.range, kinds),
            same_kind=self.text(node, KG.sameKind) == "true",
            phrase=self.text(node, KG.phrase) or local_name(node),
            inverse_phrase=self.text(node, KG.inversePhrase) or self.text(node, KG.phrase),
            effect_sign=int(self.text(node, KG.effectSign) or 0),
            accepts_levels=tuple(
                self.text(level, SKOS.notation) for level in sorted(self.graph.objects(node, KG.acceptsLevel), key=str)
            ),
            biolink_predicate=self.text(node, KG.biolinkPredicate) or None,
            biolink_association=self.text(node, KG.biolinkAssociation) or None,
            mapping_note=self.text(node, KG.mappingNote) or None,
            symmetric=(node, RDF.type, OWL.SymmetricProperty) in self.graph,
            definitional=self.text(node, KG.definitional) == "true",
            harm=self.text(node, KG.harm) == "true",
            attempt_of=tuple(sorted(map(local_name, self.graph.objects(node, KG.attemptOf)))),
            speaks_against=tuple(sorted(map(local_name, self.graph.objects(node, KG.speaksAgainst)))),
        )

    def ends(self, node: Node, predicate: URIRef, kinds: tuple[str, ...]) -> tuple[str, ...]:
        declared = [local_name(end) for end in self.graph.objects(node, predicate)]
        if "Entity" in declared:
            return kinds
        unknown = [name for name in declared if name not in kinds]
        if unknown or not declared:
            raise SchemaError(
                f"{node} has the {local_name(predicate)} {unknown or 'nothing'}; kinds are {', '.join(kinds)}."
            )
        return tuple(sorted(declared))

    def level(self, node: Node) -> EvidenceLevel:
        strength = float(self.need(node, KG.strength))
        if not 0 < strength <= 1:
            raise SchemaError(f"The strength of {node} is {strength}; it must lie in (0, 1].")
        return EvidenceLevel(
            name=self.need(node, SKOS.notation),
            iri=str(node),
            order=int(self.need(node, SH.order)),
            strength=strength,
            description=self.need(node, RDFS.comment),
            eco=self.text(node, KG.ecoCode) or None,
            knowledge_level=self.text(node, KG.knowledgeLevel) or None,
            agent_type=self.text(node, KG.agentType) or None,
        )


def local_name(node: Node) -> str:
    """Return the part of an IRI behind its last / or #."""
    return re.split(r"[/#]", str(node))[-1]


def _check(model: Model) -> None:
    """Raise SchemaError where two declarations claim one name."""
    for kind in model.kinds:
        taken = set(RESERVED)
        for name in [f.name for f in kind.fields] + [link.name for link in model.links(kind.name)]:
            if name in taken:
                raise SchemaError(f"{kind.name} has two fields or relations called {name}.")
            taken.add(name)
    plurals = [kind.plural for kind in model.kinds]
    if len(set(plurals)) < len(plurals):
        raise SchemaError(f"Two kinds share a plural: {', '.join(sorted(plurals))}.")
    if not model.levels:
        raise SchemaError("The schema declares no kg:EvidenceLevel.")
    for owner in model.owners:
        for item in owner.fields:
            known = model.record if item.datatype == "record" else model.kind
            if item.target is not None and item.target not in known:
                raise SchemaError(f"{owner.name}.{item.name} refers to {item.target}, which is not declared.")
