"""Metapaths: which there are, how they are read, and what each argues."""

import pytest

from kg import Model, Snapshot
from kg.errors import BadInput, NotFound
from kg.matrices import matrices
from kg.metapaths import AGAINST, ASSOCIATION, SUPPORTS, Metagraph
from kg.overlay import scenario


@pytest.fixture(scope="module")
def graph(seed_graph: Snapshot) -> Metagraph:
    return Metagraph(seed_graph.model, matrices(scenario(seed_graph)).edges)


def brute_force(graph: Metagraph, source: str, target: str, length: int) -> set[tuple[str, ...]]:
    """All walks on the metagraph, by trying everything."""
    model, walks = graph.model, [((), source)]
    found = set()
    for _ in range(length):
        walks = [
            ((*names, name), onward)
            for names, here in walks
            for s, relation, o in graph.edges
            for name, end, onward in ((relation, s, o), (model.relation[relation].inverse, o, s))
            if end == here
        ]
        found |= {names for names, here in walks if here == target}
    return found - {(name,) for name in graph.predicts}


def test_enumeration_finds_every_walk_on_the_metagraph(graph: Metagraph) -> None:
    """A missed metapath is a mechanism nobody is told of."""
    for length in (1, 2, 3):
        found = graph.enumerate(length, graph.model.relation)  # all of them named: harms too
        assert {m.names for m in found} == brute_force(graph, "Therapy", "Disease", length)
        assert len(set(found)) == len(found)
        assert [m.order for m in found] == sorted(m.order for m in found)


def test_harms_are_passed_only_by_what_argues_against(graph: Metagraph) -> None:
    """A harm that comes with the subject and worsens the object; never one that is shared, or lessened by both."""
    assert graph.harms == {"Risk"}
    through = {m.id for m in graph.enumerate(3) if "Risk" in m.kinds}
    assert "hasRisk > complicates" in through
    assert all("hasRisk" in name and "complicates" in name for name in through)
    assert all(m.stance == AGAINST for m in graph.enumerate(3) if "Risk" in m.kinds)
    assert not through & {"mitigates > complicates", "hasRisk > riskOf > treats", "hasRisk > mitigatedBy > treats"}


def test_failures_speak_only_against_and_only_of_an_end(graph: Metagraph) -> None:
    """That two therapies failed in one disease is no reason to try one where the other failed as well."""
    failing = [m for m in graph.enumerate(3) if {"testedWithoutEffect"} & {step.relation for step in m.steps}]
    assert "subtypeOf > testedWithoutEffect" in {m.id for m in failing}
    assert {m.stance for m in failing} == {AGAINST}
    assert "investigatedFor > unaffectedBy > treats" not in {m.id for m in failing}


def test_predicted_relations_alone_are_no_metapath_but_inside_one_they_are(graph: Metagraph) -> None:
    """They are what is predicted; Rephetio's CrCtD uses them all the same."""
    names = {m.names for m in graph.enumerate(3)}
    assert ("treats",) not in names
    assert ("subtypeOf", "treats") in names
    assert ("treats", "treatedBy", "treats") in names


def test_a_relation_that_was_left_out_is_not_walked(graph: Metagraph) -> None:
    chosen = graph.enumerate(3, {"targets", "expressedOn", "drives", "depletes"})
    assert {m.id for m in chosen} == {
        "depletes > drives",
        "targets > expressedOn > drives",
        "depletes > expresses > expressedOn > drives",
        "depletes > drives > drivenBy > drives",
    } & {m.id for m in chosen}
    assert {"depletes > drives", "targets > expressedOn > drives"} <= {m.id for m in chosen}
    assert all({s.relation for s in m.steps} <= {"targets", "expressedOn", "drives", "depletes"} for m in chosen)


@pytest.mark.parametrize(
    ("names", "sign", "stance"),
    [
        ("depletes, drives", -1, SUPPORTS),  # less of what drives it
        ("reconstitutes, drives", 1, AGAINST),  # more of what drives it
        ("hasRisk, complicates", 1, AGAINST),
        ("mitigates, complicates", -1, SUPPORTS),
        ("targets, targetedBy, treats", -1, SUPPORTS),  # acts like one that treats
        ("evaluatedIn, studies", 0, ASSOCIATION),
        ("investigatedFor, supertypeOf", 0, ASSOCIATION),
        ("subtypeOf, testedWithoutEffect", 0, AGAINST),  # its kind failed
    ],
)
def test_signs_decide_what_a_metapath_argues(graph: Metagraph, names: str, sign: int, stance: str) -> None:
    """A path that would worsen the disease is an argument against (issue, Signs)."""
    (metapath,) = graph.parse(names)
    assert (metapath.sign, metapath.stance) == (sign, stance)


def test_a_metapath_reads_as_a_sentence(graph: Metagraph) -> None:
    (metapath,) = graph.parse("targets > expressedOn > drives")
    assert (
        metapath.text == "the therapy targets a target, which is expressed on cell populations, which drive the disease"
    )
    assert metapath.kinds == ("Therapy", "Target", "CellPopulation", "Disease")
    assert graph.parse(metapath.id) == (metapath,)


@pytest.mark.parametrize(
    ("names", "error", "says"),
    [
        ("", BadInput, "empty"),
        ([], BadInput, "empty"),
        ("depletes, drvies", NotFound, "drives"),
        (
            "depletes, studies",
            BadInput,
            "breaks at studies: no edge of it leads on from CellPopulation. From there lead",
        ),
        ("depletes, developsInto", BadInput, "ends at CellPopulation, but must end at Disease"),
        ("treats", BadInput, "cannot be its own evidence"),
        (["subtypeOf"] * 4 + ["treats"], BadInput, "at most 4"),
    ],
)
def test_a_metapath_that_cannot_be_is_refused_where_it_breaks(graph: Metagraph, names, error, says: str) -> None:
    with pytest.raises(error, match=says):
        graph.parse(names)


def test_lengths_have_bounds(graph: Metagraph) -> None:
    for length in (0, 5):
        with pytest.raises(BadInput, match="1 to 4"):
            graph.enumerate(length)


def test_a_model_that_predicts_nothing_has_no_hypotheses(model: Model) -> None:
    with pytest.raises(BadInput, match="kg:predicts"):
        Metagraph(model, [], predicts=())
