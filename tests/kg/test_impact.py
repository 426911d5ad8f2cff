"""A dry run foretells what the lists of hypotheses will say, writes nothing, and says what it left out."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kg import GraphService, Model
from kg.documents import Document
from kg.findings import HypothesisConstraints
from kg.graph import Plan, read_files
from kg.hypotheses import hypotheses
from kg.impact import Limits
from kg.model import data_folder
from kg.overlay import scenario
from kg.store import Store
from tests.server.writing import PREFIXES

CLAIM = """\
@prefix HGNC: <http://identifiers.org/hgnc/> .
@prefix CL: <http://purl.obolibrary.org/obo/CL_> .
[] a kg:Assertion ; rdf:subject {} ; rdf:predicate kg:{} ; rdf:object {} ;
  kg:evidence [ dcterms:source <https://example.org/paper> ; kg:level kg:SingleArmTrial ; kg:direction kg:{} ; dcterms:date "2024-06-01"^^xsd:date ] .
"""


def planned(service: GraphService, tmp_path: Path, *claim: str, direction: str = "Supports") -> Plan:
    """Return the plan of a file with one claim."""
    file = tmp_path / "claim.ttl"
    file.write_text(PREFIXES + CLAIM.format(*claim, direction), encoding="utf-8")
    return service.plan(read_files([file]))


def listed(service: GraphService) -> dict[tuple[str, str], tuple[int, float]]:
    """Return rank and score of every hypothesis about some therapies, as their lists give them."""
    found = {}
    bare = HypothesisConstraints(permutations=0, paths=0, arguments=0, gaps=0)
    for therapy in service.snapshot.by_kind["Therapy"][::12]:
        for h in hypotheses(scenario(service.snapshot), subject=therapy.curie, first=1000, where=bare).items:
            found[h.subject.curie, h.object.curie] = (h.rank, pytest.approx(h.score))
    return found


def test_what_is_foretold_is_what_the_lists_say_afterwards(tmp_path: Path, model: Model) -> None:
    """On the real seeds: a file is taken away, and every pair that is not named stays where it was."""
    with Store(tmp_path / "data") as store:
        service = GraphService(store, model)
        service.load(read_files([data_folder("seeds")]), message="seeds")
        before = listed(service)
        plan = service.plan([], ["mechanisms.ttl"])
        moves = service.impact(plan).hypotheses
        assert (store.version, listed(service)) == (1, before)
        service.apply(plan, message="take mechanisms away")
        after = listed(service)
    foretold = {(m.subject.curie, m.object.curie): m for m in (*moves.moved, *moves.entered, *moves.left)}
    assert moves.left_out is None
    assert moves.compared == moves.pairs > 5_000
    assert moves.counts["ranks_changed"] > 100
    assert before != after
    for pair in before.keys() | after.keys():
        move = foretold.get(pair)
        if move is None:
            assert before[pair][0] == after[pair][0]
            continue
        assert (move.before and move.before.rank and (move.before.rank, move.before.score)) == before.get(pair)
        assert (move.after and move.after.rank and (move.after.rank, move.after.score)) == after.get(pair)


def test_a_pair_that_comes_says_why_and_one_that_goes_what_it_became(service: GraphService, tmp_path: Path) -> None:
    drives = planned(service, tmp_path, "CL:0000236", "drives", "MONDO:0005100")
    (came,) = [m for m in service.impact(drives).hypotheses.entered if m.subject.curie == "therapy:alpha"]
    assert (came.object.label, came.rank_before, came.rank_after) == ("systemic sclerosis", None, 1)
    assert came.before is not None
    assert (came.before.status, came.before.score) == ("UNTESTED", 0.0)
    treats = planned(service, tmp_path, "therapy:alpha", "investigatedFor", "MONDO:0009688")
    (went,) = [m for m in service.impact(treats).hypotheses.left if m.subject.curie == "therapy:alpha"]
    assert went.after is not None
    assert (went.object.label, went.after.status, went.rank_after) == ("myasthenia gravis", "IN_TRIAL", None)


def test_the_confidences_that_move_come_largest_first(service: GraphService, tmp_path: Path) -> None:
    plan = planned(service, tmp_path, "therapy:alpha", "targets", "HGNC:1633", direction="Contradicts")
    impact = service.impact(plan)
    (change,) = impact.confidences
    assert (change.text, impact.confidences_total) == ("alpha-cel targets CD19", 1)
    assert change.confidence_after is not None
    assert change.confidence_before is not None
    assert change.confidence_after < change.confidence_before


def test_a_change_of_labels_moves_no_hypothesis_and_builds_no_graph(
    service: GraphService, tiny_documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny,) = tiny_documents
    renamed = [t for t in tiny.triples if "made-up" not in str(t.object)]
    plan = service.plan([replace(tiny, triples=renamed)])
    monkeypatch.setattr(service, "after", None)
    assert service.impact(plan).hypotheses.counts == {}


def test_into_an_empty_store_everything_comes(tmp_path: Path, model: Model, tiny_documents: list[Document]) -> None:
    with Store(tmp_path / "data") as store:
        service = GraphService(store, model)
        moves = service.impact(service.plan(tiny_documents)).hypotheses
    assert (moves.moved, moves.left) == ((), ())
    assert moves.entered
    assert all(move.before is None for move in moves.entered)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(seconds=0), "turned off"),
        (Limits(edges=5), r"up to 5 edges; this one has 16"),
        (Limits(seconds=1e-9), r"more than the 1e-09 s allowed"),
        (Limits(pairs=3), r"Of 9 pairs the 3 whose subjects are nearest"),
    ],
)
def test_what_is_not_compared_is_said(service: GraphService, tmp_path: Path, limits: Limits, said: str) -> None:
    plan = planned(service, tmp_path, "CL:0000236", "drives", "MONDO:0005100")
    moves = service.impact(plan, limits).hypotheses
    assert moves.left_out is not None
    assert re.search(said, moves.left_out)


def test_of_many_pairs_those_near_the_change_are_compared(service: GraphService, tmp_path: Path) -> None:
    plan = planned(service, tmp_path, "therapy:beta", "targets", "HGNC:1633")
    moves = service.impact(plan, Limits(pairs=3)).hypotheses
    assert {move.subject.curie for move in (*moves.moved, *moves.entered)} == {"therapy:beta"}
