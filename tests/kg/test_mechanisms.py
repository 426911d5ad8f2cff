"""Mechanisms aligned link by link, and sets against sets."""

import pytest

from kg import Model, Snapshot
from kg.budget import Budget
from kg.errors import BadInput, NotFound
from kg.findings import HypothesisConstraints
from kg.mechanisms import compare_mechanisms, hypothesis_matrix
from kg.overlay import Assumption, scenario
from tests.kg.small import Said, small_graph
from tests.kg.test_hypotheses import EDGES, ENTITIES

QUICK = HypothesisConstraints(permutations=0)


@pytest.fixture(scope="module")
def graph(model: Model) -> Snapshot:
    extra = {
        "alpha depletes plasma": [Said("CASE_REPORT", "2020")],
        "bcell drives ssc": [Said("CASE_REPORT", "2020", "CONTRADICTS", "denied")],
    }
    entities = {**ENTITIES, "Disease": "lupus mg ssc arthritis gout"}
    return small_graph(model, entities, {**EDGES, **extra})


def links(path) -> list[tuple[str, str, str, str, str]]:
    return [
        (k.source.label, k.known_target.label, k.known.state, k.candidate_target.label, k.candidate.state)
        for k in path.links
    ]


def test_what_explains_one_disease_is_held_against_another_link_by_link(graph: Snapshot) -> None:
    """The issue's question: does what works in lupus carry over to mg?"""
    found = compare_mechanisms(scenario(graph), "node:alpha", "node:lupus", "node:mg", where=QUICK)
    assert {tuple(links(p)) for p in found.shared} >= {
        (("alpha", "bcell", "PRESENT", "bcell", "PRESENT"), ("bcell", "lupus", "PRESENT", "mg", "PRESENT"))
    }
    assert found.only_known == ()
    assert found.carried_over == 1.0
    assert any(links(p)[-1] == ("plasma", "lupus", "ABSENT", "mg", "PRESENT") for p in found.only_candidate)
    assert "share" in found.text


def test_absent_contradicted_and_untested_are_told_apart(graph: Snapshot) -> None:
    """A link that was denied, one that is missing beside others, and one nobody looked at are three things."""
    denied = compare_mechanisms(scenario(graph), "node:alpha", "node:lupus", "node:ssc", where=QUICK)
    assert denied.shared == ()
    assert denied.carried_over == 0.0
    assert all(p.links[-1].candidate.state == "CONTRADICTED" for p in denied.only_known)
    assert "contradicted here" in denied.text
    unknown = compare_mechanisms(scenario(graph), "node:alpha", "node:lupus", "node:gout", where=QUICK)
    assert all(p.links[-1].candidate.state == "UNTESTED" for p in unknown.only_known)
    missing = compare_mechanisms(scenario(graph), "node:beta", "node:ssc", "node:arthritis", where=QUICK)
    assert {p.links[-1].candidate.state for p in missing.only_known} == {"ABSENT"}


def test_related_cells_carry_a_mechanism_over_and_are_named(model: Model) -> None:
    """What works by one sort of B cell may work by another: both are kinds of the same."""
    entities = {
        **ENTITIES,
        "CellPopulation": "bcell plasma tumour lymphocyte",
        "Disease": "lupus mg ssc arthritis dlbcl",
    }
    edges = {
        **EDGES,
        "alpha depletes tumour": [Said("SINGLE_ARM_TRIAL")],
        "tumour drives dlbcl": [Said("MECHANISTIC")],
        "tumour subtypeOf lymphocyte": [Said("CURATED_REFERENCE")],
        "bcell subtypeOf lymphocyte": [Said("CURATED_REFERENCE")],
        "crs mitigatedBy alpha": [Said("MECHANISTIC")],
        "crs complicates lupus": [Said("MECHANISTIC")],
        "lupus subtypeOf arthritis": [Said("CURATED_REFERENCE")],
    }
    found = compare_mechanisms(scenario(small_graph(model, entities, edges)), "node:alpha", "node:dlbcl", "node:lupus", where=QUICK)  # fmt: skip
    (shared,) = found.shared
    assert shared.related
    assert [(k.source.label, k.candidate_source.label) for k in shared.links] == [
        ("alpha", "alpha"),
        ("tumour", "bcell"),
    ]
    assert "1 of them through related nodes, such as tumour there and bcell here" in found.text
    used = {path.metapath.id for path in (*found.shared, *found.only_known, *found.only_candidate)}
    assert used == {"depletes > drives", "targets > expressedOn > drives"}


def test_assumptions_count_in_a_comparison(graph: Snapshot) -> None:
    world = scenario(graph, [Assumption("node:bcell", "drives", "node:gout")])
    assert compare_mechanisms(world, "node:alpha", "node:lupus", "node:gout", where=QUICK).carried_over == 1.0


def test_a_disease_without_mechanism_is_said_to_have_none(graph: Snapshot) -> None:
    found = compare_mechanisms(scenario(graph), "node:alpha", "node:gout", "node:mg", where=QUICK)
    assert found.carried_over is None
    assert "holds no mechanism for gout" in found.text


def test_trials_and_predictions_are_no_mechanisms(seed_graph: Snapshot) -> None:
    found = compare_mechanisms(
        scenario(seed_graph), "therapy:cd19-car-t", "MONDO:0007915", "MONDO:0005100", where=QUICK
    )
    aligned = (*found.shared, *found.only_known, *found.only_candidate)
    assert aligned
    used = {name for path in aligned for name in path.metapath.names}
    assert not used & {"treats", "treatedBy", "investigatedFor", "investigatedWith", "evaluatedIn", "studies"}


@pytest.mark.parametrize(
    ("names", "error", "says"),
    [
        (("node:alpha", "node:mg", "node:mg"), BadInput, "compared with itself"),
        (("node:mg", "node:mg", "node:ssc"), BadInput, "is a Disease; a Therapy is needed"),
        (("node:alpha", "node:nothing", "node:ssc"), NotFound, "nothing"),
    ],
)
def test_impossible_comparisons_are_refused(graph: Snapshot, names, error, says: str) -> None:
    with pytest.raises(error, match=says):
        compare_mechanisms(scenario(graph), *names)


def test_a_matrix_holds_every_pair_with_what_is_known_of_it(graph: Snapshot) -> None:
    found = hypothesis_matrix(
        scenario(graph), ["node:alpha", "node:gamma"], ["node:lupus", "node:mg", "node:gout"], where=QUICK
    )
    assert [[cell.tested for cell in row] for row in found.rows] == [
        ["TESTED", "TESTED", "UNTESTED"],
        ["TESTED", "TESTED_NO_EFFECT", "UNTESTED"],
    ]
    assert found.rows[0][2].best_path is None
    assert found.rows[0][2].score == 0.0
    best = found.rows[0][0].best_path
    assert best is not None
    assert (best.nodes[0].label, best.nodes[-1].label) == ("alpha", "lupus")
    assert found.rows[1][1].conflicts > 0
    assert found.exhaustive


def test_a_matrix_has_bounds_and_says_what_cut_it(graph: Snapshot, seed_graph: Snapshot) -> None:
    with pytest.raises(BadInput, match="at least one Therapy"):
        hypothesis_matrix(scenario(graph), [], ["node:mg"])
    with pytest.raises(BadInput, match="is a Therapy; a Disease is needed"):
        hypothesis_matrix(scenario(graph), ["node:alpha"], ["node:alpha"])
    ends = [[entity.curie for entity in seed_graph.by_kind[kind]] for kind in ("Therapy", "Disease")]
    with pytest.raises(BadInput, match="at most 2500 pairs"):
        hypothesis_matrix(scenario(seed_graph), *ends)
    cut = hypothesis_matrix(scenario(seed_graph), ends[0][:2], ends[1][:2], where=QUICK, budget=Budget(steps=3000))
    assert cut.truncated_by == "steps"
    assert not cut.exhaustive


def test_matrices_and_comparisons_are_frames_on_request(graph: Snapshot) -> None:
    pytest.importorskip("pandas")
    world = scenario(graph)
    assert len(hypothesis_matrix(world, ["node:alpha"], ["node:mg", "node:ssc"], where=QUICK).to_frame()) == 2
    frame = compare_mechanisms(world, "node:alpha", "node:lupus", "node:ssc", where=QUICK).to_frame()
    assert set(frame["candidate"]) == {"PRESENT", "CONTRADICTED"}
