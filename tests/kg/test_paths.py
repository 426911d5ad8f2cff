"""Paths are exact, complete, in a total order, and say what they left out."""

import math
import random
import subprocess
import sys
from datetime import date, timedelta

import networkx as nx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kg import Snapshot
from kg.budget import Budget
from kg.errors import BadInput, InvalidCursor, NotFound
from kg.overlay import Assumption, Scenario, scenario
from kg.paths import (
    CONFIDENCE,
    LENGTH,
    NOVELTY,
    ORDERS,
    PathConstraints,
    connecting_subgraph,
    distance,
    estimate,
    find_paths,
    reachable,
    shortest_paths,
    why_not,
)
from kg.paths.constraints import understand
from kg.paths.ground import Ground
from kg.paths.layers import Core
from kg.paths.listing import LISTED, best_paths
from kg.paths.search import paths_of
from kg.views import View
from tests.conftest import ROOT
from tests.kg import routes
from tests.kg.routes import evidence, graph, plain, snapshot


def examples(number: int) -> settings:
    """The same examples on every run; how long one takes depends on who else is on the machine."""
    return settings(
        max_examples=number, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )


@st.composite
def questions(draw):
    """A random graph, as known on a day, under an overlay, with ends and constraints that do not contradict themselves."""
    graph = draw(routes.graphs())
    if draw(st.booleans()):
        graph = graph.as_of(routes.FIRST_DAY + timedelta(days=draw(st.integers(0, 5))))
    sources, targets = draw(routes.ends(graph))
    asked = draw(routes.constraints(graph))
    overlay = draw(routes.overlays(graph)) if draw(st.booleans()) else ([], [])
    try:
        what_if = scenario(graph, *overlay)
        find_paths(what_if, sources, targets, asked, first=0, count=False)
    except BadInput:
        assume(False)
    return what_if, sources, targets, asked, draw(st.sampled_from(ORDERS)), draw(st.sampled_from([0.0, 0.25]))


# ------------------------------------------------------------------ exact, on random graphs
@examples(160)
@given(questions(), st.sampled_from([0, 2000]))
def test_the_answer_is_what_listing_all_paths_gives(question, many) -> None:
    """All constraints, overlays and days, on random typed graphs: same paths, same order, same count."""
    what_if, sources, targets, asked, order_by, damping = question
    expected = routes.listed(what_if, sources, targets, asked, order_by, damping)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kg.paths.listing.MANY_WALKS", many)
        page = find_paths(what_if, sources, targets, asked, order_by, first=10_000, damping=damping)
    assert [plain(path) for path in page] == expected
    assert (page.total, page.exhaustive, page.has_next, page.truncated_by) == (len(expected), True, False, None)
    counted = find_paths(what_if, sources, targets, asked, order_by, first=1, damping=damping)
    assert counted.total == len(expected)


@examples(60)
@given(st.data())
def test_a_metapath_is_walked_exactly(data) -> None:
    """Along relations that lead somewhere, symmetric ones and ones within a kind included."""
    graph = data.draw(routes.graphs())
    names, start, end = data.draw(routes.walks(graph))
    assume(start != end)
    what_if, asked = scenario(graph), PathConstraints(metapath=names)
    expected = routes.listed(what_if, [start], [end], asked, CONFIDENCE, 0.25)
    assert [plain(path) for path in find_paths(what_if, start, end, asked, first=1000)] == expected


@examples(60)
@given(questions(), st.integers(1, 3), st.booleans(), st.booleans())
def test_pages_put_together_are_the_whole(question, size, diverse, forget) -> None:
    """Whether the search is still open or has to find its place again."""
    what_if, sources, targets, asked, order_by, _ = question
    whole = find_paths(what_if, sources, targets, asked, order_by, first=10_000, diverse=diverse)
    found, after, position = [], None, 0
    while True:
        page = find_paths(what_if, sources, targets, asked, order_by, first=size, after=after, diverse=diverse)
        assert (page.position, page.total) == (position, len(whole))
        assert page.remaining == len(whole) - position - len(page)
        found += [plain(path) for path in page]
        position += len(page)
        if forget:
            what_if.graph.adjacency.open_searches.let_go()
        if not page.has_next:
            break
        after = page.end_cursor
    assert found == [plain(path) for path in whole]


@examples(45)
@given(questions())
def test_the_shortest_are_all_of_the_least_length(question) -> None:
    what_if, sources, targets, asked, _, damping = question
    everything = routes.listed(what_if, sources, targets, asked, LENGTH, damping)
    limited = PathConstraints(**{**_fields(asked), "max_length": asked.longest})
    page = shortest_paths(what_if, sources, targets, limited, first=1000, damping=damping)
    assert [plain(path) for path in page] == [p for p in everything if len(p[1]) == len(everything[0][1])]
    assert page.total == len(page)


@examples(45)
@given(questions())
def test_without_a_limit_the_shortest_are_as_long_as_they_must_be(question) -> None:
    what_if, sources, targets, asked, _, damping = question
    asked = PathConstraints(**{**_fields(asked), "min_length": 1, "max_length": None, "metapath": None, "via": (), "signs": None})  # fmt: skip
    far = PathConstraints(**{**_fields(asked), "max_length": len(what_if.graph.entities)})
    everything = routes.listed(what_if, sources, targets, far, LENGTH, damping)
    page = shortest_paths(what_if, sources, targets, asked, first=1000, damping=damping)
    assert [plain(path) for path in page] == [p for p in everything if len(p[1]) == len(everything[0][1])]
    first = shortest_paths(what_if, sources, targets, asked, first=1, damping=damping)
    assert [plain(path) for path in first] == [plain(path) for path in page][:1]
    assert first.has_next == (len(page) > 1)


@examples(120)
@given(questions(), st.booleans())
def test_the_distance_is_the_length_of_the_shortest_and_its_path_is_one_of_them(question, limited) -> None:
    what_if, sources, targets, asked, _, damping = question
    if limited:
        asked = PathConstraints(**{**_fields(asked), "max_length": asked.longest})
    shortest = [plain(path) for path in shortest_paths(what_if, sources, targets, asked, first=1000, damping=damping)]
    found = distance(what_if, sources, targets, asked, damping=damping)
    assert found.truncated_by is None
    if not shortest:
        assert (found.length, found.curies, found.nodes, found.path) == (None, (), (), None)
        return
    assert found.length == len(shortest[0][1])
    assert plain(found.path) in shortest
    assert found.path.nodes == found.nodes
    assert found.curies == tuple(node.curie for node in found.nodes)


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(20, 60), st.floats(0.5, 2.0))
def test_the_distance_in_larger_graphs_is_what_networkx_finds(seed, size, density) -> None:
    """Ends that are many steps apart, or not connected, and nodes of few and of many edges."""
    rng = random.Random(seed)
    pairs = {(min(a, b), a, max(a, b)) for a, b in ((int(size * rng.random() ** 2), rng.randrange(size)) for _ in range(int(size * density))) if a != b}  # fmt: skip
    edges = nx.Graph((f"v{a}", f"v{b}") for a, _, b in pairs)
    if edges.number_of_nodes() < 2:
        return
    what_if = scenario(graph(dict.fromkeys(edges, "Alpha"), *(f"{a} touches {b}" for a, b in edges.edges)))
    for start, end in [rng.sample(sorted(edges), 2) for _ in range(8)]:
        found = distance(what_if, f"n:{start}", f"n:{end}")
        expected = nx.shortest_path_length(edges, start, end) if nx.has_path(edges, start, end) else None
        assert found.length == expected
        if expected is not None:
            every = shortest_paths(what_if, f"n:{start}", f"n:{end}", first=1000)
            assert plain(found.path) in [plain(path) for path in every]
            assert tuple(node.curie for node in found.path.nodes) == found.curies
        best = shortest_paths(what_if, f"n:{start}", f"n:{end}", first=1)
        assert [path.length for path in best] == ([] if expected is None else [expected])


def test_a_distance_says_what_limit_ended_the_search() -> None:
    names = [f"h{i}" for i in range(300)]
    hub = scenario(
        graph(dict.fromkeys(["a", "y", "z", *names], "Alpha"), *(f"a touches {h}" for h in names), "y touches z")
    )
    found = distance(hub, "n:a", "n:z", budget=Budget(1))
    assert (found.length, found.path, found.truncated_by) == (None, None, "steps")
    assert distance(hub, "n:a", "n:z").truncated_by is None


@examples(60)
@given(questions(), st.integers(1, 6))
def test_pages_of_the_shortest_put_together_are_the_whole(question, size) -> None:
    """The first page may be read off without listing anything; what comes after it has to find its place."""
    what_if, sources, targets, asked, _, _ = question
    whole = shortest_paths(what_if, sources, targets, asked, first=1000)
    found, after = [], None
    for _ in range(len(whole) + 1):
        page = shortest_paths(what_if, sources, targets, asked, first=size, after=after)
        assert (page.position, page.total) == (len(found), len(whole))
        found += [plain(path) for path in page]
        assert page.has_next == (len(found) < len(whole))
        after = page.end_cursor
        if not page.has_next:
            break
    assert found == [plain(path) for path in whole]


@examples(120)
@given(questions(), st.integers(1, 12), st.sampled_from([0, 3, 2000]))
def test_listing_many_at_once_gives_the_first_of_them(question, count, many) -> None:
    """Whether all walks are listed, or the best of those that are many."""
    what_if, sources, targets, asked, order_by, damping = question
    assume(order_by in LISTED)
    expected = routes.listed(what_if, sources, targets, asked, order_by, damping)
    ground = Ground(what_if, understand(what_if, sources, targets, asked), Budget(), damping)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kg.paths.listing.MANY_WALKS", many)
        found, all_ = best_paths(Core(ground), order_by, count)
    assert [plain(path) for path in paths_of(ground, found)] == expected[: len(found)]
    assert len(found) == len(expected) if all_ else len(found) >= count


@examples(50)
@given(questions())
def test_what_is_reachable_has_a_path_and_the_rest_has_none(question) -> None:
    what_if, sources, _, asked, _, _ = question
    try:
        reach = reachable(what_if, sources, asked)
    except BadInput:  # what was passed or avoided was an end before
        assume(False)
    expected = {}
    for end in what_if.graph.entities:
        if end not in sources and end not in asked.avoid:
            lengths = [len(p[1]) for p in routes.listed(what_if, sources, [end], asked, LENGTH, 0.0)]
            expected |= {end: min(lengths)} if lengths else {}
    assert {r.entity.curie: r.distance for r in reach.nodes} == expected
    assert sum(reach.by_kind.values()) == sum(reach.by_distance.values()) == len(expected)
    assert reach.exhaustive


@examples(25)
@given(questions())
def test_a_search_that_is_cut_short_gives_the_beginning_of_the_answer(question) -> None:
    """By length, what comes first is found first; whatever the budget, nothing wrong is said."""
    what_if, sources, targets, asked, _, _ = question
    whole = [plain(path) for path in find_paths(what_if, sources, targets, asked, LENGTH, first=1000)]
    for steps in (1, 5, 10, 20, 40):
        page = find_paths(what_if, sources, targets, asked, LENGTH, first=1000, budget=Budget(steps))
        found = [plain(path) for path in page]
        assert found == whole[: len(found)]
        assert page.truncated_by == ("steps" if len(found) < len(whole) else page.truncated_by)
        assert page.exhaustive == (page.truncated_by is None)


def _fields(asked: PathConstraints) -> dict[str, object]:
    return {name: getattr(asked, name) for name in PathConstraints.__dataclass_fields__}


# ------------------------------------------------------------------ what a path says
LINE = {"a": "Alpha", "b": "Beta", "c": "Beta", "g": "Gamma"}


@pytest.fixture
def line() -> Scenario:
    """a → b → c → g, with a detour and one disputed edge."""
    edges = [
        ("a", "pushes", "b", (evidence(1, day=3),)),
        ("a", "blocks", "b", (evidence(2, level=1),)),
        ("b", "feeds", "c", (evidence(3, level=2), evidence(4, level=2, source=1, day=5))),
        ("c", "marks", "g", (evidence(5), evidence(6, level=1, direction="CONTRADICTS", source=2))),
        ("g", "touches", "a", (evidence(7, level=2),)),
    ]
    return scenario(snapshot(LINE, edges))


def test_a_path_is_a_sentence_with_its_score_in_terms(line: Scenario) -> None:
    page = find_paths(line, "n:a", "n:g", PathConstraints(min_length=3))
    best = page.paths[0]
    assert best.text == "a pushes b, which feeds cs, which mark g"
    assert best.metapath == ("pushes", "feeds", "marks")
    assert best.kinds == ("Alpha", "Beta", "Beta", "Gamma")
    assert math.isclose(best.score.value, math.prod(term.value for term in best.score.terms), rel_tol=1e-9)
    assert [term.name for term in best.score.terms][-1] == "c has 2 edges: 2^-0.25"
    assert (best.weakest_step.relation, best.weakest_step.assertion.disputed) == ("marks", True)
    assert best.newest == date(2020, 1, 6)
    assert best.sign == 0


def test_steps_walked_backwards_read_backwards(line: Scenario) -> None:
    (path,) = find_paths(line, "n:c", "n:a", PathConstraints(metapath=["fedBy", "blockedBy"]))
    assert path.text == "c is fed by b, which is blocked by a"
    assert [(step.reversed, step.relation) for step in path.steps] == [(True, "feeds"), (True, "blocks")]
    assert path.sign == -1


def test_a_path_keeps_its_id_and_its_reverse_has_another(line: Scenario) -> None:
    there, back = find_paths(line, "n:a", "n:c"), find_paths(line, "n:c", "n:a")
    assert len({path.id for path in (*there, *back)}) == len(there) + len(back)
    assert [p.id for p in find_paths(scenario(line.graph), "n:a", "n:c")] == [p.id for p in there]


def test_assumed_steps_are_marked_and_have_no_date(line: Scenario) -> None:
    what_if = scenario(line.graph, [Assumption("n:a", "touches", "n:c", 0.5)])
    page = find_paths(what_if, "n:a", "n:c", PathConstraints(max_length=1), NOVELTY)
    (path,) = page
    assert (path.assumed, path.newest, path.steps[0].assumed, path.text) == (True, None, True, "a touches (assumed) c")


def test_a_hub_on_the_way_makes_a_path_worth_less() -> None:
    leaves = {f"l{i}": "Gamma" for i in range(30)}
    kinds = {"a": "Alpha", "hub": "Beta", "few": "Beta", "g": "Gamma", **leaves}
    edges = ["a pushes hub", "a pushes few", "hub marks g", "few marks g", *(f"hub marks {leaf}" for leaf in leaves)]
    what_if = scenario(graph(kinds, *edges))
    assert [p.nodes[1].curie for p in find_paths(what_if, "n:a", "n:g")] == ["n:few", "n:hub"]
    flat = find_paths(what_if, "n:a", "n:g", damping=0.0)
    assert len({path.score.value for path in flat}) == 1


def test_diverse_paths_do_not_all_pass_one_hub() -> None:
    """Twenty ways through one node, one through another: the other comes second."""
    middle = {f"m{i}": "Gamma" for i in range(20)}
    kinds = {"a": "Alpha", "hub": "Beta", "own": "Beta", "end": "Beta", "other": "Gamma", **middle}
    through = [edge for m in middle for edge in (f"hub marks {m}", f"end marks {m}")]
    edges = ["a pushes hub", *through, "a blocks own", "own marks other", "other touches end"]
    weak = [(*edge.split(), (evidence(i, level=1 if "other" in edge else 0),)) for i, edge in enumerate(edges)]
    what_if = scenario(snapshot(kinds, weak))
    asked = PathConstraints(max_length=3)
    plainly, diverse = (find_paths(what_if, "n:a", "n:end", asked, first=2, diverse=d) for d in (False, True))
    assert {path.nodes[1].curie for path in plainly} == {"n:hub"}
    assert [path.nodes[1].curie for path in diverse] == ["n:hub", "n:own"]
    assert diverse.total == plainly.total == 21


def test_the_best_paths_together_are_a_view(line: Scenario) -> None:
    view = connecting_subgraph(line, "n:a", "n:g", PathConstraints(min_length=3), paths=1)
    assert isinstance(view, View)
    assert [(node.entity.curie, node.distance) for node in view.nodes] == [
        ("n:a", 0),
        ("n:b", 1),
        ("n:c", 2),
        ("n:g", 3),
    ]
    assert {edge.relation for edge in view.edges} == {"pushes", "feeds", "marks"}
    assert view.truncated_by == "paths"
    assert {node.entity.curie: node.hidden for node in view.nodes}["n:a"] == 2


def test_a_page_becomes_a_frame(line: Scenario) -> None:
    pytest.importorskip("pandas")
    frame = find_paths(line, "n:a", "n:g").to_frame()
    assert frame["metapath"].iloc[0] == "touchedBy"
    assert len(frame) == 3


# ------------------------------------------------------------------ limits
@pytest.fixture(scope="module")
def hub() -> Scenario:
    """A node with 10,000 neighbours, all of which lead on to another."""
    leaves = [f"l{i}" for i in range(10_000)]
    kinds = {"a": "Alpha", "hub": "Beta", "far": "Beta", "z": "Alpha", **dict.fromkeys(leaves, "Gamma")}
    edges = [
        "a pushes hub",
        "z pushes far",
        *(f"hub marks {leaf}" for leaf in leaves),
        *(f"far marks {leaf}" for leaf in leaves),
    ]
    return scenario(graph(kinds, *edges))


def test_a_hub_of_ten_thousand_neighbours_is_answered_within_the_budget(hub: Scenario) -> None:
    budget = Budget(50_000)
    page = find_paths(hub, "n:a", "n:z", first=5, budget=budget)
    assert (len(page), page.total, page.has_next, page.truncated_by) == (5, 10_000, True, None)
    assert budget.spent < 20_000


def test_a_spent_budget_is_reported_with_what_was_found(hub: Scenario) -> None:
    page = find_paths(hub, "n:a", "n:z", first=10_000, budget=Budget(6_000))
    assert 0 < len(page) < 10_000
    assert (page.truncated_by, page.exhaustive, page.has_next) == ("steps", False, True)
    assert find_paths(hub, "n:a", "n:z", first=1, budget=Budget(2)).truncated_by == "steps"
    assert reachable(hub, "n:a", budget=Budget(3)).truncated_by == "steps"
    assert shortest_paths(hub, "n:a", "n:z", budget=Budget(1)).truncated_by == "steps"
    assert estimate(hub, "n:a", "n:z", budget=Budget(2)).truncated_by == "steps"


def test_a_deadline_stops_a_search(hub: Scenario) -> None:
    page = find_paths(hub, "n:a", "n:z", first=10_000, budget=Budget(seconds=0.0))
    assert page.truncated_by == "seconds"


def test_a_stopped_page_can_be_gone_on_from(hub: Scenario) -> None:
    """With a fresh budget, and to the same end."""
    found, after = [], None
    for _ in range(100):
        page = find_paths(hub, "n:a", "n:z", first=10_000, after=after, budget=Budget(30_000), count=False)
        found += [path.id for path in page]
        after = page.end_cursor or after
        if not page.has_next:
            break
    assert len(found) == len(set(found)) == 10_000


def test_an_estimate_bounds_the_count_before_any_path_is_listed(hub: Scenario, line: Scenario) -> None:
    guess = estimate(hub, "n:a", "n:z")
    assert (guess.walks, guess.by_length[4], guess.truncated_by) == (10_000, 10_000, None)
    assert guess.frontiers[0] == 1
    assert guess.steps < 10_000
    assert "At most 10,000 paths" in guess.text
    assert estimate(line, "n:a", "n:g").walks >= 3


ELSEWHERE = """
from kg import open_graph
from tests.conftest import TINY
from tests.kg.test_paths import ids_and_cursors
print(ids_and_cursors(open_graph(seeds=TINY)))
"""


def ids_and_cursors(graph: Snapshot) -> tuple[list[str], tuple[str, ...]]:
    asked = PathConstraints(
        kinds=["Target", "CellPopulation", "Risk", "Trial"], max_length=6, relations=list(graph.model.relation)
    )
    page = find_paths(scenario(graph), "therapy:alpha", "MONDO:0007915", asked, first=3)
    return [path.id for path in page], page.cursors


def test_answers_do_not_depend_on_the_process(tiny_graph: Snapshot) -> None:
    """Hashes of strings differ from process to process; orders and cursors must not."""
    run = subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == repr(ids_and_cursors(tiny_graph))


# ------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (PathConstraints(min_length=3, max_length=2), "minLength is 3 and maxLength 2"),
        (PathConstraints(max_length=0), "one step or more"),
        (PathConstraints(via=["n:b"], avoid=["n:b"]), "both `via` and `avoid`"),
        (PathConstraints(avoid=["n:a"]), "both `from` and `avoid`"),
        (PathConstraints(avoid=["n:g"]), "both `to` and `avoid`"),
        (PathConstraints(via=["n:b", "n:c"], max_length=2), "raise maxLength to 3"),
        (PathConstraints(via=["n:b"], kinds=["Gamma"]), "which `kinds` leaves out"),
        (PathConstraints(metapath=[]), "metapath is empty"),
        (PathConstraints(metapath=["pushes", "feeds", "marks"], max_length=2), "has 3 steps, but lengths from 1 to 2"),
        (
            PathConstraints(metapath=["pushes", "marks"], relations=["marks"]),
            "walks pushes, which `relations` leaves out",
        ),
        (PathConstraints(metapath=["pushes", "fedBy", "marks"], direction="out"), "drop `direction`"),
        (PathConstraints(metapath=["feeds", "marks"]), "does not start at a Alpha.* blocks, pushes"),
        (PathConstraints(metapath=["pushes", "feeds"]), "ends at a Beta, but `to` is a Gamma"),
        (PathConstraints(metapath=["pushes", "marks"], kinds=["Gamma"]), "After step 1 .* a Beta"),
        (PathConstraints(relations=[]), "`relations` is empty"),
        (PathConstraints(levels=[]), "`levels` is empty"),
        (PathConstraints(signs=[2]), "some of -1, 0 and 1"),
        (PathConstraints(min_confidence=1.5), "from 0 to 1, not 1.5"),
        (PathConstraints(direction="up"), "'up' is none of both, out, in"),
    ],
)
def test_contradictory_constraints_say_what_to_do(line: Scenario, asked: PathConstraints, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        find_paths(line, "n:a", "n:g", asked)


def test_ends_must_be_two_things(line: Scenario) -> None:
    with pytest.raises(BadInput, match="both `from` and `to`"):
        find_paths(line, "n:a", "n:a")
    with pytest.raises(BadInput, match="`to` is empty"):
        find_paths(line, "n:a", [])
    with pytest.raises(BadInput, match="ordered by"):
        find_paths(line, "n:a", "n:g", None, "BEST")


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        (PathConstraints(relations=["pushs"]), "pushes"),
        (PathConstraints(metapath=["markBy"]), "markedBy"),
        (PathConstraints(kinds=["Betta"]), "Beta"),
        (PathConstraints(levels=["STRNG"]), "STRONG"),
    ],
)
def test_misspelt_names_come_with_near_ones(line: Scenario, asked: PathConstraints, near: str) -> None:
    with pytest.raises(NotFound) as caught:
        find_paths(line, "n:a", "n:g", asked)
    assert near in {match.curie for match in caught.value.near}


def test_cursors_of_other_lists_are_refused(line: Scenario) -> None:
    cursor = find_paths(line, "n:a", "n:g", first=1).end_cursor
    with pytest.raises(InvalidCursor, match="another list"):
        find_paths(line, "n:a", "n:g", PathConstraints(max_length=3), after=cursor)
    for text in ("x", "bm9uc2Vuc2U", "W10", ""):
        with pytest.raises(InvalidCursor):
            find_paths(line, "n:a", "n:g", after=text or "é")


# ------------------------------------------------------------------ why not
@pytest.mark.parametrize(
    ("asked", "blocking", "advice"),
    [
        (PathConstraints(max_length=2, min_length=2), {"maxLength", "minLength"}, "Lower minLength to 1: 1 path"),
        (PathConstraints(min_confidence=0.8), {"minConfidence"}, "Lower minConfidence to 0.36: 2 paths"),
        (PathConstraints(relations=["pushes", "feeds"]), {"relations"}, "to relations"),
        (PathConstraints(min_length=2, kinds=["Alpha"]), {"minLength", "kinds"}, "Add Beta to kinds: 2 paths"),
        (PathConstraints(min_length=2, avoid=["n:b"]), {"minLength", "avoid"}, "Take b (n:b) out of avoid: 2 paths"),
        (PathConstraints(via=["n:b"], disputed=False), {"via", "disputed"}, "Allow edges with contradicting evidence: 2 paths"),
        (PathConstraints(direction="out", signs=[1]), {"direction", "signs"}, "Walk edges either way: 1 path"),
        (PathConstraints(levels=["MIDDLING"]), {"levels"}, "Accept evidence of every level: 3 paths"),
        (PathConstraints(metapath=["pushes", "marks"]), {"metapath"}, "Drop the metapath; the shortest other one is touchedBy"),
    ],
)  # fmt: skip
def test_an_empty_answer_names_what_emptied_it_and_the_smallest_way_out(
    line: Scenario, asked: PathConstraints, blocking: set[str], advice: str
) -> None:
    assert not find_paths(line, "n:a", "n:g", asked)
    why = why_not(line, "n:a", "n:g", asked)
    assert (why.empty, set(why.blocking)) == (True, blocking)
    assert advice in why.text
    counts = [r.at_least for r in why.relaxations]
    assert counts == sorted(counts)
    for relaxation in why.relaxations:
        page = find_paths(relaxation.scenario, "n:a", "n:g", relaxation.relaxed)
        assert page.total == relaxation.count


def test_two_constraints_that_empty_it_together_are_found(line: Scenario) -> None:
    why = why_not(
        line, "n:a", "n:g", PathConstraints(min_confidence=0.8, disputed=False, avoid=["n:b"], direction="out")
    )
    assert not why.blocking
    assert {"minConfidence", "direction"} in [set(r.constraints) for r in why.relaxations]


def test_overlays_and_days_are_among_the_reasons(line: Scenario) -> None:
    asked = PathConstraints(metapath=["pushes", "feeds", "marks"])
    gone = why_not(scenario(line.graph, without=["n:b", "n:c"]), "n:a", "n:g", asked)
    assert "without" not in gone.blocking
    gone = why_not(scenario(line.graph, without=["n:b"]), "n:a", "n:g", asked)
    assert "Take b (n:b) out of without: 1 path" in gone.text
    early = why_not(scenario(line.graph.as_of(date(2020, 1, 2))), "n:a", "n:g", asked)
    assert "a path was known by 2020-01-04" in early.text


def test_a_metapath_says_how_far_it_leads(line: Scenario) -> None:
    why = why_not(line, "n:a", "n:g", PathConstraints(metapath=["blocks", "feeds", "feeds", "marks"]))
    assert why.stuck is not None
    assert (why.stuck.steps, [e.curie for e in why.stuck.entities]) == (2, ["n:c"])


def test_nothing_at_all_is_said_to_be_nothing() -> None:
    apart = scenario(graph({"a": "Alpha", "b": "Beta", "g": "Gamma"}, "b marks g"))
    page = find_paths(apart, "n:a", "n:g")
    assert (page.paths, page.total, page.exhaustive) == ((), 0, True)
    why = why_not(apart, "n:a", "n:g")
    assert (why.relaxations, why.nearest) == ((), ())
    assert "Nothing connects the two" in why.text
    assert shortest_paths(apart, "n:a", "n:g").total == 0
    assert reachable(apart, "n:a").nodes == ()
    assert find_paths(scenario(graph({"a": "Alpha", "b": "Beta"})), "n:a", "n:b").total == 0


def test_an_answer_needs_no_reasons(line: Scenario) -> None:
    assert why_not(line, "n:a", "n:g").text == "There are paths."


def test_paths_of_the_seeds_read_well(seed_graph: Snapshot) -> None:
    """The question that the project is for."""
    what_if = scenario(seed_graph)
    page = find_paths(
        what_if, "therapy:descartes-08", "MONDO:0009688", PathConstraints(metapath=["targets", "expressedOn", "drives"])
    )
    assert page.paths[0].text.startswith("descartes-08 targets TNFRSF17, which is expressed on ")
    assert page.paths[0].text.endswith("s, which drive myasthenia gravis")
    assert {path.sign for path in page} == {-1}


def test_a_metapath_may_be_shorter_than_the_longest_path(seed_graph: Snapshot) -> None:
    """Lengths that allow more steps than it has change nothing, and are no reason to fail."""
    ends, metapath = ("therapy:descartes-08", "MONDO:0009688"), ["targets", "expressedOn", "drives"]
    what_if = scenario(seed_graph)
    exact, looser = (
        find_paths(what_if, *ends, PathConstraints(metapath=metapath, max_length=most)) for most in (None, 5)
    )
    assert [path.id for path in looser] == [path.id for path in exact]
    assert exact.paths
    nothing = PathConstraints(metapath=metapath, max_length=4, min_length=2, min_confidence=0.99)
    assert "minConfidence" in why_not(what_if, *ends, nothing).text
