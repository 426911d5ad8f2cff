"""Every version can be had again, told apart and undone, and nothing half done is ever seen."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from rdflib import Graph
from rdflib.namespace import PROV, RDF

from kg import GraphService, Model
from kg.changes import Delta, compose, pack, unpack
from kg.documents import Document
from kg.errors import CheckFailed, Conflict, NotFound, RevertConflict
from kg.exporting import EXPORTS, export, history_turtle
from kg.graph import read_files
from kg.reading import name_nodes, read_text
from kg.store import Store
from tests.conftest import TINY

HEAD = "@prefix x: <http://x/> .\n"


def doc(name: str, text: str) -> Document:
    return name_nodes(read_text((HEAD + text).encode(), "ttl", name))


def load(store: Store, name: str, text: str, **kw: Any):
    return store.load([doc(name, text)], message=f"load {name}", author="me", **kw)


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "data") as store:
        yield store


def said(store: Store) -> set[str]:
    return {t.object.value for t in store.triples()}


# ---------------------------------------------------------------- versions
def test_any_version_is_reproduced_bit_for_bit(store: Store, model: Model) -> None:
    texts = []
    for text in ('x:a x:n "1", "\\u2028odd" .', 'x:a x:n "2" . x:b x:n "3"@en .', 'x:c x:n "4\\n" .'):
        load(store, "a.ttl", text)
        texts.append({format_: export(store, model, store.version, format_) for format_ in EXPORTS})
    for version, text in enumerate(texts, 1):
        assert {format_: export(store, model, version, format_) for format_ in EXPORTS} == text
    assert export(store, model, 0, "nq") == b""
    with pytest.raises(NotFound, match="versions 1 to 3"):
        export(store, model, 4, "nq")


def test_an_export_loads_back_as_the_files_it_came_from(store: Store, model: Model, tmp_path: Path) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .')
    load(store, "sub/b.ttl", 'x:b x:n "2" . x:a x:n "1" .')
    for format_ in ("nq", "trig"):
        (tmp_path / f"all.{format_}").write_bytes(export(store, model, 2, format_))
        with Store(tmp_path / format_) as other:
            other.load(read_files([tmp_path / f"all.{format_}"]), message="copy", author="me")
            assert set(other.sources()) == {"a.ttl", "sub/b.ttl"}
            assert export(other, model, 1, "nq") == export(store, model, 2, "nq")


def test_the_difference_of_two_versions_is_the_net_effect(store: Store) -> None:
    for text in ('x:a x:n "1" .', 'x:a x:n "2" .', 'x:a x:n "1", "3" .'):
        load(store, "a.ttl", text)
    net = store.between(1, 3)
    assert ([q.object.value for q in net.removed], [q.object.value for q in net.added]) == ([], ["3"])
    assert store.between(3, 1) == net.reversed()
    assert not store.between(2, 2)


def test_history_reads_as_prov(store: Store) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .', change_id="mine")
    store.revert(1, message="no", author="ada")
    graph = Graph().parse(data=history_turtle(store), format="turtle")
    (second,) = [s for s in graph.subjects(PROV.wasAssociatedWith) if str(s).endswith("/2")]
    assert str(graph.value(second, PROV.wasAssociatedWith)) == "ada"
    assert len(list(graph.subjects(RDF.type))) == 2
    assert "delta" not in history_turtle(store)


def test_a_change_id_is_made_once(store: Store, tmp_path: Path) -> None:
    """A client that lost the answer asks again, even after others wrote and the process was restarted."""
    first = load(store, "a.ttl", 'x:a x:n "1" .', change_id="mine")
    load(store, "a.ttl", 'x:a x:n "2" .')
    assert load(store, "a.ttl", 'x:a x:n "1" .', change_id="mine", expected_version=0) == first
    assert (said(store), store.version) == ({"2"}, 2)
    store.close()
    with Store(tmp_path / "data") as again:
        assert load(again, "a.ttl", 'x:a x:n "1" .', change_id="mine") == first


# ---------------------------------------------------------------- undoing
def test_undoing_is_a_new_version_that_leaves_later_ones(store: Store, model: Model) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .')
    digest = store.sources()["a.ttl"]
    load(store, "a.ttl", 'x:a x:n "2" .')
    load(store, "b.ttl", 'x:b x:n "3" .')
    change = store.revert(2, message="wrong", author="me")
    assert (change.version, change.reverts, said(store)) == (4, 2, {"1", "3"})
    assert store.sources()["a.ttl"] == digest, "the file is known to be as it was"
    store.revert(4, message="right after all", author="me")
    assert said(store) == {"2", "3"}
    assert load(store, "a.ttl", 'x:a x:n "2" .') is None


def test_undoing_the_first_load_of_a_file_takes_it_out(store: Store) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .')
    store.revert(1, message="no", author="me")
    assert (said(store), store.sources()) == (set(), {})


def test_what_was_changed_again_cannot_be_undone_and_the_later_versions_are_named(store: Store) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .')
    load(store, "a.ttl", 'x:a x:n "2" .')
    load(store, "a.ttl", 'x:a x:n "3" .')
    with pytest.raises(RevertConflict, match=r"by version 2\. Revert those first") as caught:
        store.revert(1, message="no", author="me")
    assert caught.value.extensions["laterChangeSets"] == [2]
    assert (store.version, said(store)) == (3, {"3"})
    store.revert(3, message="first this", author="me")
    store.revert(2, message="then that", author="me")
    assert said(store) == {"1"}


def test_a_prepared_change_is_refused_when_the_graph_moved_on(store: Store) -> None:
    load(store, "a.ttl", 'x:a x:n "1" .')
    prepared = store.prepare([doc("a.ttl", 'x:a x:n "2" .')])
    load(store, "b.ttl", 'x:b x:n "9" .')
    with pytest.raises(Conflict):
        store.commit(prepared, message="late", author="me")
    assert said(store) == {"1", "9"}


def test_two_writers_at_once_one_wins_and_nothing_is_lost(store: Store) -> None:
    load(store, "a.ttl", 'x:a x:n "0" .')
    outcomes: list[str] = []

    def write(text: str) -> None:
        try:
            load(store, f"{text}.ttl", f'x:a x:n "{text}" .', expected_version=1)
            outcomes.append("won")
        except Conflict as error:
            outcomes.append(f"{error.expected}->{error.actual}")

    threads = [threading.Thread(target=write, args=(text,)) for text in "bcde"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["1->2", "1->2", "1->2", "won"]
    assert (store.version, len(said(store))) == (2, 2)


def test_a_reader_never_sees_half_a_change(store: Store) -> None:
    """Every change replaces all 200 values by others; a look at the graph must find one set of them."""
    load(store, "a.ttl", " ".join(f'x:s{i} x:n "0" .' for i in range(200)))
    stop, mixed, looks = threading.Event(), [], [0]

    def look() -> None:
        while not stop.is_set():
            found = {
                q.object.value for q in store._inner.quads_for_pattern(None, None, None, None) if "/s" in str(q.subject)
            }
            looks[0] += 1
            if len(found) > 1:
                mixed.append(found)

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(1, 15):
        load(store, "a.ttl", " ".join(f'x:s{i} x:n "{n}" .' for i in range(200)))
    stop.set()
    reader.join()
    assert mixed == []
    assert looks[0] > 5


# ---------------------------------------------------------------- what a change means
def text_of_tiny() -> str:
    return (TINY / "tiny.ttl").read_text(encoding="utf-8")


def tiny(text: str) -> list[Document]:
    return [name_nodes(read_text(text.encode(), "ttl", "tiny.ttl"))]


def test_the_diff_speaks_of_entities_assertions_and_evidence(service: GraphService) -> None:
    text = text_of_tiny()
    text = text.replace('rdfs:label "beta-cel"', 'rdfs:label "beta-cell"')
    text = text.replace("kg:level kg:Preclinical", "kg:level kg:CaseSeries")
    text = text.replace('risk:high-cost a kg:Risk ; rdfs:label "high cost" ; kg:category kg:Access .', "")
    start = text.index(
        "[] a kg:Assertion ; rdf:subject therapy:alpha ; rdf:predicate kg:hasRisk ; rdf:object risk:high-cost"
    )
    text = text[:start] + text[text.index("[] a", start + 2) :]
    text += 'therapy:delta a kg:Therapy ; rdfs:label "delta" ; kg:granularity kg:Product ; kg:modality kg:CarT .\n'
    plan = service.plan(tiny(text))
    diff = plan.diff
    assert [e.curie for e in diff.entities_added] == ["therapy:delta"]
    assert [e.curie for e in diff.entities_removed] == ["risk:high-cost"]
    ((change,),) = [(c,) for c in diff.entities_changed]
    assert [(f.name, f.before, f.after) for f in change.fields] == [("label", ("beta-cel",), ("beta-cell",))]
    (assertion,) = diff.assertions_changed
    assert (assertion.relation, assertion.subject.label) == ("targets", "beta-cell")
    assert [e.level.name for e in assertion.evidence_added] == ["CASE_SERIES"]
    assert [e.level.name for e in assertion.evidence_removed] == ["PRECLINICAL"]
    assert assertion.confidence_after != assertion.confidence_before
    assert [a.object.curie for a in diff.assertions_removed] == ["risk:high-cost"]
    assert diff.counts["evidence_added"] == 1
    version = service.apply(plan, message="many things")
    assert version is not None
    assert service.show(version.version)[1] == diff, "afterwards history says the same"
    back = service.diff(2, 1)
    assert ([e.curie for e in back.entities_added], len(back.assertions_added)) == (["risk:high-cost"], 1)


def test_evidence_from_a_second_file_is_evidence_added(service: GraphService) -> None:
    head = "\n".join(line for line in text_of_tiny().splitlines() if line.startswith("@prefix"))
    more = (
        "\n[] a kg:Assertion ; rdf:subject therapy:beta ; rdf:predicate kg:targets ; rdf:object HGNC:11913 ;"
        " kg:evidence [ dcterms:source <https://example.org/rct> ; kg:level kg:CaseSeries ; kg:direction kg:Supports ;"
        ' dcterms:date "2023"^^xsd:gYear ] .'
    )
    plan = service.plan([name_nodes(read_text((head + more).encode(), "ttl", "more.ttl"))])
    (changed,) = plan.diff.assertions_changed
    assert (len(changed.evidence_added), changed.evidence_removed) == (1, ())
    assert (changed.confidence_after or 0) > (changed.confidence_before or 0)
    assert not plan.diff.entities_added


def test_a_change_that_means_nothing_has_an_empty_diff(service: GraphService) -> None:
    assert not service.plan(tiny(text_of_tiny())).diff
    assert not service.plan(tiny(text_of_tiny()))


def test_taking_out_what_others_refer_to_is_refused(service: GraphService) -> None:
    head = "\n".join(line for line in text_of_tiny().splitlines() if line.startswith("@prefix"))
    more = 'therapy:delta a kg:Therapy ; rdfs:label "delta" ; kg:granularity kg:Product ; kg:modality kg:CarT .'
    claim = (
        "[] a kg:Assertion ; rdf:subject therapy:delta ; rdf:predicate kg:targets ; rdf:object HGNC:1633 ;"
        " kg:evidence [ dcterms:source <https://example.org/rct> ; kg:level kg:CaseSeries ; kg:direction kg:Supports ;"
        ' dcterms:date "2023"^^xsd:gYear ] .'
    )
    documents = [
        name_nodes(read_text(f"{head}\n{t}".encode(), "ttl", n)) for n, t in (("d.ttl", more), ("c.ttl", claim))
    ]
    service.load(documents[:1], message="delta")
    service.load(documents[1:], message="claim")
    for attempt in (
        lambda: service.load([], remove=["d.ttl"], message="no"),
        lambda: service.revert(2, message="no"),
    ):
        with pytest.raises(CheckFailed, match=r"therapy:delta would go, but the assertion .* still refers to it"):
            attempt()
    service.revert(3, message="claim first")
    service.revert(2, message="then delta")
    assert service.snapshot.find("therapy:delta") is None


def test_few_triples_are_checked_against_the_graph_as_all_are(service: GraphService, monkeypatch) -> None:
    """Looking up what is near must find what reading everything finds."""
    wrong = text_of_tiny().replace('rdfs:label "gammamab"', 'rdfs:label "alpha-cell" ; skos:exactMatch DOID:9074')
    document = name_nodes(read_text(wrong.encode(), "ttl", "other.ttl"))
    near = service.check([document])
    monkeypatch.setattr("kg.graph.CONTEXT_TRIPLES", -1)
    assert near == service.check([document])


# ---------------------------------------------------------------- against a plain model
FACTS = st.frozensets(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=6)
FILES = st.sampled_from(["one.ttl", "two.ttl", "three.ttl"])
State = dict[str, frozenset[tuple[str, int]]]


class Histories(RuleBasedStateMachine):
    """Random loads, removals, reverts and restarts give the graph that dictionaries of sets give."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name))
        self.states: list[State] = [{}]

    @property
    def now(self) -> State:
        return self.states[-1]

    def expect(self, change: Any, state: State) -> None:
        state = {name: facts for name, facts in state.items() if facts}
        if state == self.now:
            assert change is None
        else:
            self.states.append(state)
            assert change.version == len(self.states) - 1

    @rule(name=FILES, facts=FACTS)
    def load(self, name: str, facts: frozenset[tuple[str, int]]) -> None:
        text = "".join(f"x:{s} x:n {n} . " for s, n in facts)
        self.expect(load(self.store, name, text), {**self.now, name: facts})

    @rule(name=FILES)
    def remove(self, name: str) -> None:
        self.expect(self.store.load([], remove=[name], message="rm", author="me"), {**self.now, name: frozenset()})

    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        if len(self.states) == 1:
            return
        version = data.draw(st.integers(1, len(self.states) - 1))
        before, after = (_quads(self.states[v]) for v in (version - 1, version))
        came, went, now = after - before, before - after, _quads(self.now)
        if came <= now and not went & now:
            change = self.store.revert(version, message="undo", author="me")
            self.expect(change, _state((now - came) | went))
        else:
            with pytest.raises(RevertConflict):
                self.store.revert(version, message="undo", author="me")

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = Store(Path(self.folder.name))

    @invariant()
    def the_store_agrees(self) -> None:
        assert _quads(self.now) == {_plain(q) for q in self.store.quads()}
        assert self.store.version == len(self.states) - 1

    def teardown(self) -> None:
        for version, state in enumerate(self.states):
            assert _quads(state) == {_plain(q) for q in self.store.quads_at(version)}
        self.store.close()
        self.folder.cleanup()


def _quads(state: State) -> set[tuple[str, str, int]]:
    return {(name, s, n) for name, facts in state.items() for s, n in facts}


def _state(quads: set[tuple[str, str, int]]) -> State:
    return {name: frozenset((s, n) for f, s, n in quads if f == name) for name in {f for f, _, _ in quads}}


def _plain(quad: Any) -> tuple[str, str, int]:
    return quad.graph_name.value.rpartition("/")[2], quad.subject.value[-1], int(quad.object.value)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=8, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_deltas_compose_to_their_net_effect() -> None:
    a, b = (
        ox.Quad(ox.NamedNode("http://x/s"), ox.NamedNode("http://x/p"), ox.Literal(v), ox.DefaultGraph()) for v in "ab"
    )
    assert compose([Delta((), (a,)), Delta((a,), (b,)), Delta((b,), (a,))]) == Delta((), (a,))
    assert not compose([Delta((), (a,)), Delta((a,), ())])


@pytest.mark.parametrize("size", [1, 2, 20_000])
def test_a_packed_delta_is_read_back_as_it_was(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("kg.changes.PACKED_AT_ONCE", size)
    texts = ["plain", "two\nlines\n-and\n+signs", "a\u2028b", "+", '"quoted" \\', "\r"]
    some = tuple(
        ox.Quad(ox.NamedNode("http://x/s"), ox.NamedNode("http://x/p"), ox.Literal(text), ox.NamedNode("http://x/g"))
        for text in texts
    )
    for delta in (Delta((), ()), Delta(some, ()), Delta((), some), Delta(some[:3], some[2:])):
        assert unpack(pack(delta)) == delta
