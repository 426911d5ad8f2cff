"""Pictures are well-formed, say everything in words too, and let no name become anything but text."""

import re
from xml.etree import ElementTree as ET

import pytest

from kg import Snapshot
from kg.colours import DARK, LIGHT, contrast
from kg.errors import BadInput
from kg.figures import Figure, metagraph_figure, view_figure
from kg.glyphs import glyph
from kg.lettering import clean, lines, width
from kg.pictures import Style, check_theme, draw, message, place
from kg.timelines import Event, timeline
from kg.views import neighbourhood

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {"svg", "title", "desc", "style", "rect", "g", "a", "text", "path", "circle", "polygon"}


def around(graph: Snapshot, name: str, depth: int = 1, highlight: tuple[str, ...] = ()) -> Figure:
    return view_figure(graph, neighbourhood([graph.entity(name)], depth, 60), highlight=highlight)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def assert_inert(root: ET.Element) -> None:
    """Only known elements, no event handlers, no styles but the picture's own, no link to script."""
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in KNOWN
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert name != "style"
            if name == "href":
                assert value.startswith(("http://", "https://", "../", "#"))


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize("legend", [True, False])
def test_hostile_names_stay_text(hostile_graph: Snapshot, theme: str, legend: bool) -> None:
    svg = draw(around(hostile_graph, "therapy:script", 2), Style(theme=theme, legend=legend))
    root = parsed(svg)
    assert_inert(root)
    assert "<script" not in svg
    labels = [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g") if g.get("class") == "kg-node"]
    assert any("<script>alert(1)</script>" in label for label in labels)
    assert not any(mark in svg for mark in "\u202e\u0007\u0001\ufffe")


def test_every_entity_is_a_named_link_and_every_edge_a_sentence(tiny_graph: Snapshot) -> None:
    figure = around(tiny_graph, "therapy:gamma")
    root = parsed(draw(figure, Style(link=lambda node: f"../entity/{node.id}")))
    links = {a.get("href"): a.get("aria-label") for a in root.iter(f"{SVG}a")}
    assert links["../entity/MONDO:0007915"] == "systemic lupus erythematosus, disease"
    assert {a.get("role") for a in root.iter(f"{SVG}a")} == {"link"}
    sentences = [g.get("aria-label") for g in root.iter(f"{SVG}g") if g.get("class") == "kg-relation"]
    (treats,) = [s for s in sentences if "treats" in s]
    assert re.fullmatch(
        r"gammamab treats systemic lupus erythematosus \(confidence 0\.\d\d, 2 pieces of evidence, disputed\)", treats
    )
    assert root.get("aria-label") == "What lies around gammamab"
    assert "entities and" in root.find(f"{SVG}desc").text


def test_labels_fit_their_boxes(hostile_graph: Snapshot, seed_graph: Snapshot) -> None:
    for graph, name in ((hostile_graph, "therapy:script"), (seed_graph, "MONDO:0007915")):
        for placed in place(around(graph, name)).values():
            assert len(placed.text) <= 2
            assert all(width(line, 12) + 30 <= placed.width for line in placed.text)


def test_disputed_edges_are_dashed_and_trusted_ones_thicker(tiny_graph: Snapshot) -> None:
    root = parsed(draw(around(tiny_graph, "MONDO:0007915")))
    edges = {g.get("aria-label"): g.find(f"{SVG}path") for g in root.iter(f"{SVG}g") if g.get("class") == "kg-relation"}
    for said, path in edges.items():
        assert bool(path.get("stroke-dasharray")) is ("disputed" in said)
    trust = {float(re.search(r"confidence (\d\.\d\d)", s)[1]): float(p.get("stroke-width")) for s, p in edges.items()}
    assert [trust[c] for c in sorted(trust)] == sorted(trust.values())


def test_highlighting_dims_all_else(tiny_graph: Snapshot) -> None:
    root = parsed(draw(around(tiny_graph, "therapy:alpha", 2, ("therapy:alpha", "HGNC:1633"))))
    bright = {g.get("data-id") for g in root.iter(f"{SVG}g") if g.get("data-id") and not g.get("opacity")}
    assert {"therapy:alpha", "HGNC:1633"} < bright
    assert len(bright) == 3  # both ends, and the edge between them


def test_a_cut_view_says_so_in_the_legend(tiny_graph: Snapshot) -> None:
    figure = view_figure(tiny_graph, neighbourhood([tiny_graph.entity("therapy:alpha")], 2, 3))
    assert "3 of " in draw(figure)
    assert "3 of " not in "".join(t.text or "" for t in parsed(draw(figure, Style(legend=False))).iter(f"{SVG}text"))


def test_width_scales_and_keeps_the_proportions(tiny_graph: Snapshot) -> None:
    root = parsed(draw(around(tiny_graph, "therapy:alpha"), Style(width=400)))
    wide, high = (float(v) for v in root.get("viewBox").split()[2:])
    assert root.get("width") == "400"
    assert abs(float(root.get("height")) - 400 * high / wide) < 1


def test_shapes_and_words_have_contrast(seed_graph: Snapshot) -> None:
    for theme in (LIGHT, DARK):
        assert contrast(theme.muted, theme.background) >= 4.5
        assert contrast(theme.edge, theme.background) >= 3
        for kind in seed_graph.model.kinds:
            assert contrast(theme.strong(kind), theme.background) >= 3
            assert contrast(theme.ink, theme.tint(kind)) >= 4.5
            assert contrast(theme.muted, theme.tint(kind)) >= 4.5


def test_the_metagraph_shows_each_kind_and_relation(seed_graph: Snapshot) -> None:
    figure = metagraph_figure(seed_graph)
    assert [node.id for node in figure.nodes] == [kind.name for kind in seed_graph.model.kinds]
    assert {(edge.source, edge.relation, edge.target) for edge in figure.edges} == set(seed_graph.relation_counts)
    picture = parsed(draw(figure))
    assert_inert(picture)
    drawn = [group for group in picture.iter(f"{SVG}g") if group.get("class") == "kg-relation"]
    ways = {group.find(f"{SVG}path").get("d") for group in drawn}
    assert len(ways) == len(drawn) == len(figure.edges), "some lie on each other"


def test_unknown_shapes_are_circles_and_unknown_themes_refused() -> None:
    assert glyph("unheard-of", 0, 0, 5, "").startswith("<circle")
    assert check_theme("auto") == "auto"
    with pytest.raises(BadInput, match="light, dark or auto"):
        check_theme("solarized")


def test_a_message_is_a_picture_too() -> None:
    root = parsed(message('No <b>"such"</b> thing ' * 20))
    assert len(list(root.iter(f"{SVG}text"))) > 2


def test_text_is_measured_cut_and_cleaned() -> None:
    assert lines("", 100, 12, 2) == [""]
    assert lines("one two", 500, 12, 2) == ["one two"]
    cut = lines("word " * 80, 120, 12, 2)
    assert len(cut) == 2
    assert cut[1].endswith("…")
    assert all(width(line, 12) <= 120 for line in (*cut, *lines("X" * 300, 120, 12, 2), *lines("病" * 60, 120, 12, 2)))
    assert clean("a\u202eb\u0000c\ud800d") == "a\ufffdb\ufffdc\ufffdd"


def test_the_timeline_shows_each_piece_for_above_and_against_below() -> None:
    events = [
        Event("2020", "SUPPORTS", "<b>for</b>", "#a"),
        Event("2021-05", "CONTRADICTS", "against", "#b"),
        *(Event("2021-05-03", "SUPPORTS", f"many {i}", "#c") for i in range(30)),
    ]
    root = parsed(timeline(events))
    dots = [(a.get("aria-label"), a.find(f"{SVG}circle")) for a in root.iter(f"{SVG}a")]
    heights = {said: float(dot.get("cy")) for said, dot in dots}
    assert heights["against"] > heights["<b>for</b>"]
    assert any(t.text == "+16" for t in root.iter(f"{SVG}text"))
    assert timeline([]) == ""
