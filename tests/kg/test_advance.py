"""The next snapshot made out of the last one is the one that reading the whole graph would give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from kg import GraphService, Model, Snapshot
from kg.advance import advanced
from kg.columns import Columns, EvidenceReader, Room
from kg.diagnostics import Diagnostic
from kg.documents import Document
from kg.graph import Plan
from kg.near import Near
from kg.packed import Packed
from kg.projection import Claim, Projection, project, project_both, project_facts
from kg.reading import name_nodes, read_text
from kg.store import Store
from kg.triples import grouped
from tests.conftest import TINY

PREFIXES = "".join(
    line for line in sorted(TINY.glob("*.ttl"))[0].read_text("utf-8").splitlines(True) if line.startswith("@prefix")
)
THERAPIES, TARGETS, TRIALS = ("alpha", "beta", "gamma", "delta"), ("1633", "11913"), ("NCT00000001", "NCT00000002")
LEVELS, DATES = ("RandomizedTrial", "CaseSeries", "NewsReport"), ('"2020"^^xsd:gYear', '"2022-03-01"^^xsd:date')


@dataclass(frozen=True)
class Told:
    """A piece of evidence in a generated file."""

    source: int
    level: str
    supports: bool
    date: str
    study: str | None
    comment: int | None


@dataclass(frozen=True)
class State:
    """A whole graph: therapies with their labels, sources with their citations, trials, and who targets what."""

    therapies: dict[str, tuple[str, int | None]]
    sources: dict[int, int]
    trials: tuple[int, int]
    claims: dict[tuple[str, str], frozenset[Told]]

    def documents(self) -> list[Document]:
        """Return its files."""
        things = [f'HGNC:{t} a kg:Target ; rdfs:label "t{t}" .' for t in TARGETS]
        for name, (label, cited) in self.therapies.items():
            built = f"; kg:construct [ a kg:CarConstruct ; kg:antigen HGNC:1633 ; dcterms:source <https://s.example/{cited}> ]"
            things.append(f'therapy:{name} a kg:Therapy ; rdfs:label "{label}" {built * (cited is not None)} .')
        things += [
            f'CLINICALTRIALS:{t} a kg:Trial ; rdfs:label "trial {v}" .'
            for t, v in zip(TRIALS, self.trials, strict=True)
        ]
        sources = [
            f'<https://s.example/{i}> a kg:Source ; dcterms:bibliographicCitation "cited {v}" .'
            for i, v in self.sources.items()
        ]
        claims = [
            f"[] a kg:Assertion ; rdf:subject therapy:{s} ; rdf:predicate kg:targets ; rdf:object HGNC:{o} ; kg:evidence "
            + " , ".join(map(_evidence, sorted(told, key=repr)))
            + " ."
            for (s, o), told in self.claims.items()
        ]
        parts = {"things.ttl": things, "sources.ttl": sources, "claims.ttl": claims[::2], "more.ttl": claims[1::2]}
        return [_document(name, lines) for name, lines in parts.items()]


def _evidence(told: Told) -> str:
    more = f" ; kg:study {told.study}" if told.study else ""
    more += f' ; rdfs:comment "{told.comment}"' if told.comment is not None else ""
    direction = "Supports" if told.supports else "Contradicts"
    return f"[ dcterms:source <https://s.example/{told.source}> ; kg:level kg:{told.level} ; kg:direction kg:{direction} ; dcterms:date {told.date}{more} ]"


def _document(name: str, lines: list[str]) -> Document:
    return name_nodes(read_text((PREFIXES + "\n".join(lines)).encode(), "ttl", name))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Return a graph whose assertions are about therapies that there are."""
    variants = st.integers(0, 1)
    sources = draw(st.dictionaries(st.integers(0, 3), variants, min_size=1))
    source = st.sampled_from(sorted(sources))
    labels = st.tuples(st.sampled_from("bdfh"), st.none() | source)
    therapies = draw(st.dictionaries(st.sampled_from(THERAPIES), labels, min_size=1))
    ends = st.tuples(st.sampled_from(sorted(therapies)), st.sampled_from(TARGETS))
    study = st.sampled_from([None, None, "study:x", "CLINICALTRIALS:NCT00000001"])
    evidence = st.builds(
        Told,
        source,
        st.sampled_from(LEVELS),
        st.booleans(),
        st.sampled_from(DATES),
        study,
        st.sampled_from([None, 1, 2]),
    )
    claims = draw(st.dictionaries(ends, st.frozensets(evidence, min_size=1, max_size=3), max_size=6))
    return State(therapies, sources, draw(st.tuples(variants, variants)), claims)


def told(columns: Columns) -> dict[str, Any]:
    """Return all that columns say, whatever their rows of evidence are numbered."""
    reader = EvidenceReader(columns)
    same = ("sources", "studies")
    arrays = ("subjects", "relations", "objects", "confidences", "by_id", "starts")
    return {
        "entities": tuple(columns.entities),
        **{name: getattr(columns, name) for name in same},
        **{name: getattr(columns, name).tolist() for name in arrays},
        "ids": [columns.id(position) for position in range(len(columns))],
        "evidence": [reader.of(position) for position in range(len(columns))],
        "supported": columns.supported.tolist(),
        "types": {name: getattr(columns, name).dtype.kind for name in arrays},
    }


def apply(service: GraphService, state: State, tried: State | None = None) -> None:
    """Change a service's graph, after having looked where another change would lead."""
    if tried is not None:
        service.after(planned(service, tried))
    service.apply(planned(service, state), message="m", author="a")


def planned(service: GraphService, state: State) -> Plan:
    """Return the plan for a state; generated ones need not stand any checks."""
    return service.planned(service.store.prepare(state.documents()))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(states(), st.none() | states()), min_size=2, max_size=5))
def test_any_changes_lead_where_reading_anew_leads(
    tmp_path_factory: Any, model: Model, history: list[tuple[State, State | None]]
) -> None:
    """Entities, sources, studies and evidence come, change, move in their order, and go; what was only tried leaves no trace."""
    with Store(tmp_path_factory.mktemp("data"), free_bytes=0) as store:
        service = GraphService(store, model)
        for state, tried in history:
            apply(service, state, tried)
            assert told(service.snapshot.columns) == told(Columns.of(project(store.triples(), model), model))
            assert _links(service.snapshot) == _links(
                Snapshot(model, project(store.triples(), model), service.snapshot.version)
            )


def _links(graph: Snapshot) -> dict[str, Any]:
    return {
        entity.curie: (
            {
                name: [(e.node.label, e.confidence, e.node.graph == graph) for e in edges]
                for name, edges in entity.links.items()
            },
            {f: str(getattr(entity, f)) for f in ("label", "sources", "xrefs")},
            [hit.entity is entity for hit in graph.search(entity.curie, limit=1)],
        )
        for entity in graph.entities.values()
    }


# an assertion that the tiny graph does not have
ONE_MORE = (
    PREFIXES + "[] a kg:Assertion ; rdf:subject therapy:beta ; rdf:predicate kg:depletes ; rdf:object CL:0000786 ; "
    'kg:evidence [ dcterms:source <https://example.org/rct> ; kg:level kg:Preclinical ; kg:direction kg:Supports ; dcterms:date "2024"^^xsd:gYear ] .'
)


def load_one_more(service: GraphService) -> None:
    service.load([name_nodes(read_text(ONE_MORE.encode(), "ttl", "one.ttl"))], message="one", author="a")


def test_a_small_change_is_not_read_anew(service: GraphService, monkeypatch: Any) -> None:
    """And what it did not touch is shared with the version before."""
    before = service.snapshot
    monkeypatch.setattr(GraphService, "_build", lambda self: 1 / 0)
    load_one_more(service)
    after = service.snapshot
    assert after.columns.entities is before.columns.entities
    assert (len(after.assertions), len(before.assertions)) == (len(before.columns) + 1, len(before.columns))
    assert [e.node.curie for e in after.entity("therapy:beta").edges("depletes")] == ["CL:0000786"]
    assert not before.entity("therapy:beta").edges("depletes")
    service.revert(2, message="undo", author="a")
    assert told(service.snapshot.columns) == told(before.columns)


def test_what_stands_before_others_moves_them(service: GraphService, model: Model) -> None:
    """A source and an entity that sort first renumber all others, of which the change says nothing."""
    text = (
        PREFIXES + '<https://a.example/> a kg:Source ; dcterms:bibliographicCitation "first" . '
        'CL:0000001 a kg:CellPopulation ; rdfs:label "a cell" . '
        "[] a kg:Assertion ; rdf:subject therapy:beta ; rdf:predicate kg:depletes ; rdf:object CL:0000001 ; "
        'kg:evidence [ dcterms:source <https://a.example/> ; kg:level kg:Preclinical ; kg:direction kg:Supports ; dcterms:date "2024"^^xsd:gYear ] .'
    )
    prepared = service.store.prepare([name_nodes(read_text(text.encode(), "ttl", "one.ttl"))])
    service.apply(service.planned(prepared), message="m", author="a")
    assert service.snapshot.sources[0].citation == "first"
    assert told(service.snapshot.columns) == told(Columns.of(project(service.store.triples(), model), model))


def test_versions_see_their_own_rows_however_many_follow_the_same_one() -> None:
    """Rows are written behind those that there are, by the first who asks; another gets a column of its own."""
    column, two, three = np.array([b"a", b"bb"]), np.array([b"cc"]), np.array([b"ddd", b"e"])
    room = Room(column, np.zeros(8, "S2"))
    base = room.rows(2)
    first = room.with_more(base, two)
    assert first is not None
    assert first.tolist() == [b"a", b"bb", b"cc"]
    assert np.shares_memory(first, base)
    assert room.with_more(base, two) is None  # these rows are another's
    assert room.with_more(column, two) is None  # not of this room
    assert room.with_more(first, three) is None  # too wide
    assert room.with_more(first, np.zeros(99, "S1")) is None  # too many
    assert base.tolist() == [b"a", b"bb"]


def test_a_plan_is_not_worked_out_again(service: GraphService, monkeypatch: Any) -> None:
    """What stands around a change was looked up to say what it means."""
    plan = service.plan([name_nodes(read_text(ONE_MORE.encode(), "ttl", "one.ttl"))])
    monkeypatch.setattr(GraphService, "_parts", lambda self, delta: 1 / 0)
    tried = service.after(plan)
    service.apply(plan, message="one", author="a")
    assert told(service.snapshot.columns) == told(tried.columns)


def test_evidence_that_is_no_longer_in_use_does_not_pile_up(tiny_graph: Snapshot) -> None:
    """However often an assertion is changed."""
    columns = tiny_graph.columns
    nothing = Projection((), (), {}, {})
    whole = Projection(columns.entities, (), {s.iri: s for s in columns.sources}, {s.iri: s for s in columns.studies})
    claims = _claims(tiny_graph)
    for _ in range(6):
        gone = advanced(columns, Projection(whole.entities, claims, whole.sources, whole.studies), whole)
        assert gone is not None
        assert len(gone) == 0
        back = advanced(gone, whole, Projection(whole.entities, claims, whole.sources, whole.studies))
        assert back is not None
        columns = back
    assert told(columns) == told(tiny_graph.columns)
    assert len(columns.evidence) <= 2 * len(columns.rows)
    assert advanced(columns, nothing, nothing) is not None


def _claims(graph: Snapshot) -> tuple[Any, ...]:
    return tuple(Claim(a.id, a.iri, a.subject.curie, a.relation, a.object.curie, a.evidence) for a in graph.assertions)


def test_packed_values_come_back_as_they_were() -> None:
    """Tuples as tuples, and whole numbers of any size."""
    values = [("2020", None, 3, "é\u2028", 1.5, True), 2**70, ("x", (2**64, "y")), {"a": (1, {"b": -(2**80)})}, ()]
    data, ends = Packed.of(values).bytes_and_ends()
    packed = Packed(data, ends).with_more(["later"])
    assert list(packed) == [*values, "later"]
    again = Packed(*packed.bytes_and_ends())
    assert list(again[1:]) == [*values[1:], "later"]


def test_two_projections_that_share_entities_are_those_made_apart(model: Model) -> None:
    """An entity is shared only where nothing that it shows of others (sources, records) can have changed."""
    whole = list(name_nodes(read_text((TINY / "tiny.ttl").read_bytes(), "ttl", "tiny.ttl")).triples)
    before = grouped(whole)
    for subject, about in before.items():
        for predicate in about:
            come = [t for t in whole if (t.subject, t.predicate) != (NamedNode(subject), NamedNode(predicate))]
            after = {iri: said if iri == subject else before[iri] for iri, said in grouped(come).items()}
            for old, new in ((before, after), (after, before)):
                try:
                    apart = project_facts(old, model), project_facts(new, model)
                except KeyError:  # evidence without its type, which no check lets through
                    continue
                assert project_both(old, new, model) == apart


def test_what_was_looked_up_before_another_change_is_not_used_after_it(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that comes between checking one and working it out is seen by what the one means."""
    told_once = Told(0, "CaseSeries", True, DATES[0], None, None)
    claims = {("alpha", "1633"): frozenset([told_once])}
    state = State({"alpha": ("b", None)}, {0: 0}, (0, 0), claims)
    things, sources, claim, _ = state.documents()
    with Store(tmp_path, free_bytes=0) as store:
        service = GraphService(store, model)
        store.load([things, sources], message="m", author="a")

        def check(*given: Any, near: Near, **more: Any) -> list[Diagnostic]:
            assert not any(near.about(triple.subject) for triple in claim.triples)
            store.load([Document("between.ttl", "0" * 64, "", claim.triples)], message="m", author="b")
            return []

        monkeypatch.setattr(service, "check", check)
        plan = service.plan([claim])
        assert not plan.diff, "another file says the same already"
