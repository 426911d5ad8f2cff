"""The query ``metagraph``: what there is in the graph and what can be asked of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from kg.model import Model
from kg.snapshot import Snapshot
from server.graphql.members import fill, listed, member
from server.graphql.request import AS_OF, Request
from server.graphql.types import Types


# -------------------------------------------------------------- what can be asked
def metagraph_field(types: Types) -> Any:
    """Return the ``metagraph`` query: kinds, relations and levels with their counts."""
    model = types.model
    kind_enum = types.enums["Kind"]

    def made(name: str, said: str, members: dict[str, Any]) -> Any:
        return strawberry.type(fill(type(name, (), {}), members), name=name, description=said)

    value = made(
        "FieldValue",
        "An allowed value of a field.",
        {"name": member(str, "Name in the API."), "description": member(str, "What it means.")},
    )
    field = made(
        "KindField",
        "A field of a kind.",
        {
            "name": member(str, "Name in the API."),
            "datatype": member(
                str, "string, integer, decimal, boolean, date, partialDate, enum, entity, source or record."
            ),
            "many": member(bool, "Whether it may have several values."),
            "required": member(bool, "Whether it always has a value."),
            "description": member(str, "What it holds."),
            "values": member(listed(value), "Allowed values, where they are fixed."),
        },
    )
    kind = made(
        "MetagraphKind",
        "A kind and how many entities it has.",
        {
            "name": member(kind_enum, "Name of the kind."),
            "label": member(str, "The kind's name in words."),
            "plural": member(str, "Name of its list query."),
            "description": member(str, "What it stands for."),
            "count": member(int, "Number of entities."),
            "color": member(str, "Colour in graph views."),
            "shape": member(str, "Shape in graph views."),
            "id_prefixes": member(list[str], "Prefixes its identifiers have.", name="idPrefixes"),
            "biolink_class": member(str | None, "Biolink Model class.", name="biolinkClass"),
            "fields": member(listed(field), "Its own fields."),
        },
    )
    relation = made(
        "MetagraphRelation",
        "A relation and how many edges it has.",
        {
            "name": member(str, "Name from subject to object."),
            "inverse": member(str, "Name from object to subject."),
            "description": member(str, "What it says."),
            "phrase": member(str, "Verb phrase from subject to object."),
            "inverse_phrase": member(str, "Verb phrase from object to subject.", name="inversePhrase"),
            "effect_sign": member(
                int, "+1 where the subject furthers the object, -1 where it hinders it, else 0.", name="effectSign"
            ),
            "subjects": member(listed(kind_enum), "Kinds its subject may be of."),
            "objects": member(listed(kind_enum), "Kinds its object may be of."),
            "count": member(int, "Number of edges."),
            "biolink_predicate": member(str | None, "Biolink Model predicate or slot.", name="biolinkPredicate"),
            "biolink_association": member(str | None, "Biolink Model association class.", name="biolinkAssociation"),
            "mapping_note": member(str | None, "What the mapping does not say by itself.", name="mappingNote"),
        },
    )
    edge = made(
        "Metaedge",
        "How many edges of a relation lead from one kind to another.",
        {
            "subject": member(kind_enum, "Kind of the subjects."),
            "relation": member(str, "Name of the relation."),
            "object": member(kind_enum, "Kind of the objects."),
            "count": member(int, "Number of edges."),
        },
    )
    level = made(
        "EvidenceLevelInfo",
        "An evidence level, its strength and its mappings.",
        {
            "name": member(types.enums["EvidenceLevel"], "Name of the level."),
            "order": member(int, "Rank; 1 is the strongest."),
            "strength": member(
                float,
                "Probability that a claim resting on one such line alone is right, in (0, 1]; a stated judgement.",
            ),
            "description": member(str, "What belongs to it."),
            "eco": member(str | None, "Term of the Evidence and Conclusion Ontology."),
            "knowledge_level": member(str | None, "Biolink knowledge_level.", name="knowledgeLevel"),
            "agent_type": member(str | None, "Biolink agent_type.", name="agentType"),
            "count": member(int, "Number of pieces of evidence at this level."),
        },
    )
    metagraph = made(
        "Metagraph",
        "What there is in the graph and what can be asked of it.",
        {
            "kinds": member(listed(kind), "Kinds of entities."),
            "relations": member(listed(relation), "Relations."),
            "edges": member(
                listed(edge),
                "Which relations lead from which kinds to which, with counts; empty combinations are left out.",
            ),
            "levels": member(listed(level), "Evidence levels, strongest first."),
        },
    )

    def resolve(self: Request, as_of: date | None = None) -> Any:
        return MetagraphView(model, self.at(as_of))

    return member(
        metagraph, "What there is in the graph and what can be asked of it.", resolve, as_of=(date | None, AS_OF)
    )


class MetagraphView:
    """What ``metagraph`` reads."""

    def __init__(self, model: Model, graph: Snapshot) -> None:
        self.model = model
        self.graph = graph

    @property
    def kinds(self) -> list[_Counted]:
        """Kinds with their counts."""
        return [_Counted(kind, len(self.graph.by_kind[kind.name])) for kind in self.model.kinds]

    @property
    def relations(self) -> list[_Counted]:
        """Relations with their counts."""
        counts = self.graph.relation_counts
        return [
            _Counted(r, sum(n for (_, name, _), n in counts.items() if name == r.name)) for r in self.model.relations
        ]

    @property
    def edges(self) -> list[dict[str, Any] | Any]:
        """Counts by kinds and relation."""
        return [_Metaedge(s, r, o, n) for (s, r, o), n in sorted(self.graph.relation_counts.items())]

    @property
    def levels(self) -> list[_Counted]:
        """Evidence levels with their counts."""
        return [_Counted(level, self.graph.level_counts[level.name]) for level in self.model.levels]


class _Counted:
    """A record of the model with a count beside its own attributes."""

    __slots__ = ("count", "thing")

    def __init__(self, thing: Any, count: int) -> None:
        self.thing = thing
        self.count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.thing, name)


class _Metaedge:
    __slots__ = ("count", "object", "relation", "subject")

    def __init__(self, subject: str, relation: str, object_: str, count: int) -> None:
        self.subject, self.relation, self.object, self.count = subject, relation, object_, count
