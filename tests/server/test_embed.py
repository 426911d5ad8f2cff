"""Addresses that stand in other people's pages: a contract, so these lists only ever grow."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from server.embed import EMBED_PARAMETERS, EMBED_PATH_PARAMETERS, OEMBED_PARAMETERS
from server.pathviews import PATH_PARAMETERS, PATH_PATHS
from server.viewing import DRAWING, PARAMETERS, PATHS

Make = Callable[..., TestClient]
ORIGIN = {"origin": "https://lab.example"}

# What people have put into their pages. Never take anything away from here; a new version gets a new address.
ADDRESSES = {
    "/view.svg", "/view.json", "/view.cyjs", "/view.graphology.json", "/view.d3.json", "/view.graphml", "/view.cx2", "/view.dot",
    "/paths.svg", "/paths.json", "/paths.cyjs", "/paths.graphology.json", "/paths.d3.json", "/paths.graphml", "/paths.cx2", "/paths.dot",
    "/embed/v1/view", "/embed/v1/paths", "/oembed", "/static/embed.js", "/static/base.css", "/static/kinds.css",
}  # fmt: skip
VIEW = {
    "around": "therapy:alpha", "depth": "2", "relations": "targets,depletes", "kinds": "Target,CellPopulation",
    "levels": "SINGLE_ARM_TRIAL", "avoid": "HGNC:11913", "direction": "out", "min-confidence": "0.1", "as-of": "2023",
    "max-nodes": "5", "max-edges": "9", "highlight": "HGNC:1633", "theme": "dark", "legend": "0", "width": "400", "background": "0",
}  # fmt: skip
ENDS = {"from": "therapy:alpha", "to": "MONDO:0009688"}
PATH_VIEW = {
    "min-length": "1", "levels": "CASE_SERIES,MECHANISTIC", "direction": "both", "disputed": "0", "signs": "-1,0,1",
    "from": "HGNC:1633", "to": "MONDO:0007915", "metapath": "targets,expressedOn,drives", "max-length": "3", "via": "HGNC:1633",
    "avoid": "HGNC:11913", "relations": "targets,drives", "kinds": "Target,CellPopulation", "min-confidence": "0.1",
    "order": "length", "diverse": "1", "first": "2", "assume": "therapy:alpha depletes CL:0000786", "without": "HGNC:11913",
    "as-of": "2023", "highlight": "1", "theme": "dark", "legend": "0", "width": "400", "background": "0",
}  # fmt: skip
MEDIA = {
    "view.svg": "image/svg+xml", "view.json": "application/json", "view.cyjs": "application/json", "view.cx2": "application/json",
    "view.graphology.json": "application/json", "view.d3.json": "application/json", "view.graphml": "application/graphml+xml",
    "view.dot": "text/vnd.graphviz",
}  # fmt: skip


@pytest.mark.parametrize("address", sorted(ADDRESSES))
def test_every_address_ever_published_answers(client: TestClient, address: str) -> None:
    query = "?url=http://testserver/entity/HGNC:1633" if address == "/oembed" else "?around=HGNC:1633"
    if "paths" in address:
        query = "?from=therapy:alpha&to=MONDO:0009688"
    response = client.get(f"{address}{'' if address.startswith('/static') else query}", follow_redirects=False)
    assert response.status_code == 200


@pytest.mark.parametrize("name", sorted(VIEW))
@pytest.mark.parametrize("address", ["/view.svg", "/view.json", "/embed/v1/view"])
def test_every_parameter_ever_published_is_taken(client: TestClient, address: str, name: str) -> None:
    response = client.get(address, params={"around": "therapy:alpha", name: VIEW[name]})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("name", sorted(PATH_VIEW))
@pytest.mark.parametrize("address", ["/paths.svg", "/paths.json", "/embed/v1/paths"])
def test_every_parameter_of_paths_ever_published_is_taken(client: TestClient, address: str, name: str) -> None:
    response = client.get(address, params={**ENDS, name: PATH_VIEW[name]})
    assert response.status_code == 200, response.text


def test_the_contract_lists_everything_that_there_is() -> None:
    assert {f"/{path}" for path in (*PATHS, *PATH_PATHS)} <= ADDRESSES
    assert set(PATH_VIEW) == {*PATH_PARAMETERS, *DRAWING} == set(EMBED_PATH_PARAMETERS)
    assert set(VIEW) == {*PARAMETERS, *DRAWING} == set(EMBED_PARAMETERS)
    assert set(OEMBED_PARAMETERS) == {"url", "format", "maxwidth", "maxheight"}
    assert set(MEDIA) == set(PATHS)


# ---------------------------------------------------------------- pictures and files
@pytest.mark.parametrize("path", sorted(MEDIA))
def test_each_ending_has_its_media_type_and_a_file_name(client: TestClient, path: str) -> None:
    response = client.get(f"/{path}?around=HGNC:1633")
    assert response.headers["content-type"] == f"{MEDIA[path]}; charset=utf-8"
    assert response.headers["content-disposition"].startswith('inline; filename="view.')
    etag = response.headers["etag"]
    assert client.get(f"/{path}?around=HGNC:1633", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize("format_", ["cytoscape", "graphology", "node-link", "d3", "graphml", "cx2", "dot", "svg"])
def test_view_json_takes_any_format_by_name(client: TestClient, format_: str) -> None:
    assert client.get(f"/view.json?around=HGNC:1633&format={format_}").status_code == 200


def test_parameters_narrow_the_view(client: TestClient) -> None:
    def nodes(**given: str) -> set[str]:
        body = client.get("/view.json", params={"around": "therapy:alpha", **given}).json()
        return {node["data"]["id"] for node in body["elements"]["nodes"]}

    assert nodes(relations="targets") == {"therapy:alpha", "HGNC:1633"}
    assert nodes(relations="targetedBy,depletes") == {"therapy:alpha", "HGNC:1633", "CL:0000236"}
    assert nodes(depth="0") == {"therapy:alpha"}
    assert nodes(kinds="Risk", **{"min-confidence": "0.5"}) == {"therapy:alpha", "MONDO:0600008"}
    assert "HGNC:1633" not in nodes(**{"as-of": "2021"})
    assert len(nodes(depth="3", **{"max-nodes": "4"})) == 4
    assert len(nodes(depth="3", **{"max-edges": "1"})) == len(nodes(depth="3"))
    assert nodes(depth="0", around="DOID:9074,HGNC:1633") == {"MONDO:0007915", "HGNC:1633"}


def test_pictures_lead_to_the_service_by_its_public_address(client: TestClient, make_client: Make) -> None:
    assert 'href="http://testserver/entity/HGNC:1633"' in client.get("/view.svg?around=HGNC:1633").text
    public = make_client(public_url="https://kg.example/car-t/")
    assert 'href="https://kg.example/car-t/entity/HGNC:1633"' in public.get("/view.svg?around=HGNC:1633").text


def test_pictures_carry_no_style_but_what_their_policy_names(client: TestClient) -> None:
    plain = client.get("/view.svg?around=HGNC:1633")
    assert "<style" not in plain.text
    assert plain.headers["content-security-policy"] == "default-src 'none'; style-src 'none'"
    auto = client.get("/view.svg?around=HGNC:1633&theme=auto")
    (sheet,) = re.findall(r"<style>(.*?)</style>", auto.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in auto.headers["content-security-policy"]
    assert "prefers-color-scheme:dark" in sheet


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "around is missing: name an entity"),
        ("around=", 400, "around is missing"),
        ("around=nothing", 404, "Search by name at http://testserver/search"),
        ("around=MONDO:0007916", 404, "Did you mean MONDO:0007915 systemic lupus erythematosus"),
        ("around=HGNC:1633&deep=2", 400, "There is no parameter 'deep' here. Did you mean depth?"),
        ("around=HGNC:1633&depth=two", 400, "depth is 'two'; it must be a whole number"),
        ("around=HGNC:1633&depth=-1", 400, "it must be 0 or more"),
        ("around=HGNC:1633&depth=7", 400, "limit max_view_depth is 6 and this one has 7"),
        ("around=HGNC:1633&max-nodes=5001", 400, "limit max_view_nodes is 5000"),
        ("around=HGNC:1633&max-edges=20001", 400, "limit max_view_edges is 20000"),
        ("around=HGNC:1633&relations=cures", 404, "Relations are targets"),
        ("around=HGNC:1633&kinds=Gene", 400, "there are Therapy"),
        ("around=HGNC:1633&levels=HEARSAY", 400, "there are REGULATORY_APPROVAL"),
        ("around=HGNC:1633&direction=up", 400, "both, out, in"),
        ("around=HGNC:1633&min-confidence=2", 400, "a number from 0 to 1"),
        ("around=HGNC:1633&min-confidence=nan", 400, "a number from 0 to 1"),
        ("around=HGNC:1633&as-of=soon", 400, "write a date such as"),
        ("around=HGNC:1633&theme=pink", 400, "light, dark, auto"),
        ("around=HGNC:1633&legend=maybe", 400, "must be 1 or 0"),
        ("around=HGNC:1633&width=1e9", 400, "whole number"),
    ],
)
def test_a_bad_parameter_is_refused_in_the_form_that_was_asked_for(
    client: TestClient, query: str, status: int, said: str
) -> None:
    as_json = client.get(f"/view.json?{query}")
    assert as_json.status_code == status
    assert said in as_json.json()["errors"][0]["message"]
    picture = client.get(f"/view.svg?{query}")
    assert (picture.status_code, picture.headers["content-type"]) == (status, "image/svg+xml; charset=utf-8")
    assert said in ET.fromstring(picture.text).get("aria-label")  # noqa: S314 - our own
    frame = client.get(f"/embed/v1/view?{query}")
    assert frame.status_code == status
    assert said.split("'")[0] in frame.text


def test_too_many_identifiers_are_refused(make_client: Make) -> None:
    response = make_client(max_ids=2).get("/view.json?around=a:1,b:2,c:3")
    assert response.json()["errors"][0]["extensions"]["limit"] == "max_ids"


def test_a_format_that_the_address_contradicts_is_refused(client: TestClient) -> None:
    assert client.get("/view.dot?around=HGNC:1633&format=dot").status_code == 200
    assert "leave one out" in client.get("/view.dot?around=HGNC:1633&format=cx2").json()["errors"][0]["message"]


def test_the_default_size_is_a_setting(make_client: Make) -> None:
    body = make_client(view_nodes=3).get("/view.json?around=therapy:alpha&depth=3").json()
    assert (len(body["elements"]["nodes"]), body["data"]["truncated"]) == (3, True)


# ---------------------------------------------------------------- paths
def test_paths_are_drawn_from_left_to_right_and_one_stands_out(client: TestClient) -> None:
    body = client.get("/paths.json", params=ENDS).json()
    places = {node["data"]["id"]: node["position"]["x"] for node in body["elements"]["nodes"]}
    assert places["therapy:alpha"] == min(places.values())
    assert places["MONDO:0009688"] == max(places.values())
    whole = client.get("/paths.svg", params=ENDS)
    assert "opacity" not in whole.text
    assert whole.headers["content-disposition"] == 'inline; filename="paths.svg"'
    first = client.get("/paths.svg", params={**ENDS, "highlight": "1"}).text
    second = client.get("/paths.svg", params={**ENDS, "highlight": "2"}).text
    assert first.count('opacity="0.22"') > 0
    assert first != second
    assert "opacity" not in client.get("/paths.svg", params={**ENDS, "highlight": "99"}).text


def test_what_if_is_drawn_as_assumed(client: TestClient) -> None:
    assumed = {"assume": "therapy:alpha depletes CL:0000786 0.5"}
    edges = client.get("/paths.json", params={**ENDS, **assumed}).json()["elements"]["edges"]
    assert [e["data"]["confidence"] for e in edges if e["data"]["assumed"]] == [0.5]
    assert "assumed" in client.get("/paths.svg", params={**ENDS, **assumed}).text


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"to": ""}, 400, "The parameter to is missing: say where paths start and end"),
        ({"from": "nothing"}, 404, "Search by name at http://testserver/search"),
        ({"max-length": "0"}, 400, "it must be 1 or more"),
        ({"first": "5000"}, 400, "max_page_size"),
        ({"order": "best"}, 400, "confidence, length, novelty"),
        ({"kinds": "Gene"}, 400, "there are Therapy"),
        ({"assume": "a b"}, 400, "write subject, relation and object"),
        ({"maxlength": "2"}, 400, "Did you mean max-length?"),
    ],
)
def test_bad_paths_are_refused_in_the_form_that_was_asked_for(
    client: TestClient, given: dict[str, str], status: int, said: str
) -> None:
    for path in ("/paths.json", "/embed/v1/paths"):
        response = client.get(path, params={**ENDS, **given})
        assert response.status_code == status
        assert said in response.text
    assert client.get("/paths.svg", params={**ENDS, **given}).headers["content-type"].startswith("image/svg")


def test_no_paths_are_a_picture_as_well(client: TestClient) -> None:
    picture = client.get("/paths.svg", params={**ENDS, "max-length": "1"})
    assert picture.status_code == 200
    assert "No paths from alpha-cel to myasthenia gravis" in picture.text


def test_a_search_that_ran_out_of_time_is_not_kept(make_client: Make) -> None:
    client = make_client(request_seconds=0.0)
    for path in ("/paths.svg", "/embed/v1/paths", "/explore/paths"):
        response = client.get(path, params=ENDS)
        assert response.status_code == 200
        assert "etag" not in response.headers


def test_the_explorers_page_about_paths_is_embedded_as_paths(client: TestClient) -> None:
    page = quote("http://testserver/explore/paths?from=therapy:alpha&to=MONDO:0009688&maxLength=3", safe="")
    body = client.get(f"/oembed?url={page}").json()
    assert body["title"] == "Paths from alpha-cel to myasthenia gravis"
    assert "max-length=3" in body["html"]
    assert client.get(body["thumbnail_url"]).headers["content-type"].startswith("image/svg")


# ---------------------------------------------------------------- who may embed
def test_no_page_may_embed_unless_the_setting_says_so(client: TestClient, make_client: Make) -> None:
    """A page that a user happens to visit must not read the graph that runs on their own machine."""

    def seen_by(client: TestClient) -> tuple[str, str | None]:
        frame = client.get("/embed/v1/view?around=HGNC:1633", headers=ORIGIN)
        (ancestors,) = re.findall(r"frame-ancestors ([^;]*)", frame.headers["content-security-policy"])
        read = client.get("/view.json?around=HGNC:1633", headers=ORIGIN)
        assert "set-cookie" not in frame.headers
        return ancestors, read.headers.get("access-control-allow-origin")

    assert seen_by(client) == ("'none'", None)
    assert seen_by(make_client(embed_ancestors=("*",))) == ("*", "*")
    assert seen_by(make_client(embed_ancestors=("https://lab.example",))) == ("https://lab.example",) * 2
    assert seen_by(make_client(embed_ancestors=("https://other.example",))) == ("https://other.example", None)


def test_other_pages_cannot_be_framed_or_read_across_origins(client: TestClient) -> None:
    for path in ("/", "/entity/HGNC:1633", "/search?q=x", "/kind/trials"):
        response = client.get(path, headers=ORIGIN)
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "access-control-allow-origin" not in response.headers


def test_modules_are_for_every_origin(client: TestClient) -> None:
    """A sandboxed iframe has an origin of its own, so without this nothing would load there."""
    response = client.get("/static/embed.js", headers={"origin": "null"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "javascript" in response.headers["content-type"]
    assert 'source: "kg-view", v: 1' in response.text
    assert all(f'"{type_}"' in response.text for type_ in ("ready", "size", "select"))


def test_links_in_a_frame_open_outside_of_it(client: TestClient) -> None:
    frame = client.get("/embed/v1/view?around=HGNC:1633").text
    links = re.findall(r"<a [^>]*>", frame)
    assert len(links) > 3
    assert all('target="_top"' in link for link in links)


# ---------------------------------------------------------------- oEmbed
def test_entity_pages_say_where_their_oembed_is_and_it_answers(client: TestClient) -> None:
    page = client.get("/entity/MONDO:0007915").text
    (address,) = re.findall(r'<link rel="alternate" type="application/json\+oembed" href="([^"]*)"', page)
    response = client.get(address.replace("&amp;", "&"))
    body = response.json()
    assert (body["version"], body["type"], body["title"]) == ("1.0", "rich", "systemic lupus erythematosus")
    (source,) = re.findall(r'<iframe src="([^"]*)"', body["html"])
    assert client.get(source.replace("&amp;", "&")).status_code == 200
    assert client.get(body["thumbnail_url"]).headers["content-type"].startswith("image/svg")


def test_oembed_keeps_to_the_room_there_is_and_to_the_view(client: TestClient) -> None:
    view = quote("http://testserver/embed/v1/view?around=HGNC:1633&depth=2&as-of=2023", safe="")
    body = client.get(f"/oembed?url={view}&maxwidth=300&maxheight=200").json()
    assert (body["width"], body["height"]) == (300, 200)
    assert "depth=2" in body["html"]
    assert "as-of=2023" in body["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("url=https://elsewhere.example/entity/HGNC:1633", 404),
        ("url=http://testserver/metrics", 404),
        ("url=http://testserver/entity/nothing", 404),
        ("url=http://testserver/entity/HGNC:1633&format=xml", 501),
        ("url=http://testserver/entity/HGNC:1633&maxwidth=wide", 400),
    ],
)
def test_oembed_refuses_what_it_cannot_embed(client: TestClient, query: str, status: int) -> None:
    response = client.get(f"/oembed?{query}")
    assert response.status_code == status
    assert response.json()["errors"][0]["message"]


# ---------------------------------------------------------------- GraphQL
def test_graph_view_exports_every_format(ask) -> None:
    formats = ask('{ __type(name: "GraphFormat") { enumValues { name } } }')["data"]["__type"]["enumValues"]
    names = [value["name"] for value in formats]
    assert names == ["CYTOSCAPE", "GRAPHOLOGY", "NODE_LINK", "D3", "GRAPHML", "CX2", "DOT", "SVG"]
    fields = "\n".join(f"{name}: export(format: {name})" for name in names)
    view = ask(f'{{ graphView(around: ["HGNC:1633"]) {{ totalNodes {fields} }} }}')["data"]["graphView"]
    assert len(json.loads(view["CYTOSCAPE"])["elements"]["nodes"]) == view["totalNodes"] == 3
    assert view["SVG"].startswith("<svg")
