"""Permuted graphs keep what they must, sample evenly, and say when they cannot tell anything."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from kg import Snapshot
from kg.budget import Budget
from kg.matrices import EdgeList, PathCounter, matrices
from kg.metapaths import Metagraph
from kg.nulls import PairNulls
from kg.overlay import scenario
from kg.permutation import (
    EXACT,
    GAMMA,
    MIN_DISTINCT,
    MULTIPLIER,
    benjamini_hochberg,
    exact_p,
    gamma_hurdle_p,
    null_scores,
    permute,
)


def edge_list(rows, columns, shape, **kind) -> EdgeList:
    ends = [np.array(end, np.int64) for end in (rows, columns)]
    return EdgeList(shape, *ends, np.ones(len(rows)), **kind)


def random_edges(kind: str) -> EdgeList:
    random = np.random.default_rng(7)
    cells = {(int(a), int(b)) for a, b in random.integers(0, 20, (90, 2)) if a != b}
    if kind == "undirected":
        cells = {(min(cell), max(cell)) for cell in cells}
    rows, columns = np.array(sorted(cells)).T
    flags = {"bipartite": {}, "directed": {"same_kind": True}, "undirected": {"same_kind": True, "symmetric": True}}
    return edge_list(rows, columns, (20, 20), **flags[kind])


@pytest.mark.parametrize("kind", ["bipartite", "directed", "undirected"])
def test_permutation_keeps_every_degree_and_makes_no_loop_or_double_edge(kind: str) -> None:
    """Degrees are the null hypothesis: change one and the p-value answers another question."""
    edges = random_edges(kind)
    permuted = permute(edges, 20, seed=1, name="r")
    for rows, columns in zip(permuted.rows, permuted.columns, strict=True):
        pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
        if kind == "undirected":
            pairs = [(min(pair), max(pair)) for pair in pairs]
            ends = np.concatenate([rows, columns])
            assert Counter(ends.tolist()) == Counter([*edges.rows.tolist(), *edges.columns.tolist()])
        else:
            assert Counter(rows.tolist()) == Counter(edges.rows.tolist())
            assert Counter(columns.tolist()) == Counter(edges.columns.tolist())
        assert len(set(pairs)) == len(edges)
        assert kind == "bipartite" or all(a != b for a, b in pairs)


def test_permutations_are_reproducible_and_reported() -> None:
    edges = random_edges("bipartite")
    one, again, other = (permute(edges, 5, seed, "r") for seed in (1, 1, 2))
    assert (one.columns == again.columns).all()
    assert (one.columns != other.columns).any()
    assert one.attempted >= MULTIPLIER * len(edges) * 5 >= one.succeeded > 0
    real = set(zip(edges.rows.tolist(), edges.columns.tolist(), strict=True))
    moved = [(a, b) not in real for a, b in zip(one.rows.ravel().tolist(), one.columns.ravel().tolist(), strict=True)]
    assert one.changed == pytest.approx(np.mean(moved))


def test_what_is_noted_of_a_permutation_does_not_hold_its_edges() -> None:
    """On a large graph they are megabytes, and there are hundreds of permutations."""
    noted = permute(random_edges("bipartite"), 1, 1, "r").without_ends()
    assert noted.rows.size == noted.columns.size == 0
    assert (noted.rows.base, noted.columns.base) == (None, None)


def networks(out: list[int], into: list[int]) -> int:
    """How many simple bipartite graphs have these degrees, by trying all."""
    cells = [(a, b) for a in range(len(out)) for b in range(len(into))]
    return sum(
        [sum(a == i for a, _ in chosen) for i in range(len(out))] == out
        and [sum(b == i for _, b in chosen) for i in range(len(into))] == into
        for chosen in combinations(cells, sum(out))
    )


def test_every_graph_with_the_degrees_is_as_likely() -> None:
    """Swapping many pairs at once must not favour some graphs: chi-square over all 90 or so that there are."""
    edges = edge_list([0, 0, 1, 2, 3], [0, 1, 0, 1, 2], (4, 3))
    out, into = [2, 1, 1, 1], [2, 2, 1]
    permuted = permute(edges, 6000, seed=3, name="r")
    seen = Counter(permuted.digests.tolist())
    assert len(seen) == networks(out, into)
    assert stats.chisquare(list(seen.values())).pvalue > 0.001


def test_scores_of_stacked_permutations_are_those_of_each_alone(seed_graph: Snapshot) -> None:
    """All permutations share one matrix product; each block must be what its own graph gives."""
    graph = matrices(scenario(seed_graph))
    (metapath,) = Metagraph(seed_graph.model, graph.edges).parse("targets, expressedOn, drives")
    sources, targets = np.arange(5), np.arange(3)
    counter = PathCounter(graph, sources, targets)
    observed, scale = np.arcsinh(counter.dwpc(metapath).toarray() / 0.1)[None], np.array([0.1])
    options = {"damping": 0.4, "weighting": "CONFIDENCE", "permutations": 3, "seed": 5}
    null = null_scores(graph, [metapath], sources, targets, observed, scale, **options)
    for number in range(3):
        edges = dict(graph.edges)
        for key, (part,) in null.shuffles.items():
            old = graph.edges[key]
            edges[key] = EdgeList(old.shape, part.rows[number], part.columns[number], old.confidence)
        alone = type(graph)(graph.model, graph.sizes, edges)
        expected = np.arcsinh(alone.dwpc(metapath, sources, targets).toarray() / 0.1)
        assert np.allclose(null.sums[0][number], expected)


def test_a_p_value_is_never_zero() -> None:
    """(r + 1) / (n + 1): the real graph counts as one of the permutations."""
    null = np.array([[[1.0]], [[2.0]], [[3.0]]])
    assert exact_p(null, np.array([[2.0]])) == [[3 / 4]]
    assert exact_p(null, np.array([[9.0]])) == [[1 / 4]]


def test_the_gamma_hurdle_is_het_ios_formula() -> None:
    """P(nonzero) times the tail of a Gamma with the null's mean and variance (peers.md §4.2), and fall-backs above 0."""
    values = np.array([0.0, 0.0, 1.0, 2.0, 4.0])
    tallies = [np.array([x]) for x in (5.0, 3.0, values.sum(), (values**2).sum())]
    mean, variance = np.mean([1, 2, 4]), np.var([1, 2, 4], ddof=1)
    expected = 3 / 5 * stats.gamma.sf(3.0, mean**2 / variance, scale=variance / mean)
    assert gamma_hurdle_p(*tallies, np.array([3.0])) == pytest.approx(expected)
    assert gamma_hurdle_p(*tallies, np.array([0.0])) == 1.0  # no path
    none = [np.array([x]) for x in (9.0, 0.0, 0.0, 0.0)]
    assert gamma_hurdle_p(*none, np.array([3.0])) == 0.1  # no null score at all: 1 of 10
    flat = [np.array([x]) for x in (9.0, 4.0, 8.0, 16.0)]
    assert gamma_hurdle_p(*flat, np.array([2.0])) == 0.5  # all equal and reached: 5 of 10
    assert gamma_hurdle_p(*tallies, np.array([1e6])) > 0.0


def test_nulls_of_all_pairs_are_what_each_permuted_graph_gives(seed_graph: Snapshot) -> None:
    """Pooled over nodes of equal degrees; sums with few alike are compared with their own."""
    graph = matrices(scenario(seed_graph))
    meta = Metagraph(seed_graph.model, graph.edges)
    metapaths = [meta.parse(names)[0] for names in ("targets, expressedOn, drives", "depletes, drives")]
    scale = np.array([0.1, 0.2])
    nulls = PairNulls(graph, metapaths, scale, damping=0.4, weighting="CONFIDENCE", seed=5)
    nulls.extend(4, Budget())

    def scores(edges):
        made = type(graph)(graph.model, graph.sizes, edges)
        return np.stack([np.arcsinh(made.dwpc(m).toarray() / s) for m, s in zip(metapaths, scale, strict=True)])

    found = []
    for number in range(4):
        edges = dict(graph.edges)
        for key in nulls.used:
            old, part = graph.edges[key], permute(graph.edges[key], 1, 5 + (number << 32), " ".join(key))
            edges[key] = EdgeList(old.shape, part.rows[0], part.columns[0], old.confidence)
        found.append(scores(edges))
    null, observed = np.stack(found), scores(dict(graph.edges))
    assert nulls.count == nulls.report(GAMMA, 5).permutations == len(null)
    sources, targets = np.arange(0, graph.sizes["Therapy"], 3), np.arange(4)
    firsts = np.stack([graph.step(m.steps[0]).row_degree for m in metapaths])
    lasts = np.stack([graph.step(m.steps[-1]).column_degree for m in metapaths])
    p = nulls.of_metapaths(sources, targets, observed[:, sources[:, None], targets])[0]
    sums = nulls.of_pairs(sources, targets, observed.sum(axis=0)[np.ix_(sources, targets)])
    few = 0
    for i, source in enumerate(sources):
        for j, target in enumerate(targets):
            alike = np.ix_(range(len(null)), firsts[0] == firsts[0][source], lasts[0] == lasts[0][target])
            assert p[i, j] == pytest.approx(pooled_p(null[:, 0][alike], observed[0, source, target]))
            rows, columns = ((d == d[:, [n]]).all(axis=0) for d, n in ((firsts, source), (lasts, target)))
            values = null.sum(axis=1)[np.ix_(range(len(null)), rows, columns)]
            own, score = null.sum(axis=1)[:, source, target], observed.sum(axis=0)[source, target]
            few += values.size < MIN_DISTINCT
            expected = pooled_p(values, score) if values.size >= MIN_DISTINCT else (sum(own >= score) + 1) / 5
            assert sums[i, j] == pytest.approx(expected)
    assert 0 < few < sums.size


def pooled_p(values, observed):
    tallies = (np.array([n]) for n in (values.size, (values > 0).sum(), values.sum(), (values**2).sum()))
    return gamma_hurdle_p(*tallies, np.array([observed]))[0]


def test_q_values_are_benjamini_and_hochbergs() -> None:
    """Their 1995 example's first values; pairs without a p-value stay without."""
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    expected = stats.false_discovery_control(p_values)
    found = benjamini_hochberg([None, *p_values])
    assert found[0] is None
    assert found[1:] == pytest.approx(list(expected))
    assert benjamini_hochberg([0.5, 0.01]) == [0.5, 0.02]
    assert benjamini_hochberg([]) == []


def null_of(graph: Snapshot, names: str, **options):
    made = matrices(scenario(graph))
    (metapath,) = Metagraph(graph.model, made.edges).parse(names)
    ends = [np.arange(made.sizes[metapath.kinds[0]]), np.arange(made.sizes[metapath.kinds[-1]])]
    observed = made.dwpc(metapath, *ends).toarray()[None]
    options = {"damping": 0.4, "weighting": "CONFIDENCE", "permutations": 120, **options}
    return metapath, null_scores(made, [metapath], *ends, observed, np.ones(1), **options)


def test_a_relation_with_too_few_graphs_gives_a_reason_instead_of_a_p_value(tiny_graph: Snapshot) -> None:
    """Two edges have two arrangements at most; 120 repeats of them are no distribution."""
    metapath, null = null_of(tiny_graph, "targets, expressedOn, drives")
    reason = null.too_small(step.metaedge for step in metapath.steps)
    assert reason is not None
    assert "too small for a p-value: 120 permutations of drives, expressedOn, targets gave" in reason
    assert "and 100 are needed" in reason


def test_a_relation_with_enough_graphs_is_reported_in_full(seed_graph: Snapshot) -> None:
    metapath, null = null_of(seed_graph, "depletes, drives", seed=4)
    assert null.too_small(step.metaedge for step in metapath.steps) is None
    report = null.report(EXACT, 4)
    assert (report.permutations, report.seed, report.distinct) == (120, 4, 120)
    assert report.attempted == sum(row.attempted for row in report.relations)
    assert {row.relation for row in report.relations} == {"depletes", "drives"}
    assert 0.2 < report.changed <= 1.0
    assert "120 degree-preserving permutations (XSwap, seed 4)" in report.text


def test_a_spent_budget_stops_before_permuting(seed_graph: Snapshot) -> None:
    _, null = null_of(seed_graph, "depletes, drives", budget=Budget(steps=0))
    assert null.count == 0


def test_the_mean_of_the_null_is_what_the_degrees_predict() -> None:
    """A check against theory: an edge between degrees a and b is there with probability near a·b/m."""
    edges = random_edges("bipartite")
    permuted = permute(edges, 3000, seed=1, name="r")
    a, b = Counter(edges.rows.tolist()), Counter(edges.columns.tolist())
    lowest = (min(a, key=a.__getitem__), min(b, key=b.__getitem__))
    share = ((permuted.rows == lowest[0]) & (permuted.columns == lowest[1])).any(axis=1).mean()
    expected = a[lowest[0]] * b[lowest[1]] / len(edges)
    assert math.isclose(share, expected, rel_tol=0.5)
