"""Every format is what its own library reads, and holds the same graph."""

import io
import json
import subprocess
from pathlib import Path

import networkx as nx
import pydot
import pytest

from kg import Snapshot
from kg.errors import NotFound
from kg.figures import Figure, view_figure
from kg.formats import FORMATS, PLACED_NODES, coordinates, export
from kg.lettering import clean
from kg.views import neighbourhood
from tests.conftest import ROOT
from tests.node import installed

READERS = ROOT / "tests" / "readers"


@pytest.fixture(params=["tiny", "hostile", "seeds"])
def figure(
    request: pytest.FixtureRequest, tiny_graph: Snapshot, hostile_graph: Snapshot, seed_graph: Snapshot
) -> Figure:
    graph, name = {
        "tiny": (tiny_graph, "MONDO:0007915"),
        "hostile": (hostile_graph, "therapy:script"),
        "seeds": (seed_graph, "MONDO:0009688"),
    }[request.param]
    return view_figure(graph, neighbourhood([graph.entity(name)], 2, 60))


def labels(figure: Figure) -> set[str]:
    return {clean(node.label) for node in figure.nodes}


@pytest.mark.parametrize(("name", "key"), [("node-link", "edges"), ("d3", "links")])
def test_networkx_reads_node_link(figure: Figure, name: str, key: str) -> None:
    graph = nx.node_link_graph(json.loads(export(figure, name)), edges=key)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (len(figure.nodes), len(figure.edges))
    assert graph.is_directed()
    assert {data["label"] for _, data in graph.nodes(data=True)} == labels(figure)
    assert {key for _, _, key in graph.edges(keys=True)} == {edge.relation for edge in figure.edges}


def test_networkx_reads_graphml(figure: Figure) -> None:
    graph = nx.read_graphml(io.BytesIO(export(figure, "graphml").encode()), force_multigraph=True)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (len(figure.nodes), len(figure.edges))
    assert {data["label"] for _, data in graph.nodes(data=True)} == labels(figure)
    assert all(0 <= data["confidence"] <= 1 and isinstance(data["x"], float) for _, _, data in _joined(graph))


def _joined(graph: nx.MultiDiGraph):
    for source, target, data in graph.edges(data=True):
        yield source, target, {**graph.nodes[source], **data}


def test_graphviz_syntax_is_read_by_pydot(figure: Figure) -> None:
    (graph,) = pydot.graph_from_dot_data(export(figure, "dot"))
    nodes = [node for node in graph.get_nodes() if node.get_name() not in {"node", "graph", "edge"}]
    assert (len(nodes), len(graph.get_edges())) == (len(figure.nodes), len(figure.edges))
    read = {n.get("label")[1:-1].replace('\\"', '"').replace("\\\\", "\\") for n in nodes}
    assert read == labels(figure)


@pytest.mark.parametrize("name", ["cytoscape", "graphology"])
def test_javascript_libraries_read_theirs(figure: Figure, name: str, readers: Path) -> None:
    done = subprocess.run(
        ["node", "read.mjs", name], input=export(figure, name), cwd=readers, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert (read["nodes"], read["edges"]) == (len(figure.nodes), len(figure.edges))
    assert set(read["labels"]) == labels(figure)
    assert read["x"] == coordinates(figure)[figure.nodes[0].id][0]


@pytest.fixture(scope="module")
def readers() -> Path:
    return installed(READERS)


def test_cytoscape_desktop_finds_what_it_needs(figure: Figure) -> None:
    """A .cyjs file has data of the network itself beside the elements, and ids are strings."""
    read = json.loads(export(figure, "cytoscape"))
    assert read["format_version"] == "1.0"
    assert read["data"]["title"] == clean(figure.title)
    assert all(isinstance(item["data"]["id"], str) for item in read["elements"]["nodes"] + read["elements"]["edges"])


def test_cx2_keeps_to_its_specification(figure: Figure) -> None:
    """Descriptor first, status last, counts that are right, and every attribute declared with its type."""
    aspects = json.loads(export(figure, "cx2"))
    assert aspects[0] == {"CXVersion": "2.0", "hasFragments": False}
    assert aspects[-1] == {"status": [{"success": True, "error": ""}]}
    body = {name: rows for aspect in aspects[1:-1] for name, rows in aspect.items()}
    for row in body["metaData"]:
        assert len(body[row["name"]]) == row["elementCount"]
    types = {"string": str, "integer": int, "double": float, "boolean": bool}
    for aspect in ("nodes", "edges"):
        declared = body["attributeDeclarations"][0][aspect]
        for row in body[aspect]:
            assert all(type(value) is types[declared[name]["d"]] for name, value in row["v"].items())
    ids = {node["id"] for node in body["nodes"]}
    assert {end for edge in body["edges"] for end in (edge["s"], edge["t"])} <= ids


def test_ndex2_reads_cx2(figure: Figure) -> None:
    cx2 = pytest.importorskip("ndex2.cx2", reason="ndex2 is not installed (pip install ndex2, 200 MB)")
    network = cx2.RawCX2NetworkFactory().get_cx2network(json.loads(export(figure, "cx2")))
    assert (len(network.get_nodes()), len(network.get_edges())) == (len(figure.nodes), len(figure.edges))


def test_formats_tell_the_same_of_an_edge(tiny_graph: Snapshot) -> None:
    figure = view_figure(tiny_graph, neighbourhood([tiny_graph.entity("therapy:gamma")], 1, 10))
    (edge,) = json.loads(export(figure, "cytoscape"))["elements"]["edges"]
    assert edge["data"]["disputed"] is True
    assert edge["data"]["latest"] == "2024-12-31"
    (same,) = json.loads(export(figure, "graphology"))["edges"]
    assert same["attributes"]["confidence"] == edge["data"]["confidence"]


def test_a_large_graph_comes_without_places(seed_graph: Snapshot) -> None:
    figure = view_figure(seed_graph, neighbourhood([seed_graph.entity("MONDO:0007915")], 4, 5_000))
    copies = tuple(figure.nodes[0] for _ in range(PLACED_NODES + 1))
    from dataclasses import replace

    assert coordinates(replace(figure, nodes=copies)) == {}


def test_an_unknown_format_is_refused_with_the_known_ones(tiny_graph: Snapshot) -> None:
    figure = view_figure(tiny_graph, neighbourhood([tiny_graph.entity("HGNC:1633")], 1, 10))
    with pytest.raises(NotFound, match=r"cytoscape, graphology, .* svg"):
        export(figure, "gexf")


def test_every_format_has_a_row_with_an_ending_of_its_own() -> None:
    assert len({row.ending for row in FORMATS.values()}) == len(FORMATS)
