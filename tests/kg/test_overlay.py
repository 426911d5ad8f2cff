"""What if: assumptions and removals are read through, checked like data, and written nowhere."""

from datetime import date

import pytest

from kg import Snapshot
from kg.errors import BadInput, NotFound
from kg.evidence import confidence_value
from kg.overlay import Assumption, scenario


def said(assertions) -> set[tuple[str, str, str]]:
    return {(a.subject.curie, a.relation, a.object.curie) for a in assertions}


DEPLETES = Assumption("therapy:beta", "depletes", "CL:0000786", 0.5)


def test_a_plain_scenario_is_the_graph(tiny_graph: Snapshot) -> None:
    plain = scenario(tiny_graph)
    assert plain.is_plain
    assert list(plain.edges()) == [a for a in tiny_graph.assertions if a.supported]


def test_an_assumed_edge_is_there_once_and_nowhere_else(tiny_graph: Snapshot) -> None:
    what_if = scenario(tiny_graph, [DEPLETES, DEPLETES])
    (assumed,) = what_if.assumed
    assert (assumed.confidence, assumed.evidence, assumed.supported) == (0.5, (), True)
    assert said(what_if.edges()) - said(scenario(tiny_graph).edges()) == {("therapy:beta", "depletes", "CL:0000786")}
    assert what_if.is_assumed(assumed.id)
    assert what_if.assertion(assumed.id) is assumed
    assert assumed.id not in tiny_graph.assertion_by_id
    assert not tiny_graph.entity("therapy:beta").edges("depletes")


def test_an_inverse_name_swaps_the_ends_and_aliases_resolve(tiny_graph: Snapshot) -> None:
    inverse = scenario(tiny_graph, [Assumption("DOID:9074", "treatedBy", "therapy:alpha")])
    assert said(inverse.assumed) == {("therapy:alpha", "treats", "MONDO:0007915")}


def test_assuming_an_edge_that_exists_sets_its_confidence_and_keeps_its_evidence(tiny_graph: Snapshot) -> None:
    what_if = scenario(tiny_graph, [Assumption("therapy:alpha", "targets", "HGNC:1633", 0.25)])
    (edge,) = (a for a in what_if.edges() if a.relation == "targets" and a.subject.curie == "therapy:alpha")
    assert (edge.confidence, len(edge.evidence), what_if.is_assumed(edge.id)) == (0.25, 1, True)
    assert len(list(what_if.edges())) == tiny_graph.edge_count


def test_a_contradicted_claim_can_be_assumed_to_hold(tiny_graph: Snapshot) -> None:
    what_if = scenario(tiny_graph, [Assumption("therapy:beta", "investigatedFor", "MONDO:0005100", 0.9)])
    assert said(what_if.edges()) - said(scenario(tiny_graph).edges()) == {
        ("therapy:beta", "investigatedFor", "MONDO:0005100")
    }


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("therapy:beta", {"targets", "evaluates"}),
        ("NCT00000002", {"evaluates", "studies"}),
        ("https://example.org/rct", {"treats"}),
    ],
)
def test_things_are_taken_away_with_their_edges(tiny_graph: Snapshot, name: str, gone: set[str]) -> None:
    what_if = scenario(tiny_graph, without=[name])
    assert {r for _, r, _ in said(scenario(tiny_graph).edges()) - said(what_if.edges())} == gone


def test_an_edge_is_taken_away_by_its_id_or_iri(tiny_graph: Snapshot) -> None:
    edge = tiny_graph.entity("therapy:beta").edges("targets")[0].assertion
    for name in (edge.id, edge.iri):
        assert scenario(tiny_graph, without=[name]).removed == {edge.id}


def test_evidence_of_a_study_goes_and_confidence_is_recomputed(tiny_graph: Snapshot) -> None:
    """The cohort is one line of evidence for three edges; one of them rests on a news report as well."""
    what_if = scenario(tiny_graph, without=["study:alpha-cohort"])
    (left,) = what_if.changed.values()
    assert left.relation == "investigatedFor"
    assert [e.source.id for e in left.evidence] == ["https://example.org/news"]
    assert left.confidence == confidence_value(left.evidence) < tiny_graph.assertion_by_id[left.id].confidence
    assert {what_if.assertion(id).relation for id in what_if.removed} == {"targets", "depletes"}


def test_taking_a_contradiction_away_raises_confidence(tiny_graph: Snapshot) -> None:
    what_if = scenario(tiny_graph, without=["https://example.org/follow-up"])
    treats = next(a for a in what_if.edges() if a.relation == "treats")
    assert treats.confidence > tiny_graph.assertion_by_id[treats.id].confidence
    assert not treats.disputed


def test_nothing_that_is_not_an_edge_counts_as_removed(tiny_graph: Snapshot) -> None:
    assert scenario(tiny_graph, without=["MONDO:0005100"]).is_plain


def test_an_overlay_sits_on_what_was_known_on_a_day(tiny_graph: Snapshot) -> None:
    """What was published later is no part of it, and taking it away is no error."""
    known = tiny_graph.as_of(date(2022, 12, 31))
    later = tiny_graph.entity("therapy:beta").edges("targets")[0].assertion.id
    what_if = scenario(known, [DEPLETES], [later, "https://example.org/follow-up"])
    assert ("therapy:beta", "targets", "HGNC:11913") not in said(what_if.edges())
    assert ("therapy:beta", "depletes", "CL:0000786") in said(what_if.edges())
    assert not what_if.changed
    assert not what_if.removed


def test_equal_scenarios_have_equal_keys(tiny_graph: Snapshot) -> None:
    one = scenario(tiny_graph, [DEPLETES], ["DOID:9074", "therapy:gamma"])
    two = scenario(
        tiny_graph,
        [Assumption("CL:0000786", "depletedBy", "therapy:beta", 0.5)],
        ["therapy:gamma", "MONDO:0007915"],
    )
    assert one.key == two.key
    assert hash(one.key) == hash(two.key)
    assert scenario(tiny_graph).key != one.key != scenario(tiny_graph, [DEPLETES]).key


@pytest.mark.parametrize(
    ("assumption", "words"),
    [
        (Assumption("CL:0000786", "depletes", "therapy:beta"), "Swap the ends"),
        (Assumption("therapy:beta", "depletes", "MONDO:0007915"), "leads Therapy → CellPopulation"),
        (Assumption("therapy:beta", "subtypeOf", "therapy:beta"), "two different ends"),
        (Assumption("therapy:beta", "depletes", "CL:0000786", 0.0), "name it in `without`"),
        (Assumption("therapy:beta", "depletes", "CL:0000786", 1.5), "at most 1, not 1.5"),
        (Assumption("therapy:beta", "depletes", "CL:0000786", float("nan")), "at most 1, not nan"),
    ],
)
def test_impossible_assumptions_are_refused_and_say_what_to_do(
    tiny_graph: Snapshot, assumption: Assumption, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        scenario(tiny_graph, [assumption])


def test_contradictory_overlays_are_refused(tiny_graph: Snapshot) -> None:
    with pytest.raises(BadInput, match="assumed twice"):
        scenario(tiny_graph, [DEPLETES, Assumption("therapy:beta", "depletes", "CL:0000786", 0.6)])
    with pytest.raises(BadInput, match="therapy:beta away; drop one"):
        scenario(tiny_graph, [DEPLETES], ["therapy:beta"])


def test_unknown_names_come_with_near_ones(tiny_graph: Snapshot) -> None:
    with pytest.raises(NotFound) as relation:
        scenario(tiny_graph, [Assumption("therapy:beta", "deplets", "CL:0000786")])
    assert relation.value.near[0].curie == "depletes"
    with pytest.raises(NotFound, match="entity"):
        scenario(tiny_graph, [Assumption("therapy:bta", "depletes", "CL:0000786")])
    with pytest.raises(NotFound, match="a source or a study") as thing:
        scenario(tiny_graph, without=["study:alfa-cohort"])
    assert "study:alpha-cohort" in {near.curie for near in thing.value.near}
    with pytest.raises(NotFound):
        scenario(tiny_graph).assertion("assertion:none")
