"""In a notebook a graph is a picture without anything installed, and a widget with anywidget."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kg import Snapshot, notebook
from kg.errors import BadInput
from kg.notebook import show, show_answer, show_paths, widget_data
from kg.overlay import scenario
from kg.paths import find_paths


def test_what_is_shown_is_a_picture_in_both_forms(tiny_graph: Snapshot) -> None:
    shown = show(tiny_graph, "DOID:9074", max_nodes=5)
    assert repr(shown) == "<Shown 'What lies around systemic lupus erythematosus': 5 entities, 6 relations>"
    ET.fromstring(shown._repr_svg_())  # noqa: S314 - our own
    assert shown._repr_svg_() in shown._repr_html_()
    assert "script" not in shown._repr_html_()


def test_it_is_shown_as_known_on_a_day_and_in_a_theme(tiny_graph: Snapshot) -> None:
    from datetime import date

    early = show(tiny_graph, "MONDO:0007915", as_of=date(2019, 12, 31), theme="dark")
    assert [edge.relation for edge in early.figure.edges] == ["studies"]
    assert "as known on 2019-12-31" in early.svg()
    with pytest.raises(BadInput, match="light, dark or auto"):
        show(tiny_graph, "MONDO:0007915", theme="pink")
    with pytest.raises(BadInput, match="at least one entity"):
        show(tiny_graph)


def test_a_graphql_answer_is_drawn_by_the_entities_in_it(tiny_graph: Snapshot) -> None:
    answer = {
        "disease": {"curie": "MONDO:0007915", "treatedBy": {"nodes": [{"curie": "therapy:gamma"}, {"curie": None}]}}
    }
    shown = show_answer(tiny_graph, answer)
    assert [node.id for node in shown.figure.nodes] == ["MONDO:0007915", "therapy:gamma"]
    assert [edge.relation for edge in shown.figure.edges] == ["treats"]
    with pytest.raises(BadInput, match="ask for `curie`"):
        show_answer(tiny_graph, {"version": {"number": 1}})


def test_paths_are_shown_from_left_to_right(tiny_graph: Snapshot) -> None:
    page = find_paths(scenario(tiny_graph), "therapy:alpha", "MONDO:0009688")
    shown = show_paths(page, highlight=[page.paths[0]], theme="auto")
    assert "from alpha-cel to myasthenia gravis" in shown._repr_html_()
    assert {node.id for node in page.paths[0].nodes} < shown.figure.highlighted
    data = widget_data(shown.figure)
    assert (data["layout"], data["roots"]) == ("paths", ["therapy:alpha", "MONDO:0009688"])
    with pytest.raises(BadInput, match="no path to show"):
        show_paths([])


def test_it_is_saved_in_the_format_of_the_file_name(tiny_graph: Snapshot, tmp_path: Path) -> None:
    shown = show(tiny_graph, "HGNC:1633")
    assert shown.save(tmp_path / "a.svg").read_text().startswith("<svg")
    assert "options" in json.loads(shown.save(tmp_path / "a.graphology.json").read_text())
    assert json.loads(shown.save(tmp_path / "a.txt", "node-link").read_text())["directed"] is True
    assert shown.to_networkx().number_of_nodes() == 3
    with pytest.raises(BadInput, match="ends in no known format"):
        shown.save(tmp_path / "a.xlsx")


def test_the_widget_gets_plain_data(tiny_graph: Snapshot) -> None:
    data = widget_data(show(tiny_graph, "HGNC:1633").figure)
    assert json.loads(json.dumps(data))["roots"] == ["HGNC:1633"]
    assert {node["kind"] for node in data["nodes"]} <= {kind["name"] for kind in data["kinds"]}
    assert {edge["relation"] for edge in data["edges"]} <= {relation["name"] for relation in data["relations"]}


def test_a_missing_bundle_or_anywidget_says_what_to_do(tiny_graph: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show(tiny_graph, "HGNC:1633")
    monkeypatch.setattr(notebook, "BUNDLE", "nothing.js")
    with pytest.raises(BadInput, match=r"pip install 'cartograph-kg\[notebook\]'|python -m server.web.build"):
        shown.widget()


def test_the_widget_is_an_anywidget(tiny_graph: Snapshot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("anywidget", reason="no anywidget: pip install '.[notebook]'")
    bundle = tmp_path / "notebook.js"
    bundle.write_text("export default { render() {} }")
    monkeypatch.setattr(notebook, "_bundle", lambda: bundle)
    widget = show(tiny_graph, "HGNC:1633").widget()
    assert widget.data["roots"] == ["HGNC:1633"]
    assert widget.selected is None
    mime, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in mime
