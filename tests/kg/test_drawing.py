"""Drawings are well formed whatever the labels say, and say in words what they show."""

import json
import xml.etree.ElementTree as ET

import pytest

from kg import Snapshot
from kg.drawing import cytoscape, dot, drawing_of, safe_url, svg
from kg.overlay import Assumption, scenario
from kg.paths import PathConstraints, PathPage, connecting_subgraph, find_paths
from kg.projection import EntitySpec, Projection
from kg.snapshot import Version
from kg.views import neighbourhood
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


def hostile(label: str, url: str = "javascript:alert(1)") -> PathPage:
    """The one path of a graph whose every text is what an attacker would choose."""
    kinds = {"a": "Alpha", "b": "Beta"}
    made = routes.graph(kinds, "a pushes b")
    entities = tuple(
        EntitySpec(kind, {**routes._values(name), "label": label, "url": url}) for name, kind in kinds.items()
    )
    spoilt = Projection(entities, made._projection.claims, {}, {})
    return find_paths(scenario(Snapshot(made.model, spoilt, Version(0, "hostile"))), "n:a", "n:b")


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_never_become_markup(label: str) -> None:
    page = hostile(label)
    root = parsed(svg(page))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "defs", "marker", "path", "rect", "g", "text", "a",
    }  # fmt: skip
    assert not root.findall(f".//{SVG}a"), "an address that is no web page is no link"
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
    json.dumps(cytoscape(page))
    lines = dot(page).splitlines()
    assert len(lines) == 4 + 3 + 1
    assert [line.replace("\\\\", "").replace('\\"', "").count('"') % 2 for line in lines] == [0] * len(lines)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "http://[", "", None])
def test_only_web_pages_are_linked_to(url: str | None) -> None:
    assert safe_url(url) is None
    assert safe_url("https://example.org/?a=1&b='\"") is not None


def test_addresses_are_escaped() -> None:
    page = hostile("x", "https://example.org/?a=1&b=\"'><script>")
    (first, _) = parsed(svg(page)).findall(f".//{SVG}a")
    assert first.get("href") == "https://example.org/?a=1&b=\"'><script>"


@pytest.fixture
def page(tiny_graph: Snapshot) -> PathPage:
    what_if = scenario(tiny_graph, [Assumption("therapy:alpha", "depletes", "CL:0000786", 0.5)])
    return find_paths(what_if, "therapy:alpha", "MONDO:0009688", PathConstraints(kinds=["CellPopulation", "Target"]))


def test_a_drawing_can_be_read_without_seeing_it(page: PathPage) -> None:
    root = parsed(svg(page))
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title description")
    assert root.findtext(f"{SVG}title") == f"{len(page)} paths from alpha-cel to myasthenia gravis"
    described = root.findtext(f"{SVG}desc") or ""
    assert "alpha-cel depletes plasma cell, confidence 0.50, assumed" in described
    assert all(element.get("aria-label") for element in root.iter(f"{SVG}a"))
    links = {element.get("href") for element in root.iter(f"{SVG}a")}
    assert "https://monarchinitiative.org/MONDO:0009688" in links


def test_nothing_is_loaded_from_anywhere(page: PathPage) -> None:
    root = parsed(svg(page))
    assert not [e for e in root.iter() if e.tag != f"{SVG}a" and {"href", "src", "style"} & set(e.attrib)]
    assert "url(http" not in svg(page)


def test_doubtful_edges_are_dashed_and_trusted_ones_wide(page: PathPage) -> None:
    assert svg(page).count("stroke-dasharray") == 1
    widths = {line.split("penwidth=")[1].split(",")[0] for line in dot(page).splitlines() if "penwidth" in line}
    assert len(widths) > 1
    assumed = [e["data"] for e in cytoscape(page) if e["group"] == "edges" and e["data"]["assumed"]]
    assert [(e["relation"], e["confidence"]) for e in assumed] == [("depletes", 0.5)]


def test_paths_run_from_left_to_right(page: PathPage) -> None:
    columns = {entity.curie: column for entity, column in drawing_of(page).columns.items()}
    assert columns["therapy:alpha"] == 0
    assert columns["MONDO:0009688"] == max(columns.values())
    places = {e["data"]["id"]: e["position"] for e in cytoscape(page) if e["group"] == "nodes"}
    assert len({tuple(place.values()) for place in places.values()}) == len(places), "no node hides another"


def test_views_are_drawn_too_and_nothing_is_still_a_picture(tiny_graph: Snapshot, page: PathPage) -> None:
    view = neighbourhood([tiny_graph.entity("HGNC:1633")], 2, 20)
    assert len(cytoscape(view)) == len(view.nodes) + len(view.edges)
    union = connecting_subgraph(scenario(tiny_graph), "therapy:alpha", "MONDO:0009688")
    assert parsed(svg(union)) is not None
    assert cytoscape([]) == []
    assert parsed(svg([])).findtext(f"{SVG}title") == "No paths"
    assert dot([]).startswith("digraph")


def test_colours_and_shapes_are_those_of_the_model(tiny_graph: Snapshot, page: PathPage) -> None:
    kinds = tiny_graph.model.kind
    for element in cytoscape(page):
        if element["group"] == "nodes":
            kind = kinds[element["data"]["kind"]]
            assert (element["data"]["color"], element["data"]["shape"]) == (kind.color, kind.shape)
            assert kind.color in svg(page)


def test_parallel_edges_are_drawn_apart() -> None:
    what_if = scenario(
        routes.graph({"a": "Alpha", "b": "Beta"}, "a pushes b", "a blocks b", "a touches b", "b touches a")
    )
    root = parsed(svg(find_paths(what_if, "n:a", "n:b")))
    curves = [path.get("d") for path in root.findall(f"{SVG}g/{SVG}g/{SVG}path")]
    assert len(curves) == len(set(curves)) == 4
