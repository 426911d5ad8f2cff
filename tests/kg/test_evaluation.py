"""Evaluation: the figures are the textbook's, nothing that is held out leaks, and the same seed says the same."""

import json
import random
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from kg import Model, Snapshot
from kg.cli.evaluate import evaluate_
from kg.curves import plot
from kg.errors import BadInput, NotFound
from kg.evaluation import Evaluation, evaluate, metapaths, plain_sum
from kg.holdout import Pairs, Round, by_folds, by_time
from kg.metrics import Floats, Levels, chance, measure, within
from kg.overlay import scenario
from kg.projection import Claim, EntitySpec, Projection
from kg.records import Evidence, Source, Study
from kg.scoring import score_table
from kg.snapshot import Version
from tests.conftest import ROOT, TINY

LABELS = {"therapy": "Therapy", "target": "Target", "cell": "CellPopulation", "disease": "Disease", "CLINICALTRIALS": "Trial"}  # fmt: skip
SOURCE = Source("doi:10.1/x", "https://doi.org/10.1/x", "JOURNAL_ARTICLE", "made up", "https://doi.org/10.1/x")
Edge = tuple[str, str, str] | tuple[str, str, str, str] | tuple[str, str, str, str, str]


@pytest.fixture
def make(model: Model):
    """A graph from (subject, relation, object, date, trial); the entities are those that the edges name."""

    def make(edges: Iterable[Edge]) -> Snapshot:
        full = [(*edge, *("2020-01-01", "")[len(edge) - 3 :]) for edge in edges]
        names = sorted({name for s, _, o, _, trial in full for name in (s, o, trial) if name})
        claims = [_claim(model, number, *edge) for number, edge in enumerate(full)]
        return Snapshot(
            model, Projection(tuple(_spec(model, n) for n in names), tuple(claims), {}, {}), Version(0, "t")
        )

    return make


def _spec(model: Model, name: str) -> EntitySpec:
    kind = LABELS[name.partition(":")[0]]
    lists = {"synonyms": (), "xrefs": (), "broad_matches": (), "sources": ()}
    values = {"iri": model.prefixes.iri(name), "curie": name, "label": name, "description": None, "url": None, **lists}
    return EntitySpec(kind, {field.attribute: None for field in model.kind[kind].fields} | values)


def _claim(model: Model, number: int, subject: str, relation: str, object_: str, day: str, trial: str) -> Claim:
    study = Study(trial, trial, trial, entity=trial) if trial else None
    level = model.level["RANDOMIZED_TRIAL"]
    evidence = Evidence(f"evidence:{number}", SOURCE, level, "SUPPORTS", day, study=study)
    return Claim(f"assertion:{number}", f"https://cartograph.example/assertion/{number}", subject, relation, object_, (evidence,))  # fmt: skip


def by_name(result: Evaluation) -> dict[str, float]:
    return {ranking.name: ranking.scores.auroc.value for ranking in result.rankings}


def noise(seed: int = 0) -> list[Edge]:
    """Mechanisms that have nothing to do with which therapy treats what."""
    rng = random.Random(seed)
    chain = (("therapy", 40, "targets", "target", 12), ("target", 12, "expressedOn", "cell", 12), ("cell", 12, "drives", "disease", 40))  # fmt: skip
    return [
        (f"{a}:{i}", relation, f"{b}:{j}")
        for a, n, relation, b, m in chain
        for i in range(n)
        for j in rng.sample(range(m), 3 if m < 40 else 8)
    ]


def at_random(seed: int = 1) -> list[Edge]:
    """Who treats what by the throw of a coin: a pair's own edge is all there is to know about it."""
    rng = random.Random(seed)
    return [(f"therapy:{i}", "treats", f"disease:{j}") for i in range(40) for j in range(40) if rng.random() < 0.12]


# ---------------------------------------------------------------- figures
scores_and_truth = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(truth for _, truth in rows) < len(rows)
)


def arrays(rows: list[tuple[int, bool]]) -> tuple[Floats, np.ndarray]:
    return np.array([score for score, _ in rows], float), np.array([truth for _, truth in rows])


@settings(deadline=None)
@given(scores_and_truth)
def test_figures_equal_scikit_learns_with_ties(rows: list[tuple[int, bool]]) -> None:
    scores, truth = arrays(rows)
    levels = Levels.of(scores, truth)
    assert levels.auroc == pytest.approx(roc_auc_score(truth, scores))
    assert levels.auprc == pytest.approx(average_precision_score(truth, scores))


@settings(deadline=None)
@given(scores_and_truth)
def test_the_roc_curve_passes_through_scikit_learns_points(rows: list[tuple[int, bool]]) -> None:
    scores, truth = arrays(rows)
    false_rate, true_rate, _ = roc_curve(truth, scores, drop_intermediate=False)
    steps = np.diff(false_rate, append=2) > 0  # where the curve rises straight up, its upper end
    assert Levels.of(scores, truth).roc(false_rate[steps]) == pytest.approx(true_rate[steps])


@settings(deadline=None)
@given(scores_and_truth, st.integers(1, 60))
def test_precision_at_k_is_what_random_orders_of_ties_give_on_average(rows: list[tuple[int, bool]], k: int) -> None:
    scores, truth = arrays(rows)
    k = min(k, len(rows))
    cut = np.sort(scores)[::-1][k - 1]
    above, tied = scores > cut, scores == cut
    hits = truth[above].sum() + (k - above.sum()) * truth[tied].mean()
    assert Levels.of(scores, truth).precision_at(k) == pytest.approx(hits / k)


def test_one_score_for_all_is_worth_nothing() -> None:
    truth = np.arange(1000) < 70
    levels = Levels.of(np.zeros(1000), truth)
    assert (levels.auroc, levels.auprc, levels.precision_at(10)) == pytest.approx((0.5, 0.07, 0.07))


def test_a_perfect_ranking_scores_one_everywhere() -> None:
    levels = Levels.of(np.arange(1000.0), np.arange(1000) >= 900)
    assert (levels.auroc, levels.auprc, levels.precision_at(100)) == pytest.approx((1, 1, 1))


@settings(max_examples=20, deadline=None)
@given(scores_and_truth, st.integers(0, 5))
def test_intervals_and_bands_contain_the_point(rows: list[tuple[int, bool]], seed: int) -> None:
    found = measure(*arrays(rows), (1, 10), seed=seed, replicates=50)
    for interval in (found.auroc, found.auprc, *found.precision.values()):
        assert interval.low <= interval.value <= interval.high
    assert found == measure(*arrays(rows), (1, 10), seed=seed, replicates=50)


def test_intervals_narrow_with_more_positives() -> None:
    rng = np.random.default_rng(0)

    def width(size: int) -> float:
        truth = np.arange(size) < size // 10
        found = measure(rng.normal(size=size) + truth, truth, (10,)).auroc
        return found.high - found.low

    assert width(20_000) < width(400) / 3


def test_chance_centres_on_a_half_and_its_bounds_hold_random_orders() -> None:
    truth = np.arange(2000) < 50
    found = chance(truth, (10,), seed=3)
    rng = np.random.default_rng(9)
    inside = [found.auroc.low <= Levels.of(rng.random(2000), truth).auroc <= found.auroc.high for _ in range(400)]
    assert found.auroc.value == 0.5
    assert 0.9 < np.mean(inside) < 0.99


def test_within_groups_popularity_of_the_group_earns_nothing() -> None:
    groups = np.repeat([0, 1], 100)
    truth = (np.arange(200) % 100) < np.repeat([60, 2], 100)
    popular = 1.0 - groups
    assert Levels.of(popular, truth).auroc > 0.7
    assert within(popular, truth, groups).value == 0.5
    found = within(truth * 1.0 + popular, truth, groups)
    assert (found.low, found.value, found.high) == (1, 1, 1)


# ---------------------------------------------------------------- no leakage
def test_an_edge_that_is_the_only_signal_cannot_be_found_once_held_out(make) -> None:
    found = by_name(evaluate(make(noise() + at_random()), folds=10, regression=True))
    for name in ("sum", "degree", "regression"):
        assert found[name] == pytest.approx(0.5, abs=0.08), name


def test_a_real_mechanism_is_found_again(make) -> None:
    told = [(f"therapy:{i}", "targets", f"target:{i % 8}") for i in range(40)]
    told += [(f"target:{i}", "expressedOn", f"cell:{i}") for i in range(8)]
    told += [(f"cell:{i % 8}", "drives", f"disease:{i}") for i in range(40)]
    treats = [(f"therapy:{i}", "treats", f"disease:{j}") for i in range(40) for j in range(40) if i % 8 == j % 8]
    found = by_name(evaluate(make(told + treats), folds=5))
    assert found["sum"] > 0.95
    assert found["regression"] > 0.95
    assert found["degree"] < 0.6


def test_the_trial_of_a_held_out_pair_goes_with_it(make, monkeypatch: pytest.MonkeyPatch) -> None:
    edges: list[Edge] = noise()
    for number, (therapy, _, disease, *_) in enumerate(at_random()):
        trial = f"CLINICALTRIALS:NCT{number:08}"
        edges += [(trial, "evaluates", therapy), (trial, "studies", disease)]
        edges += [(therapy, "investigatedFor", disease, "2020-01-01", trial)]
    graph = make(edges)
    assert by_name(evaluate(graph, folds=10, regression=False))["sum"] == pytest.approx(0.5, abs=0.08)
    monkeypatch.setattr(Pairs, "trials", lambda *_: set())  # without that, the trial tells
    assert by_name(evaluate(graph, folds=10, regression=False))["sum"] > 0.7


def test_what_rests_on_the_same_study_goes_and_what_has_other_evidence_stays(make) -> None:
    nct = "CLINICALTRIALS:NCT00000001"
    graph = make(
        [
            ("therapy:a", "treats", "disease:a", "2020-01-01", nct),
            ("therapy:a", "depletes", "cell:a", "2020-01-01", nct),
            ("therapy:a", "depletes", "cell:b", "2020-01-01"),
            (nct, "studies", "disease:b", "2020-01-01"),
        ]
    )
    pairs = Pairs(graph)
    gone = {(a.relation, a.object.curie) for id in pairs.withheld([(0, 0)]) for a in [graph.assertion_by_id[id]]}
    assert gone == {("treats", "disease:a"), ("depletes", "cell:a"), ("studies", "disease:b")}


def test_no_round_holds_an_edge_of_the_pairs_it_scores(seed_graph: Snapshot) -> None:
    pairs = Pairs(seed_graph)
    split = by_folds(pairs, 7, seed=4)
    for number, round_ in enumerate(split.rounds):
        assert not (round_.known[split.turn == number]).any()
        assert (split.truth & (split.turn == number)).any()
    assert (split.truth & ~split.candidates).sum() == 0


def test_every_pair_that_nothing_asserts_is_a_candidate_once(seed_graph: Snapshot) -> None:
    pairs = Pairs(seed_graph, ("treats",))
    split = by_folds(pairs, 5, seed=0)
    asserted = {(a.subject.curie, a.object.curie) for a in seed_graph.assertions if a.supported and a.relation in pairs.predicted}  # fmt: skip
    assert split.candidates.sum() - split.truth.sum() == len(pairs.subjects) * len(pairs.objects) - len(asserted)


def test_the_plain_sum_is_what_hypotheses_are_ranked_by(seed_graph: Snapshot) -> None:
    round_ = Round(Pairs(seed_graph), seed_graph, (), 0)
    assert np.allclose(plain_sum(round_), score_table(scenario(seed_graph)).scores)
    assert len(metapaths(round_)) == len(score_table(scenario(seed_graph)).metapaths)


# ---------------------------------------------------------------- by time
DATED: list[Edge] = [
    ("therapy:a", "treats", "disease:a", "2019"),
    ("therapy:a", "treats", "disease:b", "2021-12-31"),
    ("therapy:b", "treats", "disease:a", "2022-01-01"),
    ("therapy:b", "targets", "target:x", "2020"),
    ("therapy:c", "treats", "disease:c", "2023"),
    ("therapy:d", "targets", "target:x", "2021"),
    ("therapy:d", "treats", "disease:b", "2021"),
]


def test_the_split_by_time_knows_the_last_day_and_asks_for_the_next(make) -> None:
    result = evaluate(make(DATED), as_of=date(2021, 12, 31))
    assert [(found.subject, found.object) for found in result.found] == [("therapy:b", "disease:a")]
    assert result.left_out["an end had no edge by then"] == 1  # therapy:c was not heard of
    assert result.candidates == 3 * 2 - 3
    assert (
        "3 pairs (treats, investigatedFor)" in result.held_out or "3 pairs (investigatedFor, treats)" in result.held_out
    )


def test_a_year_is_known_only_when_it_is_over(make) -> None:
    graph = make([*DATED, ("therapy:d", "treats", "disease:a", "2022")])
    found = {(f.subject, f.object) for f in evaluate(graph, as_of=date(2022, 12, 30)).found}
    assert found == {("therapy:d", "disease:a")}
    with pytest.raises(BadInput, match="choose an earlier day"):
        evaluate(graph, as_of=date(2022, 12, 31))


def test_a_pair_whose_trial_was_already_there_is_no_prediction(make) -> None:
    nct = "CLINICALTRIALS:NCT00000001"
    under_way: list[Edge] = [
        (nct, "evaluates", "therapy:d", "2021-01-01"),
        (nct, "studies", "disease:a", "2021-01-01"),
        ("therapy:d", "investigatedFor", "disease:a", "2024-01-01", nct),
    ]
    result = evaluate(make(DATED + under_way), as_of=date(2021, 12, 31))
    assert result.left_out["their trial was in the graph by then"] == 1
    assert ("therapy:d", "disease:a") not in {(found.subject, found.object) for found in result.found}


def test_background_keeps_later_mechanisms_but_not_later_pairs(make) -> None:
    graph = make(
        [*DATED, ("therapy:c", "targets", "target:x", "2024"), ("disease:c", "subtypeOf", "disease:a", "2024")]
    )
    pairs = Pairs(graph)
    split = by_time(pairs, date(2021, 12, 31), background=True)
    assert not (split.rounds[0].known[split.truth]).any()
    assert split.truth.sum() == 2
    assert {"target:x"} <= {a.object.curie for a in split.rounds[0].scenario.edges() if a.subject.curie == "therapy:c"}


# ---------------------------------------------------------------- the same again, and bad input
def test_the_same_seed_gives_the_same_figures_and_another_seed_others(seed_graph: Snapshot) -> None:
    one, same, other = (evaluate(seed_graph, folds=2, max_length=2, seed=seed, regression=True) for seed in (5, 5, 6))
    assert one.as_json() == same.as_json()
    assert one.rankings[0].scores.auroc != other.rankings[0].scores.auroc


def test_too_little_to_hold_out_and_unknown_names_are_said(make) -> None:
    graph = make(DATED)
    with pytest.raises(BadInput, match="5 known pairs cannot be split into 9 folds"):
        evaluate(graph, folds=9)
    with pytest.raises(BadInput, match="choose an earlier day"):
        evaluate(graph, as_of=date(2025, 1, 1))
    with pytest.raises(NotFound, match="tarot"):
        evaluate(graph, baselines=["tarot"])
    with pytest.raises(NotFound):
        evaluate(graph, ["treatz"])


def test_the_regression_says_when_it_has_too_little_or_no_library(make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "only 4 pairs" in evaluate(make(DATED), folds=5).notes[0]
    monkeypatch.setattr("kg.evaluation._sklearn", lambda: None)
    with pytest.raises(BadInput, match=r"cartograph-kg\[evaluate\]"):
        evaluate(make(DATED), folds=5, regression=True)


# ---------------------------------------------------------------- command and plot
def test_the_command_prints_a_table_or_json(tmp_path: Path) -> None:
    arguments = ["--seeds", str(ROOT / "seeds"), "--as-of", "2021-12-31", "--background", "--no-regression"]
    table = CliRunner().invoke(evaluate_, arguments)
    assert table.exit_code == 0
    assert "AUROC" in table.output
    assert "degree" in table.output
    answer = json.loads(CliRunner().invoke(evaluate_, [*arguments, "--format", "json", "--baseline", ""]).output)
    assert [ranking["name"] for ranking in answer["rankings"]] == ["sum"]
    assert answer["positives"] == len(answer["found"])


def test_the_command_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    for arguments in (["--background"], ["--relation", "nothing"], ["--folds", "900"], ["--plot", "a.pdf"]):
        result = CliRunner().invoke(evaluate_, ["--seeds", str(TINY), *arguments])
        assert result.exit_code == 2, arguments


def test_the_plot_names_every_ranking_and_is_the_same_twice(seed_graph: Snapshot, tmp_path: Path) -> None:
    result = evaluate(seed_graph, as_of=date(2021, 12, 31), background=True)
    for name in ("a.svg", "b.svg", "c.png"):
        plot(result, tmp_path / name)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f"{ranking.name}  AUROC" in text for ranking in result.rankings)
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
