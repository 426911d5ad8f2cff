"""Hypotheses: ranked by paths, explained to the last digit, honest about what is and is not known."""

from datetime import date

import pytest

from kg import Model, Snapshot
from kg.budget import Budget
from kg.errors import BadInput, InvalidCursor, NotFound
from kg.findings import CONTRADICTED, IN_TRIAL, UNTESTED, Became, Hypothesis, HypothesisPage
from kg.hypotheses import HypothesisConstraints, hypotheses, planner, score_table
from kg.nulls import PairNulls
from kg.overlay import Assumption, scenario
from tests.kg.small import Said, small_graph

ENTITIES = {
    "Therapy": "alpha beta gamma cart",
    "Target": "cd19 bcma",
    "CellPopulation": "bcell plasma",
    "Disease": "lupus mg ssc arthritis",
    "Risk": "crs fever",
    "Trial": {
        "halted": {"status": "TERMINATED", "stop_reason": "slow enrolment"},
        "open": {"status": "RECRUITING"},
    },
}
TRIAL, PAPER, CASE = "SINGLE_ARM_TRIAL", "MECHANISTIC", "CASE_REPORT"
EDGES = {
    "alpha targets cd19": [Said(TRIAL, "2018")],
    "cd19 expressedOn bcell": [Said(PAPER, "2010")],
    "alpha depletes bcell": [Said(TRIAL, "2019", source="p1", study="s1"), Said(CASE, "2020", source="p2", study="s1")],
    "bcell drives lupus": [Said(PAPER, "2012", source="b1")],
    "bcell drives mg": [Said(PAPER, "2013", source="b2")],
    "bcell drives arthritis": [Said(PAPER, "2011", source="b4")],
    "plasma drives mg": [Said(PAPER, "2014", source="b3")],
    "plasma drives ssc": [Said(PAPER, "2016", source="b5"), Said(CASE, "2021", "CONTRADICTS", "b6")],
    "beta targets bcma": [Said(TRIAL, "2017")],
    "bcma expressedOn plasma": [Said(PAPER, "2015")],
    "beta depletes plasma": [Said(TRIAL, "2021", source="q1")],
    "gamma depletes bcell": [Said(TRIAL, "2001", source="g1")],
    "gamma reconstitutes plasma": [Said(CASE, "2002", source="g2")],
    "alpha treats lupus": [Said("RANDOMIZED_TRIAL", "2022")],
    "alpha investigatedFor mg": [Said(TRIAL, "2022")],
    "gamma testedWithoutEffect mg": [Said("RANDOMIZED_TRIAL", "2005", source="no-effect")],
    "beta investigatedFor arthritis": [Said(CASE, "2020", "CONTRADICTS", "nothing")],
    "alpha subtypeOf cart": [Said("CURATED_REFERENCE", "2018")],
    "cart hasRisk crs": [Said(TRIAL, "2018", count=8, total=12), Said(CASE, "2019", source="x", count=1, total=2)],
    "alpha hasRisk fever": [Said(CASE, "2019")],
    "halted evaluates gamma": [Said("TRIAL_REGISTRATION", "2004")],
    "halted studies lupus": [Said("TRIAL_REGISTRATION", "2004")],
}
ALL = HypothesisConstraints(paths=1000, arguments=100, gaps=0, permutations=0, include_tested=True)
QUICK = HypothesisConstraints(gaps=0, permutations=0)
GAPS = HypothesisConstraints(permutations=0)


@pytest.fixture(scope="module")
def graph(model: Model) -> Snapshot:
    return small_graph(model, ENTITIES, EDGES)


def ask(
    graph: Snapshot, where: HypothesisConstraints = QUICK, assuming=(), without=(), as_of=None, **ends
) -> HypothesisPage:
    world = scenario(graph.as_of(as_of), [Assumption(*a.split()) for a in assuming], without)
    return hypotheses(world, where=where, first=ends.pop("first", 100), **ends)


def named(page: HypothesisPage) -> dict[tuple[str, str], Hypothesis]:
    return {(h.subject.label, h.object.label): h for h in page.items}


# ---------------------------------------------------------------- which pairs
def test_pairs_that_the_graph_asserts_are_no_hypotheses(graph: Snapshot) -> None:
    page = ask(graph, subject="node:alpha")
    assert [h.object.label for h in page.items] == ["arthritis", "ssc"]
    assert (page.known, page.tested) == (1, 1)


def test_pairs_being_tried_are_shown_on_request_with_their_status(graph: Snapshot) -> None:
    page = named(ask(graph, ALL, subject="node:alpha"))
    assert page["alpha", "mg"].status == IN_TRIAL
    assert ("alpha", "lupus") not in page
    assert page["alpha", "arthritis"].status == UNTESTED


def test_contradicted_pairs_are_shown_as_such(graph: Snapshot) -> None:
    """Claimed but only contradicted, and tested without effect: both are results, and both are shown."""
    beta = named(ask(graph, subject="node:beta"))["beta", "arthritis"]
    assert (beta.status, beta.against[0].kind) == (CONTRADICTED, "RESULT")
    assert "speaks against it" in beta.text
    gamma = named(ask(graph, subject="node:gamma"))["gamma", "mg"]
    assert gamma.status == CONTRADICTED
    assert gamma.against[0].text == "gamma was tested without effect in mg (no-effect 2005)"


def test_a_study_of_both_ends_counts_as_being_tried(graph: Snapshot) -> None:
    """Nobody asserted `investigatedFor`, but a trial evaluates the one and studies the other."""
    assert ("gamma", "lupus") not in named(ask(graph, subject="node:gamma"))
    found = named(ask(graph, ALL, subject="node:gamma"))["gamma", "lupus"]
    assert (found.status, [t.label for t in found.trials]) == (IN_TRIAL, ["halted"])
    assert found.against[0].kind == "TRIAL"
    assert found.against[0].text == "halted (node:halted), which studies both, is terminated: slow enrolment"


def test_a_pair_is_tested_where_a_narrower_one_is(model: Model) -> None:
    """A product of the class is tried in a form of the disease: so is the class in the disease, but not the reverse."""
    edges = {
        **EDGES,
        "mg subtypeOf ssc": [Said("CURATED_REFERENCE")],
        "cart depletes bcell": [Said(TRIAL, "2018")],
        "cart depletes plasma": [Said(TRIAL, "2018")],
        "bcell drives gout": [Said(PAPER, "2018")],
    }
    graph = small_graph(model, {**ENTITIES, "Disease": "lupus mg ssc arthritis gout"}, edges)
    page = ask(graph, subject="node:cart")
    assert {h.object.label for h in page.items} == {"gout", "arthritis"}
    assert (page.known, page.tested) == (0, 3)
    every = named(ask(graph, ALL, subject="node:cart"))
    wider = every["cart", "ssc"]
    assert wider.status == IN_TRIAL
    assert [(p.subject.label, p.object.label, p.text) for p in wider.through] == [
        ("alpha", "mg", "alpha is investigated for mg")
    ]
    assert "It is being tried through what it includes: alpha is investigated for mg." in wider.text
    assert every["cart", "lupus"].through[0].status == "ASSERTED"
    assert wider.related == ()
    note = ask(graph, subject="node:cart", object="node:ssc").note
    assert "it is being tried, in that alpha is investigated for mg; ask with include_tested" in note
    narrower = small_graph(model, ENTITIES, {**EDGES, "cart investigatedFor ssc": [Said(TRIAL)]})
    assert named(ask(narrower, subject="node:alpha"))["alpha", "ssc"].status == UNTESTED


def test_what_is_tried_later_in_a_subtype_is_found_later(model: Model) -> None:
    edges = {**EDGES, "mg subtypeOf arthritis": [Said("CURATED_REFERENCE", "2000")]}
    graph = small_graph(model, ENTITIES, edges)
    then = scenario(graph.as_of(date(2021, 12, 31)))
    (found,) = hypotheses(then, subject="node:alpha", object="node:arthritis", where=QUICK, later=scenario(graph)).items
    assert (found.status, found.later.status, found.later.since) == (UNTESTED, IN_TRIAL, date(2022, 12, 31))
    assert [(p.subject.label, p.object.label) for p in found.later.through] == [("alpha", "mg")]


# ---------------------------------------------------------------- harms
HARMFUL = {
    **EDGES,
    "crs mitigatedBy alpha": [Said(PAPER)],
    "crs mitigatedBy beta": [Said(PAPER)],
    "beta hasRisk fever": [Said(PAPER, "2018"), Said(PAPER, "2019", "CONTRADICTS", "no fever")],
    "beta treats arthritis": [Said("RANDOMIZED_TRIAL", "2019")],
    "crs complicates arthritis": [Said(PAPER)],
    "fever complicates arthritis": [Said(PAPER)],
}


def test_no_path_through_a_harm_speaks_for_a_pair(model: Model) -> None:
    """Sharing a risk with a working therapy, or lessening one that others lessen, is no reason to try."""
    graph = small_graph(model, ENTITIES, HARMFUL)
    h = named(ask(graph, ALL, subject="node:alpha"))["alpha", "arthritis"]
    assert not [p for p in h.supporting_paths if {"crs", "fever"} & {node.label for node in p.nodes}]
    against = [a.path for a in h.against if a.kind == "PATH"]
    assert {path.metapath.id for path in against} == {"hasRisk > complicates", "subtypeOf > hasRisk > complicates"}


def test_paths_through_harms_count_where_they_are_asked_for(model: Model) -> None:
    graph = small_graph(model, ENTITIES, HARMFUL)
    chosen = HypothesisConstraints(metapaths=(("mitigates", "complicates"),), permutations=0, gaps=0)
    (h,) = ask(graph, chosen, subject="node:alpha", object="node:arthritis").items
    assert [p.text for p in h.supporting_paths] == ["alpha mitigates crs, which complicates arthritis"]
    relations = HypothesisConstraints(relations=frozenset({"mitigatedBy", "complicates"}), permutations=0, gaps=0)
    assert ask(graph, relations, subject="node:alpha", object="node:arthritis").total == 1


def test_the_gravest_and_most_frequent_harm_comes_first(model: Model) -> None:
    risks = {"crs": {"severity": "MILD"}, "fever": {"severity": "SEVERE"}}
    graph = small_graph(model, {**ENTITIES, "Risk": risks}, EDGES)
    h = named(ask(graph, ALL, subject="node:alpha"))["alpha", "arthritis"]
    assert [a.text for a in h.against if a.kind == "RISK"] == [
        "alpha has among its risks fever (severe)",
        "cart has among its risks crs (mild, 8 of 12)",
    ]


def test_a_harm_or_failure_that_is_doubted_is_no_argument_against(model: Model) -> None:
    graph = small_graph(model, ENTITIES, HARMFUL)
    where = HypothesisConstraints(metapaths=(("hasRisk", "riskOf", "treats"),), permutations=0, gaps=0)
    (h,) = ask(graph, where, subject="node:alpha", object="node:arthritis").items
    assert h.supporting_paths
    assert [a for a in h.against if a.kind == "EVIDENCE"] == []


def test_arguments_come_weightiest_first_and_name_their_source_in_short(model: Model) -> None:
    from kg.bundles import short_name
    from kg.records import Source

    graph = small_graph(model, ENTITIES, HARMFUL)
    order = ["RESULT", "TRIAL", "EVIDENCE", "PATH", "RISK"]
    for h in ask(graph, ALL, object="node:mg").items:
        kinds = [order.index(a.kind) for a in h.against]
        assert kinds == sorted(kinds)
    titles = {
        "Greco R et al. Innovative cellular therapies. EClinicalMedicine 2024": "Greco et al.",
        "BCMA CAR T cells after relapse following CD19 CAR T cells in a syndrome, case report. Nat Med": "BCMA CAR T cells after relapse following CD19 CAR T cells…",
        "A short title. Blood 2021": "A short title",
    }
    assert {t: short_name(Source("s", "s", "k", t, "u")) for t in titles} == titles


# ---------------------------------------------------------------- what is no gap
def test_gaps_are_findings_that_could_support(model: Model) -> None:
    """No harm is looked for, nor what is known of a special case; words have the number that their verb wants."""
    edges = {
        **HARMFUL,
        "bcell subtypeOf lymphocyte": [Said("CURATED_REFERENCE")],
        "alpha depletes lymphocyte": [Said(TRIAL)],
    }
    entities = {**ENTITIES, "CellPopulation": "bcell plasma lymphocyte"}
    (h,) = ask(small_graph(model, entities, edges), GAPS, subject="node:alpha", object="node:ssc").items
    texts = [gap.text for gap in h.gaps]
    assert "not known here: bcells drive ssc" in texts
    assert all(gap.relation in {"targets", "depletes", "expressedOn", "drives"} for gap in h.gaps)
    everywhere = HypothesisConstraints(permutations=0, gaps=50)
    (h,) = ask(small_graph(model, entities, edges), everywhere, subject="node:alpha", object="node:arthritis").items
    assert "not known here: lymphocytes drive arthritis" not in [gap.text for gap in h.gaps]  # B cells are known to
    assert all(any(m.stance == "SUPPORTS" for m in gap.metapaths) for gap in h.gaps)


# ---------------------------------------------------------------- numbers that add up
def test_contributions_and_paths_add_up_to_the_score(graph: Snapshot, seed_graph: Snapshot) -> None:
    """Every digit of a score is somebody's path (issue: add up to the score)."""
    diseases = [("node:mg", graph), ("MONDO:0005100", seed_graph)]
    for disease, world in diseases:
        for h in ask(world, ALL, object=disease, first=5).items:
            assert sum(c.score for c in h.contributions if c.metapath.stance != "AGAINST") == pytest.approx(
                h.score, abs=1e-9
            )
            assert sum(c.share for c in h.contributions) == pytest.approx(1.0, abs=1e-9)
            assert sum(p.contribution for p in h.supporting_paths) == pytest.approx(h.score, abs=1e-9)
            assert h.paths_not_shown == 0
            for c in h.contributions:
                mine = [p for p in h.supporting_paths if p.metapath == c.metapath]
                if mine:
                    assert sum(p.share for p in mine) == pytest.approx(1.0, abs=1e-9)
                    assert sum(p.value for p in mine) == pytest.approx(c.dwpc, abs=1e-12)
                    assert len(mine) == c.path_count


def test_what_is_not_shown_is_counted(graph: Snapshot) -> None:
    h = ask(graph, HypothesisConstraints(paths=1, permutations=0), subject="node:alpha").items[0]
    assert len(h.supporting_paths) == 1
    assert h.paths_not_shown == h.paths_total - 1 > 0


def test_order_is_total_and_repeatable(seed_graph: Snapshot) -> None:
    first, again = (ask(seed_graph, object="MONDO:0005100", first=5) for _ in range(2))
    keys = [(-h.score, h.subject.curie, h.object.curie) for h in first.items]
    assert keys == sorted(keys)
    assert [h.rank for h in first.items] == [1, 2, 3, 4, 5]
    assert [h.id for h in first.items] == [h.id for h in again.items]


def test_chosen_metapaths_are_the_only_ones_counted_and_their_use_is_listed(graph: Snapshot) -> None:
    where = HypothesisConstraints(metapaths=(("depletes", "drives"),), permutations=0)
    page = ask(graph, where, object="node:mg")
    assert [use.metapath.id for use in page.metapaths] == ["depletes > drives"]
    assert page.metapaths[0].pairs == len([h for h in page.items if h.score])
    assert {c.metapath.id for h in page.items for c in h.contributions} == {"depletes > drives"}


# ---------------------------------------------------------------- signs
def test_a_path_that_would_worsen_the_disease_argues_against(graph: Snapshot) -> None:
    """What returns after gamma drives mg: that is no reason to try it."""
    h = named(ask(graph, ALL, subject="node:gamma"))["gamma", "mg"]
    against = [a for a in h.against if a.kind == "PATH"]
    assert "gamma is followed by the return of plasmas, which drive mg" in against[0].text
    assert against[0].path is not None
    assert against[0].path.contribution == 0.0
    assert "reconstitutes" not in {p.metapath.names[0] for p in h.supporting_paths}
    (listed,) = [c for c in h.contributions if c.metapath.id == "reconstitutes > drives"]
    assert (listed.share, listed.metapath.stance) == (0.0, "AGAINST")


def test_a_model_without_signs_counts_associations(tmp_path) -> None:
    """Hetionet's binds and associates say no direction; what they connect is still suggested."""
    from tests.kg.small import small_model

    model = small_model(tmp_path, ["C binds G", "D associates G", "C treats D"], predicts="treats")
    graph = small_graph(
        model, {"C": "c1 c2", "G": "g", "D": "d"}, ["c1 binds g", "c2 binds g", "d associates g", "c2 treats d"]
    )
    page = ask(graph, object="node:d")
    assert [(h.subject.label, h.status) for h in page.items] == [("c1", UNTESTED)]
    assert page.items[0].supporting_paths[0].stance == "ASSOCIATION"
    assert "Not asserted in this graph" in page.items[0].text
    assert page.items[0].against == ()


# ---------------------------------------------------------------- against
def test_contradicted_edges_and_measured_risks_speak_against(graph: Snapshot) -> None:
    found = named(ask(graph, ALL, subject="node:beta"))["beta", "ssc"]
    assert [a.text for a in found.against if a.kind == "EVIDENCE"] == ["b6 2021 contradicts that plasmas drive ssc"]
    alpha = named(ask(graph, ALL, subject="node:alpha"))["alpha", "arthritis"]
    risks = {a.entity.label: a for a in alpha.against if a.kind == "RISK" and a.entity}
    assert risks["crs"].text == "cart has among its risks crs (8 of 12)"  # inherited from its class; the larger series
    assert (risks["crs"].count, risks["crs"].total) == (8, 12)
    assert risks["fever"].count is None
    assert alpha.against_total == len(alpha.against)


# ---------------------------------------------------------------- time
def test_first_suggested_is_when_the_first_path_was_complete(graph: Snapshot) -> None:
    """The earliest day on which some path had all its edges; before it the list does not hold the pair."""
    h = named(ask(graph, subject="node:alpha"))["alpha", "arthritis"]
    assert h.first_suggested == date(2018, 12, 31)  # targets CD19 (2018), on B cells (2010), which drive it (2011)
    before = ask(graph, subject="node:alpha", as_of=date(2018, 12, 30))
    assert ("alpha", "arthritis") not in named(before)
    assert ("alpha", "arthritis") in named(ask(graph, subject="node:alpha", as_of=date(2018, 12, 31)))


def test_as_of_hides_what_came_later(graph: Snapshot) -> None:
    """At the end of 2021 alpha had neither been approved for lupus nor tried in mg."""
    page = named(ask(graph, subject="node:alpha", as_of=date(2021, 12, 31)))
    assert {("alpha", "lupus"), ("alpha", "mg")} <= set(page)
    assert "as of 2021-12-31" in page["alpha", "lupus"].text


def test_a_list_of_the_past_says_what_became_of_it(graph: Snapshot) -> None:
    """Would we have predicted it? Alpha in lupus was suggested in 2021 and asserted in 2022, in mg it was then tried."""
    then, now = scenario(graph.as_of(date(2021, 12, 31))), scenario(graph)
    page = named(hypotheses(then, subject="node:alpha", where=QUICK, later=now))
    became = {name: page["alpha", name].later for name in ("lupus", "mg")}
    assert (became["lupus"].status, became["lupus"].since) == ("ASSERTED", date(2022, 12, 31))
    assert (became["mg"].status, became["mg"].since) == ("IN_TRIAL", date(2022, 12, 31))
    assert [a.relation for a in became["mg"].assertions] == ["investigatedFor"]
    assert page["alpha", "arthritis"].later == Became("UNTESTED", None)
    assert "Later it is being tried (since 2022-12-31)." in page["alpha", "mg"].text


def test_a_graph_without_a_path_suggests_nothing_and_says_so(graph: Snapshot) -> None:
    page = ask(graph, HypothesisConstraints(), subject="node:gamma", as_of=date(2003, 12, 31))
    assert (page.total, page.exhaustive, page.permutations) == (0, True, None)
    assert page.note == "Nothing to suggest for gamma: no path of the chosen metapaths leads on from it."
    plan = planner(scenario(graph.as_of(date(2003, 12, 31))))
    assert (plan.items, plan.total) == ((), 0)


# ---------------------------------------------------------------- what if
def test_assuming_an_edge_shows_rank_and_score_before_and_after(graph: Snapshot) -> None:
    """If beta also depleted B cells (the issue's question)."""
    now = named(ask(graph, ALL, object="node:lupus"))
    page = named(ask(graph, ALL, object="node:lupus", assuming=["node:beta depletes node:bcell"]))
    beta = page["beta", "lupus"]
    before = now.get(("beta", "lupus"))
    assert beta.baseline_rank == (before.rank if before else None)
    assert beta.baseline_score == (before.score if before else 0.0)
    assert beta.score_change is not None
    assert beta.score_change > 0
    assert any(step.assumed for path in beta.supporting_paths for step in path.steps)
    assert "(assumed)" in " ".join(path.text for path in beta.supporting_paths)
    assert {(h.baseline_rank, h.score_change) for h in now.values()} == {(None, None)}


def test_taking_an_edge_away_takes_its_hypotheses_away(graph: Snapshot) -> None:
    page = ask(graph, object="node:ssc", without=["node:plasma"])
    assert "beta" not in {h.subject.label for h in page.items}


def test_a_gap_gains_exactly_what_assuming_it_gives(graph: Snapshot) -> None:
    """The number a planner reads must be the number they would see if the edge were confirmed."""
    h = named(ask(graph, GAPS, subject="node:beta"))["beta", "mg"]
    assert h.gaps
    for gap in h.gaps:
        claim = f"{gap.subject.curie} {gap.relation} {gap.object.curie}"
        after = named(ask(graph, subject="node:beta", assuming=[claim]))["beta", "mg"]
        assert after.score_change == pytest.approx(gap.gain, abs=1e-9)
    assert [g.gain for g in h.gaps] == sorted((g.gain for g in h.gaps), reverse=True)


def test_gaps_are_things_one_could_find_out(graph: Snapshot, seed_graph: Snapshot) -> None:
    """Not what is predicted, not definitions, not the records of trials, and nothing that is an edge already."""
    for world, disease in ((graph, "node:mg"), (seed_graph, "MONDO:0005100")):
        edges = {(a.subject.curie, a.relation, a.object.curie) for a in world.assertions if a.supported}
        for h in ask(world, GAPS, object=disease, first=5).items:
            for gap in h.gaps:
                assert gap.relation not in {
                    "treats",
                    "investigatedFor",
                    "testedWithoutEffect",
                    "subtypeOf",
                    "developsInto",
                }
                assert "Trial" not in {gap.subject.kind, gap.object.kind}
                assert (gap.subject.curie, gap.relation, gap.object.curie) not in edges
                assert gap.gain > 0


# ---------------------------------------------------------------- robustness
def test_the_edge_and_the_study_that_everything_rests_on_are_named(graph: Snapshot) -> None:
    """Two papers on one study are one line of evidence: without the study the edge is gone, and the hypothesis."""
    where = HypothesisConstraints(metapaths=(("depletes", "drives"),), permutations=0)
    robust = named(ask(graph, where, subject="node:alpha"))["alpha", "arthritis"].robustness
    assert robust.edge is not None
    assert robust.edge.removes
    assert robust.edge.score == 0.0
    assert robust.line is not None
    assert robust.line.removes
    assert {robust.line.id} <= {"s1", "b4"}
    assert (robust.disjoint_paths, robust.low, robust.exact) == (1, 0.0, True)


def test_losses_are_what_taking_away_gives_where_degrees_do_not_matter(graph: Snapshot) -> None:
    """With w = 0 and the same means, leaving out an edge or a study is `without` it."""
    where = HypothesisConstraints(damping=0.0, permutations=0, gaps=0)
    for h in ask(graph, where, subject="node:alpha").items:
        for loss in (h.robustness.edge, h.robustness.line):
            assert loss is not None
            after = named(ask(graph, where, subject="node:alpha", without=[loss.id]))
            left = after.get((h.subject.label, h.object.label))
            assert loss.score == pytest.approx(left.score if left else 0.0, abs=1e-9)
            assert h.robustness.low <= h.score <= h.robustness.high


def test_losing_a_contradiction_is_the_upper_end_of_the_interval(graph: Snapshot) -> None:
    robust = named(ask(graph, subject="node:beta"))["beta", "ssc"].robustness
    after = named(ask(graph, subject="node:beta", without=["b6"]))["beta", "ssc"]
    assert robust.high == pytest.approx(after.score)
    assert robust.high > after.baseline_score


def test_edge_disjoint_paths_are_counted(graph: Snapshot) -> None:
    """Alpha reaches arthritis directly and through CD19, but both end in one edge; two cells make two ways."""
    assert named(ask(graph, subject="node:alpha"))["alpha", "arthritis"].robustness.disjoint_paths == 1
    assuming = ["node:alpha depletes node:plasma", "node:plasma drives node:arthritis"]
    more = named(ask(graph, subject="node:alpha", assuming=assuming))["alpha", "arthritis"]
    assert more.robustness.disjoint_paths == 2


# ---------------------------------------------------------------- statistics
def test_a_small_graph_says_so_instead_of_printing_a_p_value(graph: Snapshot) -> None:
    page = ask(graph, HypothesisConstraints(), object="node:mg")
    assert page.permutations is not None
    assert page.permutations.permutations == 200
    for h in page.items:
        assert (h.p_value, h.q_value) == (None, None)
        assert h.p_value_note is not None
        assert h.p_value_note in h.text or not h.score
    assert any("too small for a p-value" in h.text for h in page.items)


def test_p_and_q_values_of_a_larger_graph(seed_graph: Snapshot) -> None:
    page = ask(seed_graph, HypothesisConstraints(gaps=0), object="MONDO:0005100", first=20)
    tested = [h for h in page.items if h.p_value is not None]
    assert tested
    for h in tested:
        assert 1 / 201 <= h.p_value <= h.q_value <= 1
        assert "p = " in h.text
        assert all(c.p_value is None or 1 / 201 <= c.p_value <= 1 for c in h.contributions)
    seeds = [ask(seed_graph, HypothesisConstraints(gaps=0, seed=s), object="MONDO:0005100", first=3) for s in (0, 1)]
    assert [h.p_value for h in seeds[0].items] == [h.p_value for h in page.items[:3]]
    assert seeds[1].permutations.seed == 1


def test_pooled_p_values_need_no_pair_of_their_own(seed_graph: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the size where permuting takes minutes, nulls are pooled over equal degrees; nothing is run unasked."""
    monkeypatch.setattr("kg.significance.LARGE", 10)
    unasked = ask(seed_graph, HypothesisConstraints(gaps=0, seed=7), object="MONDO:0005100", first=1)
    assert "ask for them with `permutations`" in unasked.note
    page = ask(seed_graph, HypothesisConstraints(gaps=0, seed=7, permutations=20), object="MONDO:0005100", first=5)
    assert page.permutations.method == "GAMMA_HURDLE"
    assert all(0 < h.p_value <= 1 for h in page.items if h.p_value_note is None)


def test_permutations_add_up_over_questions_of_large_graphs(
    seed_graph: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question takes as many as its budget allows, and all read the same ones."""
    monkeypatch.setattr("kg.significance.LARGE", 10)
    for disease in ("MONDO:0005100", "MONDO:0009688"):  # their scores are known
        ask(seed_graph, HypothesisConstraints(gaps=0, permutations=0), object=disease)
    where, told = HypothesisConstraints(gaps=0, seed=8, permutations=30), []
    for _ in range(10):
        page = ask(seed_graph, where, object="MONDO:0005100", first=1, budget=Budget(2_000))
        told.append(page.permutations.permutations)
        if told[-1] == 30:
            break
        assert f"allowed {told[-1]} of 30 permutations; ask again" in page.note
    assert 0 < told[0] < 30
    assert told == sorted(set(told))
    other = ask(seed_graph, where, object="MONDO:0009688", first=1)
    assert other.permutations == page.permutations
    monkeypatch.setattr(PairNulls, "extend", lambda *_: pytest.fail("permuted again"))
    assert ask(seed_graph, where, object="MONDO:0009688", first=1) is other


# ---------------------------------------------------------------- completeness
def test_pages_join_to_the_whole_list(seed_graph: Snapshot) -> None:
    where = HypothesisConstraints(gaps=0, paths=1, permutations=0)
    whole = ask(seed_graph, where, object="MONDO:0005100")
    assert whole.exhaustive
    assert whole.total == len(whole.items)
    found, after = [], None
    while True:
        page = ask(seed_graph, where, object="MONDO:0005100", first=17, after=after)
        found += page.items
        assert page.remaining == page.total - len(found)
        assert page.truncated_by == ("first" if page.remaining else None)
        if not page.remaining:
            break
        after = page.end_cursor
    assert [h.id for h in found] == [h.id for h in whole.items]


def test_a_cursor_belongs_to_its_list(graph: Snapshot) -> None:
    cursor = ask(graph, object="node:mg", first=1).end_cursor
    assert cursor is not None
    with pytest.raises(InvalidCursor, match="no cursor of this list"):
        ask(graph, object="node:ssc", after=cursor)
    with pytest.raises(InvalidCursor):
        ask(graph, object="node:mg", after="rubbish")


def test_a_spent_budget_says_what_it_cut(seed_graph: Snapshot) -> None:
    """Never a partial answer that looks whole."""
    world = scenario(seed_graph)
    page = hypotheses(
        world, object="MONDO:0005100", where=HypothesisConstraints(damping=0.31), budget=Budget(steps=5000)
    )
    assert page.truncated_by == "steps"
    assert not page.exhaustive
    assert len(page.metapaths) < 10


def test_the_pair_of_both_ends_keeps_its_rank_in_the_subjects_list(graph: Snapshot) -> None:
    whole = named(ask(graph, subject="node:beta"))
    (pair,) = ask(graph, subject="node:beta", object="node:ssc").items
    assert pair.rank == whole["beta", "ssc"].rank


def test_an_empty_answer_says_why(graph: Snapshot) -> None:
    assert ask(graph, subject="node:alpha", object="node:lupus").note == (
        "alpha and lupus: the graph already asserts it, so it is no hypothesis."
    )
    assert "being tried" in ask(graph, subject="node:alpha", object="node:mg").note
    assert "no path" in ask(graph, subject="node:cart", object="node:ssc").note


@pytest.mark.parametrize(
    ("ends", "error", "says"),
    [
        ({}, BadInput, "Name a Therapy, a Disease, or both"),
        ({"subject": "node:lupus"}, BadInput, "is a Disease, and hypotheses need a Therapy"),
        ({"object": "node:lupsu"}, NotFound, "lupsu"),
        ({"object": "node:mg", "first": -1}, BadInput, "0 or more"),
    ],
)
def test_impossible_questions_are_refused(graph: Snapshot, ends, error, says: str) -> None:
    with pytest.raises(error, match=says):
        ask(graph, **ends)


@pytest.mark.parametrize(
    "wrong",
    [{"max_length": 0}, {"max_length": 5}, {"permutations": -1}, {"seed": -1}, {"paths": -1}, {"metapaths": ()}],
)
def test_constraints_check_themselves(wrong) -> None:
    with pytest.raises(BadInput):
        HypothesisConstraints(**wrong)


# ---------------------------------------------------------------- words and tables
def test_the_text_claims_no_more_than_there_is(graph: Snapshot) -> None:
    """An untested pair is never said to be treated, and a wider trial is called nearest, not the pair's."""
    h = named(ask(graph, subject="node:alpha"))["alpha", "arthritis"]
    assert h.text.startswith("alpha for arthritis: suggested by ")
    assert "No trial of the pair is known in this graph." in h.text
    assert "treats arthritis" not in h.text


def test_what_is_known_of_wider_and_narrower_pairs_is_named(model: Model) -> None:
    edges = {**EDGES, "arthritis subtypeOf mg": [Said("CURATED_REFERENCE")]}
    h = named(ask(small_graph(model, ENTITIES, edges), subject="node:alpha"))["alpha", "arthritis"]
    assert [a.relation for a in h.related] == ["investigatedFor"]
    assert "Nearest to it, alpha is investigated for mg." in h.text


def test_a_page_is_a_frame_on_request(graph: Snapshot) -> None:
    pd = pytest.importorskip("pandas")
    frame = ask(graph, object="node:mg").to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["rank"]) == list(range(1, len(frame) + 1))
    assert {"score", "p_value", "status", "text"} <= set(frame.columns)


# ---------------------------------------------------------------- the next experiment
def test_the_planner_ranks_edges_by_what_they_would_add_to_all_open_pairs(graph: Snapshot) -> None:
    world = scenario(graph)
    plan = planner(world, where=QUICK, first=5)
    assert [e.gain for e in plan.items] == sorted((e.gain for e in plan.items), reverse=True)
    best = plan.items[0]
    before = score_table(world, where=QUICK)
    after = score_table(
        scenario(graph, [Assumption(best.subject.curie, best.relation, best.object.curie)]),
        where=QUICK,
        metapaths=before.metapaths,
    )
    subject, object_, gain = best.best[0]
    cell = (before.graph.index[subject.curie], before.graph.index[object_.curie])
    assert after.scores[cell] - before.scores[cell] == pytest.approx(gain, abs=1e-9)
    assert plan.truncated_by == "first"
    assert best.completes <= best.raises


def test_the_planner_may_look_at_one_disease(graph: Snapshot) -> None:
    plan = planner(scenario(graph), object="node:ssc", where=QUICK, first=3)
    assert plan.items
    assert {o.label for e in plan.items for _, o, _ in e.best} == {"ssc"}
    with pytest.raises(BadInput, match="1 or more"):
        planner(scenario(graph), first=0)
