"""Pictures and files of paths are well formed whatever the labels say, and say in words what they show."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations

import pytest

from kg import Snapshot
from kg.columns import EntitySpecs
from kg.figures import Figure, path_figure, view_figure
from kg.formats import cytoscape_elements, export
from kg.lettering import web_address
from kg.overlay import Assumption, scenario
from kg.paths import PathConstraints, PathPage, connecting_subgraph, find_paths
from kg.pictures import draw, place
from kg.projection import EntitySpec
from kg.snapshot import Version
from kg.strokes import meet
from tests.kg import routes

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '\\" ]; evil -> node [label="',
    "]]>&lt;</text>",
    "line\nbreak\ttab",
    "null\x00bell\x07",
    "a" * 500,
    "",
]


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own output; that it parses is what is tested


def hostile(label: str, url: str = "javascript:alert(1)") -> Figure:
    """The one path of a graph whose every text is what an attacker would choose."""
    kinds = {"a": "Alpha", "b": "Beta"}
    made = routes.graph(kinds, "a pushes b")
    entities = EntitySpecs(
        EntitySpec(kind, {**routes._values(name), "label": label, "url": url}) for name, kind in kinds.items()
    )
    graph = Snapshot(made.model, replace(made.columns, entities=EntitySpecs(entities)), Version(0, "hostile"))
    return path_figure(graph, find_paths(scenario(graph), "n:a", "n:b"))


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_never_become_markup(label: str) -> None:
    figure = hostile(label)
    root = parsed(draw(figure))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "path", "rect", "circle", "polygon", "g", "text", "a",
    }  # fmt: skip
    assert not root.findall(f".//{SVG}a"), "an address that is no web page is no link"
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
    json.dumps(cytoscape_elements(figure))
    lines = export(figure, "dot").splitlines()
    assert len(lines) == 3 + 3 + 1
    assert [line.replace("\\\\", "").replace('\\"', "").count('"') % 2 for line in lines] == [0] * len(lines)
    assert "javascript" not in export(figure, "dot") + export(figure, "cytoscape")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "http://[", "", None])
def test_only_web_pages_are_linked_to(url: str | None) -> None:
    assert web_address(url) is None
    assert web_address("https://example.org/?a=1&b='\"") is not None


def test_addresses_are_escaped() -> None:
    figure = hostile("x", "https://example.org/?a=1&b=\"'><script>")
    (first, _) = parsed(draw(figure)).findall(f".//{SVG}a")
    assert first.get("href") == "https://example.org/?a=1&b=\"'><script>"


@pytest.fixture
def page(tiny_graph: Snapshot) -> PathPage:
    what_if = scenario(tiny_graph, [Assumption("therapy:alpha", "depletes", "CL:0000786", 0.5)])
    return find_paths(what_if, "therapy:alpha", "MONDO:0009688", PathConstraints(kinds=["CellPopulation", "Target"]))


@pytest.fixture
def figure(tiny_graph: Snapshot, page: PathPage) -> Figure:
    return path_figure(tiny_graph, page)


def test_a_picture_can_be_read_without_seeing_it(figure: Figure, page: PathPage) -> None:
    root = parsed(draw(figure))
    assert root.findtext(f"{SVG}title") == f"{len(page)} paths from alpha-cel to myasthenia gravis"
    relations = [e.get("aria-label") or "" for e in root.iter(f"{SVG}g") if e.get("class") == "kg-relation"]
    assert "alpha-cel depletes plasma cells (confidence 0.50, assumed)" in relations
    assert all(element.get("aria-label") for element in root.iter(f"{SVG}a"))
    links = {element.get("href") for element in root.iter(f"{SVG}a")}
    assert "https://monarchinitiative.org/MONDO:0009688" in links


def test_nothing_is_loaded_from_anywhere(figure: Figure) -> None:
    root = parsed(draw(figure))
    assert not [e for e in root.iter() if e.tag != f"{SVG}a" and {"href", "src", "style"} & set(e.attrib)]
    assert "url(http" not in draw(figure)


def test_doubtful_edges_are_dashed_and_trusted_ones_wide(figure: Figure) -> None:
    dashed = [
        e for e in parsed(draw(figure)).iter(f"{SVG}path") if e.get("stroke-dasharray") and "C" in (e.get("d") or "")
    ]
    assert len(dashed) == 1
    widths = {
        line.split("penwidth=")[1].split(",")[0] for line in export(figure, "dot").splitlines() if "penwidth" in line
    }
    assert len(widths) > 1
    assumed = [e["data"] for e in cytoscape_elements(figure)["edges"] if e["data"]["assumed"]]
    assert [(e["relation"], e["confidence"]) for e in assumed] == [("depletes", 0.5)]


def test_paths_run_from_left_to_right(figure: Figure, page: PathPage) -> None:
    columns = {node.id: node.column or 0 for node in figure.nodes}
    assert columns["therapy:alpha"] == 0
    assert columns["MONDO:0009688"] == max(columns.values())
    places = {e["data"]["id"]: e["position"] for e in cytoscape_elements(figure)["nodes"]}
    assert len({tuple(place.values()) for place in places.values()}) == len(places), "no node hides another"
    for one, two in combinations(columns, 2):
        if columns[one] < columns[two]:
            assert places[one]["x"] < places[two]["x"]


def test_no_box_lies_on_another_and_no_edge_crosses_a_box(seed_graph: Snapshot) -> None:
    what_if = scenario(seed_graph)
    found = find_paths(what_if, "HGNC:1633", "MONDO:0007915", PathConstraints(max_length=3), first=30)
    figure = path_figure(seed_graph, found)
    placed = place(figure)
    for one, two in combinations(placed.values(), 2):
        assert not meet(one.area, two.area)
    last = max(node.column or 0 for node in figure.nodes)
    skipping = {
        e.id for e in figure.edges if abs((placed[e.source].node.column or 0) - (placed[e.target].node.column or 0)) > 1
    }
    assert (last, bool(skipping)) == (3, True)
    for group in parsed(draw(figure)).iter(f"{SVG}g"):
        if group.get("data-id") in skipping:
            level = float(re.findall(r"C[^C]* (-?[\d.]+)C", group[1].get("d") or "")[0])
            passed = {1, 2} - {placed[id_].node.column for id_ in ends_of(figure, group.get("data-id"))}
            assert not [p for p in placed.values() if p.node.column in passed and p.area[1] < level < p.area[3]]


def ends_of(figure: Figure, id_: str | None) -> tuple[str, str]:
    return next((edge.source, edge.target) for edge in figure.edges if edge.id == id_)


def test_one_path_stands_out(tiny_graph: Snapshot, page: PathPage) -> None:
    chosen = page.paths[1]
    figure = path_figure(tiny_graph, page, highlight=[chosen.id])
    assert figure.highlighted == {*(n.curie for n in chosen.nodes), *(s.assertion.id for s in chosen.steps)}
    root = parsed(draw(figure))
    bright = {e.get("data-id") for e in root.iter(f"{SVG}g") if e.get("data-id") and not e.get("opacity")}
    assert bright == figure.highlighted


def test_unions_are_drawn_too_and_nothing_is_still_a_picture(tiny_graph: Snapshot) -> None:
    union = connecting_subgraph(scenario(tiny_graph), "therapy:alpha", "MONDO:0009688")
    assert parsed(draw(view_figure(tiny_graph, union))) is not None
    nothing = path_figure(tiny_graph, [])
    assert parsed(draw(nothing)).findtext(f"{SVG}title") == "No paths"
    assert export(nothing, "dot").startswith("digraph")
    assert cytoscape_elements(nothing) == {"nodes": [], "edges": []}


def test_parallel_edges_are_drawn_apart() -> None:
    graph = routes.graph({"a": "Alpha", "b": "Beta"}, "a pushes b", "a blocks b", "a touches b", "b touches a")
    root = parsed(draw(path_figure(graph, find_paths(scenario(graph), "n:a", "n:b"))))
    curves = [e.find(f"{SVG}path") for e in root.iter(f"{SVG}g") if e.get("class") == "kg-relation"]
    ways = [path.get("d") for path in curves if path is not None]
    assert len(ways) == len(set(ways)) == 4
