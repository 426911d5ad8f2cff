"""Degree-weighted path counts: the published numbers, and brute force on random graphs."""

import gc
import math
import weakref
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg import Model, Snapshot
from kg.elimination import partitions
from kg.errors import BadInput
from kg.matrices import CONFIDENCE, UNIFORM, Matrices, PathCounter, matrices
from kg.metapaths import Metagraph, Metapath
from kg.overlay import Assumption, scenario
from tests.kg.small import Said, small_graph, small_model

# The example network of Himmelstein & Baranzini 2015, PLOS Comput Biol 11:e1004259, Fig 2, as published with
# hetnetpy (test/data/disease-gene-example-graph.json); expected values from the figure and from hetmatpy's
# hetmatpy/tests/test_degree_weight.py, all for w = 0.5.
GENES = "CXCR4 IL2RA IRF1 IRF8 ITCH STAT3 SUMO1"
FIGURE = [
    *(f"IRF1 interaction {gene}" for gene in ("SUMO1", "IL2RA", "IRF8", "CXCR4")),
    "ITCH interaction CXCR4",
    *(f"{gene} association Crohn" for gene in ("IRF1", "STAT3")),
    *(f"{gene} association MS" for gene in ("STAT3", "IL2RA", "IRF8", "CXCR4")),
    "IRF1 expression Lung",
    "IRF1 expression Leukocyte",
    "MS localization Leukocyte",
]
G, D, T = "Gene", "Disease", "Tissue"
PUBLISHED = {
    ("expression", "localizationBack"): (G, D, {("IRF1", "MS"): 2**-0.5}),
    ("associationBack", "expression"): (D, T, {("Crohn", "Leukocyte"): 0.5, ("Crohn", "Lung"): 0.5}),
    ("association", "localization"): (
        G, T,
        {("CXCR4", "Leukocyte"): 0.5, ("IL2RA", "Leukocyte"): 0.5, ("IRF8", "Leukocyte"): 0.5, ("STAT3", "Leukocyte"): 0.35355339},
    ),
    ("interaction",): (
        G, G,
        {("CXCR4", "IRF1"): 0.35355339, ("CXCR4", "ITCH"): 0.70710678, ("IL2RA", "IRF1"): 0.5, ("IRF1", "IRF8"): 0.5, ("IRF1", "SUMO1"): 0.5},
    ),
    ("association", "associationBack"): (
        G, G,
        {
            ("CXCR4", "IL2RA"): 0.25, ("CXCR4", "IRF8"): 0.25, ("CXCR4", "STAT3"): 0.1767767, ("IL2RA", "IRF8"): 0.25,
            ("IL2RA", "STAT3"): 0.1767767, ("IRF1", "STAT3"): 0.35355339, ("IRF8", "STAT3"): 0.1767767,
        },
    ),
    ("interaction", "interaction"): (
        G, G,
        {
            ("CXCR4", "IL2RA"): 0.1767767, ("CXCR4", "IRF8"): 0.1767767, ("CXCR4", "SUMO1"): 0.1767767, ("IL2RA", "IRF8"): 0.25,
            ("IL2RA", "SUMO1"): 0.25, ("IRF1", "ITCH"): 0.25, ("IRF8", "SUMO1"): 0.25,
        },
    ),
    ("interaction", "interaction", "interaction"): (
        G, G, {("IL2RA", "ITCH"): 0.125, ("IRF8", "ITCH"): 0.125, ("ITCH", "SUMO1"): 0.125},
    ),
    ("associationBack", "interaction", "association"): (D, D, {("Crohn", "MS"): 0.47855339}),
    ("association", "associationBack", "association"): (
        G, D,
        {
            ("CXCR4", "Crohn"): 0.08838835, ("IL2RA", "Crohn"): 0.08838835, ("IRF8", "Crohn"): 0.08838835, ("IRF1", "MS"): 0.125,
        },
    ),
    ("expression", "localizationBack", "associationBack", "association"): (G, D, {("IRF1", "Crohn"): 0.125}),
    ("association", "associationBack", "expression", "localizationBack"): (G, D, {("STAT3", "MS"): 0.25}),
}  # fmt: skip


@pytest.fixture(scope="module")
def figure(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    rows = [
        "Disease localization Tissue",
        "Gene association Disease",
        "Gene -interaction- Gene",
        "Gene expression Tissue",
    ]
    model = small_model(tmp_path_factory.mktemp("figure"), rows, predicts="association")
    return small_graph(model, {"Gene": GENES, "Disease": "Crohn MS", "Tissue": "Leukocyte Lung"}, FIGURE)


@pytest.mark.parametrize("names", PUBLISHED, ids=" ".join)
def test_uniform_weights_give_the_published_numbers(figure: Snapshot, names: tuple[str, ...]) -> None:
    """The definition is the paper's to the digit, or comparisons with the literature mean nothing."""
    source, target, expected = PUBLISHED[names]
    graph = matrices(scenario(figure))
    (metapath,) = Metagraph(figure.model, graph.edges).parse(names, source, target)
    found = graph.dwpc(metapath, damping=0.5, weighting=UNIFORM).tocoo()
    label = {kind: [entity.label for entity in members] for kind, members in graph.entities.items()}
    values = {(label[source][r], label[target][c]): v for r, c, v in zip(found.row, found.col, found.data, strict=True)}
    both = expected | {(b, a): v for (a, b), v in expected.items()} if source == target else expected
    assert values == pytest.approx(both, abs=1e-8)


def test_without_damping_the_dwpc_counts_paths(figure: Snapshot) -> None:
    """The figure's GiGaD between IRF1 and multiple sclerosis: 3 paths, DWPC 0.25 + 0.25 + 32^-0.5."""
    graph = matrices(scenario(figure))
    (metapath,) = Metagraph(figure.model, graph.edges).parse("interaction, association")
    pair = [np.array([graph.index[f"node:{name}"]]) for name in ("IRF1", "MS")]
    assert graph.dwpc(metapath, *pair, damping=0.0, weighting=UNIFORM).toarray() == [[3.0]]
    assert graph.dwpc(metapath, *pair, damping=0.5, weighting=UNIFORM).sum() == pytest.approx(0.5 + 32**-0.5)


# ---------------------------------------------------------------- random graphs
RELATIONS = {"r": ("A", "B"), "s": ("A", "A"), "d": ("A", "A"), "e": ("B", "B"), "q": ("B", "A")}
NODES = {"A": ["a0", "a1", "a2", "a3", "a4"], "B": ["b0", "b1", "b2", "b3"]}


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    rows = [f"{s} {'-s-' if name == 's' else name} {o}" for name, (s, o) in RELATIONS.items()]
    return small_model(tmp_path_factory.mktemp("random"), rows, predicts="r")


@st.composite
def edge_sets(draw: st.DrawFn) -> dict[str, tuple[Said, ...]]:
    possible = [f"{a} {name} {b}" for name, (s, o) in RELATIONS.items() for a in NODES[s] for b in NODES[o] if a != b]
    edges = draw(st.lists(st.sampled_from(possible), unique=True, min_size=1, max_size=40))
    return {edge: (Said(draw(st.sampled_from(["SURE", "HALF"]))),) for edge in edges}


def brute_paths(graph: Snapshot, metapath: Metapath, damping: float, weighting: str) -> dict[tuple[str, ...], float]:
    """All paths of a metapath by depth-first search, with their products; parallel undirected edges once, the surer."""
    steps = []
    for step in metapath.steps:
        edges: dict[tuple[str, str], float] = {}
        for a in graph.assertions:
            ways = [(a.subject, a.object)] if not step.reversed else [(a.object, a.subject)]
            if graph.model.relation[step.relation].symmetric:
                ways = [(a.subject, a.object), (a.object, a.subject)]
            for u, v in ways if a.relation == step.relation else ():
                edges[u.curie, v.curie] = max(edges.get((u.curie, v.curie), 0.0), a.confidence)
        out, into = Counter(u for u, _ in edges), Counter(v for _, v in edges)
        steps.append(
            {
                (u, v): (c if weighting == CONFIDENCE else 1.0) * out[u] ** -damping * into[v] ** -damping
                for (u, v), c in edges.items()
            }
        )
    starts = [entity.curie for entity in graph.by_kind[metapath.kinds[0]]]
    paths = {(start,): 1.0 for start in starts}
    for edges in steps:
        paths = {
            (*path, v): value * weight
            for path, value in paths.items()
            for (u, v), weight in edges.items()
            if u == path[-1] and v not in path
        }
    return paths


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edge_sets(), st.data())
def test_dwpc_equals_brute_force(random_model: Model, edges: dict[str, tuple[Said, ...]], data: st.DataObject) -> None:
    """Exact exclusion of repeated nodes, for every kind pattern up to four steps, slices and path lists included."""
    graph = small_graph(random_model, {k: " ".join(v) for k, v in NODES.items()}, edges)
    made = matrices(scenario(graph))
    source, target = data.draw(st.sampled_from(["A", "B"])), data.draw(st.sampled_from(["A", "B"]))
    found = Metagraph(random_model, made.edges).enumerate(4, source=source, target=target)
    if not found:
        return
    options = {
        "damping": data.draw(st.sampled_from([0.0, 0.4, 0.5])),
        "weighting": data.draw(st.sampled_from([UNIFORM, CONFIDENCE])),
    }
    rows = np.array(data.draw(st.lists(st.integers(0, len(NODES[source]) - 1), unique=True, min_size=1)))
    columns = np.array(data.draw(st.lists(st.integers(0, len(NODES[target]) - 1), unique=True, min_size=1)))
    counter = PathCounter(made, **options)
    sliced = PathCounter(made, rows, columns, **options)
    for metapath in data.draw(st.lists(st.sampled_from(found), min_size=1, max_size=8, unique=True)):
        paths = brute_paths(graph, metapath, **options)
        expected = np.zeros((len(NODES[source]), len(NODES[target])))
        for path, value in paths.items():
            expected[made.index[path[0]], made.index[path[-1]]] += value
        dense = counter.dwpc(metapath).toarray()
        assert np.allclose(dense, expected, rtol=1e-12, atol=1e-14)
        assert ((dense > 0) == (expected > 0)).all()  # rounding leaves no ghost of a path
        assert np.allclose(sliced.dwpc(metapath).toarray(), expected[np.ix_(rows, columns)], rtol=1e-12, atol=1e-14)
        assert counter.mean(metapath) == pytest.approx(expected.mean(), abs=1e-14)
        check_path_table(made, metapath, paths, int(rows[0]), int(columns[0]), options)


def check_path_table(
    made: Matrices,
    metapath: Metapath,
    paths: dict[tuple[str, ...], float],
    source: int,
    target: int,
    options: dict[str, Any],
) -> None:
    table = made.paths(metapath, source, target, **options)
    names = [
        tuple(made.entities[kind][n].curie for kind, n in zip(metapath.kinds, row, strict=True)) for row in table.nodes
    ]
    ends = tuple(made.entities[metapath.kinds[i]][n].curie for i, n in ((0, source), (-1, target)))
    expected = {path: value for path, value in paths.items() if (path[0], path[-1]) == ends}
    assert dict(zip(names, table.values.tolist(), strict=True)) == pytest.approx(expected)
    assert list(table.values) == sorted(table.values, reverse=True)
    for path, edges in zip(names, table.edges, strict=True):
        for (u, v), edge in zip(pairwise(path), edges, strict=True):
            assertion = made.assertion(int(edge))
            assert {assertion.subject.curie, assertion.object.curie} == {u, v}


def test_only_positions_that_can_coincide_are_merged() -> None:
    """Neighbours never are one node, nor the two ends; of different kinds there is nothing to exclude."""
    assert partitions(("A", "B", "C")) == ((1, (0, 1, 2)),)
    assert {blocks for _, blocks in partitions(("A",) * 4)} == {(0, 1, 2, 3), (0, 1, 0, 2), (0, 1, 2, 1), (0, 1, 0, 1)}
    assert {weight for weight, _ in partitions(("A",) * 5)} == {1, -1}


# ---------------------------------------------------------------- weights, limits, scenarios
def test_confidence_weights_multiply_each_path_by_its_edges(model: Model) -> None:
    """A mechanism that rests on a weak edge counts for less, by exactly that much."""
    edges = {"t depletes c": [Said("CASE_REPORT")], "c drives d": [Said("MECHANISTIC")]}
    graph = small_graph(model, {"Therapy": "t", "CellPopulation": "c", "Disease": "d"}, edges)
    made = matrices(scenario(graph))
    (metapath,) = Metagraph(model, made.edges).parse("depletes, drives")
    confidences = [a.confidence for a in graph.assertions]
    assert made.dwpc(metapath).toarray() == pytest.approx(np.array([[math.prod(confidences)]]))
    assert made.dwpc(metapath, weighting=UNIFORM).toarray() == pytest.approx(np.array([[1.0]]))


def test_settings_out_of_range_are_refused(tiny_graph: Snapshot) -> None:
    made = matrices(scenario(tiny_graph))
    with pytest.raises(BadInput, match=r"damping exponent is 1\.5"):
        PathCounter(made, damping=1.5)
    with pytest.raises(BadInput, match="CONFIDENCE nor UNIFORM"):
        PathCounter(made, weighting="uniform")


def test_a_cut_list_of_paths_says_so(figure: Snapshot) -> None:
    graph = matrices(scenario(figure))
    (metapath,) = Metagraph(figure.model, graph.edges).parse("interaction, association")
    pair = [graph.index[f"node:{name}"] for name in ("IRF1", "MS")]
    whole, cut = graph.paths(metapath, *pair), graph.paths(metapath, *pair, limit=1)
    assert (whole.complete, len(whole)) == (True, 3)
    assert (cut.complete, len(cut)) == (False, 1)


def test_nothing_is_recomputed_while_the_version_stands(tiny_graph: Snapshot) -> None:
    """One set of matrices per version; an assumption remakes only the relation it is about."""
    plain = matrices(scenario(tiny_graph))
    assumed = [Assumption("therapy:beta", "depletes", "CL:0000236")]
    other = matrices(scenario(tiny_graph, assumed))
    assert matrices(scenario(tiny_graph)) is plain
    assert matrices(scenario(tiny_graph, assumed)) is other
    changed = {key for key, edges in other.edges.items() if plain.edges.get(key) is not edges}
    assert changed == {("Therapy", "depletes", "CellPopulation")}


def test_matrices_go_when_their_snapshot_goes(model: Model) -> None:
    """A service makes a snapshot per version; old ones must not pile up."""
    graph = small_graph(model, {"Therapy": "t", "Disease": "d"}, ["t treats d"])
    matrices(scenario(graph))
    gone = weakref.ref(graph)
    del graph
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("assuming", "without"),
    [
        ([Assumption("therapy:beta", "depletes", "CL:0000236", 0.5)], []),
        ([Assumption("therapy:alpha", "depletes", "CL:0000236", 0.1)], []),
        ([Assumption("therapy:beta", "investigatedFor", "MONDO:0005100")], []),
        ([], ["study:alpha-cohort"]),
        ([], ["https://example.org/paper"]),
        ([], ["CL:0000236"]),
    ],
)
def test_matrices_hold_exactly_the_edges_of_the_scenario(tiny_graph: Snapshot, assuming, without) -> None:
    """Assumed, weakened and removed edges reach every score."""
    world = scenario(tiny_graph, assuming, without)
    found = {
        (a.id, float(c))
        for edges in matrices(world).edges.values()
        for a, c in zip(edges.records, edges.confidence, strict=True)
    }
    assert found == {(a.id, a.confidence) for a in world.edges()}


def test_an_added_edge_gives_the_matrices_of_the_grown_graph(figure: Snapshot) -> None:
    """Gaps are scored this way, so it must be the same as assuming the edge."""
    graph = matrices(scenario(figure))
    for relation, (u, v), key in (
        ("interaction", ("STAT3", "ITCH"), ("Gene", "interaction", "Gene")),
        ("expression", ("ITCH", "Lung"), ("Gene", "expression", "Tissue")),
    ):
        grown = graph.with_edge(key, graph.index[f"node:{u}"], graph.index[f"node:{v}"])
        assumed = matrices(scenario(figure, [Assumption(f"node:{u}", relation, f"node:{v}")]))
        for metapath in Metagraph(figure.model, graph.edges).enumerate(3):
            assert np.allclose(grown.dwpc(metapath).toarray(), assumed.dwpc(metapath).toarray())


def test_paths_that_all_repeat_a_node_are_exactly_none(tmp_path) -> None:
    """Sums of walks cancel to 1e-17 instead of 0, and a mean of 1e-17 would make any pair look extraordinary."""
    model = small_model(tmp_path, ["C binds G", "D associates G", "C treats D"], predicts="treats")
    leaves = " ".join(f"d{n}" for n in range(7))
    star = [f"c1 treats d{n}" for n in range(7)]
    graph = matrices(scenario(small_graph(model, {"C": "c1 c2", "G": "g", "D": leaves}, star)))
    (back,) = Metagraph(model, graph.edges).parse("treats > treatsBack > treats")
    for damping in (0.3, 0.4, 0.5):
        assert graph.dwpc(back, damping=damping).nnz == 0
        assert PathCounter(graph, damping=damping).mean(back) == 0.0
        for row, column in ((0, 3), (1, 3)):
            assert PathCounter(graph, np.array([row]), np.array([column]), damping=damping).value(back) == 0.0


def test_what_is_counted_may_be_changed_by_who_asked(tmp_path) -> None:
    """A one-step metapath's counts are the relation's own matrix: who writes into them must not change the graph."""
    model = small_model(tmp_path, ["C binds D", "C treats D"], predicts="treats")
    graph = matrices(scenario(small_graph(model, {"C": "c1 c2", "D": "d1 d2"}, ["c1 binds d1", "c2 binds d2"])))
    (binds,) = Metagraph(model, graph.edges).parse("binds")
    graph.dwpc(binds).data[:] = 7.0
    assert graph.dwpc(binds).toarray().tolist() == [[1.0, 0.0], [0.0, 1.0]]
