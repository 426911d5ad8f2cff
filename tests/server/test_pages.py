"""Pages are complete without scripts, valid, safe under a strict policy, and lead nowhere that does not exist."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest
from starlette.testclient import TestClient

from kg import GraphService, Model
from kg.graph import read_files
from kg.store import Store
from server.app import create_app
from server.pathviews import PATH_PARAMETERS
from server.settings import Settings
from server.web.assets import WebAssets
from tests.conftest import HOSTILE, TINY

Make = Callable[..., TestClient]
HTML = "{http://www.w3.org/1999/xhtml}"
PAGES = (
    "/",
    "/search",
    "/search?q=lupus",
    "/search?q=B+cell&kind=CellPopulation",
    "/search?q=qqqqqqqq",
    "/kind/therapies",
    "/kind/trials?sort=-enrollment&randomized=true",
    "/kind/diseases?area=ONCOLOGY",
    "/entity/MONDO:0007915",
    "/entity/MONDO:0005100",
    "/entity/therapy:alpha?as-of=2021",
    "/entity/therapy:alpha?relation=hasRisk",
    "/entity/HGNC:1633",
    "/entity/nothing",
    "/embed/v1/view?around=HGNC:1633",
    "/embed/v1/view?around=nothing",
    "/embed/v1/paths?from=therapy:alpha&to=MONDO:0009688",
    "/explore/paths",
    "/explore/paths?from=therapy:alpha&to=MONDO:0009688&maxLength=3",
    "/explore/paths?from=therapy:alpha&to=MONDO:0009688&maxLength=1",
    "/explore/paths?from=lupus&to=MONDO:0009688",
    "/explore/paths?from=therapy:alpha&to=therapy:alpha",
    "/explore/hypotheses",
    "/explore/hypotheses?therapy=therapy:alpha&tested=yes",
    "/explore/hypotheses?disease=MONDO:0009688&q=yes",
    "/explore/hypotheses?disease=lupus",
)


def page(client: TestClient, path: str, status: int | None = None) -> Element:
    """The page's tree; the parser fails on any error in the markup."""
    response = client.get(path)
    assert status is None or response.status_code == status
    tree: Element = html5lib.HTMLParser(strict=True).parse(response.text)
    return tree


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def all_of(element: Element, tag: str) -> Iterator[Element]:
    return element.iter(f"{HTML}{tag}")


@pytest.fixture
def hostile(tmp_path: Path, model: Model) -> Iterator[TestClient]:
    with Store(tmp_path / "hostile") as store:
        service = GraphService(store, model)
        service.load(read_files([HOSTILE]), message="hostile", author="kg")
        yield TestClient(create_app(service, Settings()), raise_server_exceptions=False)


# ---------------------------------------------------------------- all pages
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_valid_accessible_in_outline_and_under_a_strict_policy(client: TestClient, path: str) -> None:
    tree = page(client, path)
    response = client.get(path)
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert_inert(tree)
    assert tree.get("lang") == "en"
    assert text(next(all_of(tree, "title")))
    assert len(list(all_of(tree, "h1"))) == 1
    assert len(list(all_of(tree, "main"))) == 1
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {id_ for e in tree.iter() for id_ in (e.get("aria-labelledby") or "").split()}
    assert labelled <= set(ids)
    for field in (*all_of(tree, "input"), *all_of(tree, "select")):
        in_label = any(field in list(label.iter()) for label in all_of(tree, "label"))
        assert in_label or field.get("aria-label") or field.get("type") == "hidden"
    levels = [int(e.tag[-1]) for e in tree.iter() if isinstance(e.tag, str) and re.fullmatch(rf"{HTML}h[1-6]", e.tag)]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def assert_inert(tree: Element) -> None:
    for element in tree.iter():
        if element.tag == f"{HTML}script":
            assert element.get("src") or element.get("type") == "application/json"
        assert element.tag != f"{HTML}style"
        for name, value in element.attrib.items():
            assert name != "style"
            assert not name.startswith("on")
            if name in {"href", "src", "action"}:
                assert urlsplit(value).scheme in {"", "http", "https", "data"}


def test_no_link_leads_nowhere(client: TestClient) -> None:
    """Everything that can be reached from the front page answers, pictures and downloads included."""
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path, headers={"accept": "text/html"})
        assert response.status_code == 200, path
        if "html" not in response.headers["content-type"] or path.startswith("/graphql"):
            continue
        tree = html5lib.parse(response.text)
        ids = {element.get("id") for element in tree.iter()}
        for element in tree.iter():
            target = element.get("href") or (element.get("src") if element.tag != f"{HTML}iframe" else None)
            if not target or target.startswith("data:"):
                continue
            address = urlsplit(urljoin(f"http://testserver{path}", target))
            if target.startswith("#"):
                assert address.fragment in ids, (path, target)
            elif address.netloc == "testserver":
                waiting.append(address.path + (f"?{address.query}" if address.query else ""))
    assert len(seen) > 60
    assert "/entity/CLINICALTRIALS:NCT00000001" in seen


def test_hostile_names_stay_text_on_every_page(hostile: TestClient) -> None:
    for path in (
        "/",
        "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/search?q=script",
        "/kind/therapies",
        "/entity/therapy:script",
        "/entity/target:cdata",
        "/entity/MONDO:0000001",
        "/entity/risk:control",
        "/entity/therapy:script?relation=targets",
        "/entity/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/embed/v1/view?around=therapy:script",
        "/embed/v1/view?around=%3Cscript%3E",
        "/embed/v1/paths?from=therapy:script&to=MONDO:0000001",
        "/explore/paths?from=therapy:script&to=MONDO:0000001",
        "/explore/paths?from=%3Cscript%3E&to=MONDO:0000001",
        "/explore/hypotheses?disease=MONDO:0000001&tested=yes",
    ):
        tree = page(hostile, path)
        assert_inert(tree)
        assert not [e for e in tree.iter() if e.tag in {f"{HTML}img", f"{HTML}iframe", f"{HTML}b"}]
    shown = text(page(hostile, "/entity/therapy:script"))
    assert "<script>alert(1)</script>" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "\u202e" not in hostile.get("/entity/MONDO:0000001").text


# ---------------------------------------------------------------- entities
def test_the_entity_page_shows_facts_records_relations_and_evidence(client: TestClient) -> None:
    shown = text(page(client, "/entity/therapy:alpha", 200))
    for wanted in (
        "alpha-cel",
        "A-001",
        "A made-up CD19 CAR-T.",
        "AUTOLOGOUS",
        "Costimulatory domains 4-1BB",
        "Antigens CD19",
        "Has risk 2",
        "8 of 12 (67 %)",
        "single arm trial",
        "Example A et al. 2022",
        "Alpha cohort",
        "Binds CD19.",
        "query Entity($curie: String!",
    ):
        assert wanted in shown
    assert "disputed" not in shown


def test_edges_are_sorted_by_confidence_and_disputes_are_marked(client: TestClient) -> None:
    tree = page(client, "/entity/MONDO:0007915")
    groups = [section for section in all_of(tree, "section") if section.get("class") == "group"]
    for group in groups:
        numbers = [float(n) for n in re.findall(r"confidence (\d\.\d\d)", text(group))]
        assert numbers == sorted(numbers, reverse=True)
    (treated,) = [group for group in groups if group.get("id") == "treatedBy"]
    assert "disputed" in text(treated)
    assert "contradicts" in text(treated)


def test_a_claim_without_support_is_shown_as_such(client: TestClient) -> None:
    shown = text(page(client, "/entity/MONDO:0005100"))
    assert "Claimed, not supported 1" in shown
    assert "Only contradicting evidence: no edge." in shown


@pytest.mark.parametrize("alias", ["DOID:9074", "mondo:0007915", "http://purl.obolibrary.org/obo/MONDO_0007915"])
def test_an_alias_is_sent_to_the_curie_and_keeps_its_question(client: TestClient, alias: str) -> None:
    response = client.get(f"/entity/{alias}?as-of=2022", follow_redirects=False)
    assert response.status_code == 308
    there = urljoin(str(response.url), response.headers["location"])
    assert there == "http://testserver/entity/MONDO:0007915?as-of=2022"
    assert client.get(f"/entity/{alias}").status_code == 200


def test_an_unknown_entity_is_404_with_near_matches(client: TestClient) -> None:
    tree = page(client, "/entity/systemic lupus", 404)
    assert "systemic lupus erythematosus" in text(tree)
    assert any(a.get("href") == "../entity/MONDO:0007915" for a in all_of(tree, "a"))


def test_as_of_leaves_out_what_was_published_later(client: TestClient) -> None:
    early = text(page(client, "/entity/therapy:alpha?as-of=2021-06-30"))
    assert "This is what was known on 2021-06-30" in early
    assert "Example A et al. 2022" not in early.partition("Relations")[2]
    assert client.get("/entity/therapy:alpha?asOf=2021-06-30").text.count("2021-06-30") > 1
    for path in ("/entity/therapy:alpha?as-of=yesterday", "/?as-of=2021-13-01"):
        assert "write a date such as" in text(page(client, path, 400))


def test_more_edges_than_fit_have_pages_of_their_own(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.pages import entity

    monkeypatch.setattr(entity, "GROUP_EDGES", 1)
    monkeypatch.setattr(entity, "PAGE_EDGES", 1)
    first = page(client, "/entity/therapy:alpha")
    assert "All 2" in text(first)
    second = page(client, "/entity/therapy:alpha?relation=hasRisk&page=2", 200)
    assert "Page 2 of 2" in text(second)
    assert "high cost" in text(second)
    assert "page" in text(page(client, "/entity/therapy:alpha?relation=hasRisk&page=3", 400))
    assert "has targets" in text(page(client, "/entity/therapy:alpha?relation=drives", 404))


def test_the_timeline_leads_to_each_piece_of_evidence(client: TestClient) -> None:
    tree = page(client, "/entity/MONDO:0007915")
    ids = {element.get("id") for element in tree.iter()}
    (drawn,) = [e for e in tree.iter() if e.get("class") == "kg-timeline"]
    targets = [a.get("href") for a in drawn.iter() if a.get("href")]
    assert len(targets) >= 5
    assert {target.removeprefix("#") for target in targets} <= ids


# ---------------------------------------------------------------- paths and hypotheses
def test_paths_are_a_picture_and_sentences_with_their_evidence(client: TestClient) -> None:
    tree = page(client, "/explore/paths?from=therapy:alpha&to=MONDO:0009688&maxLength=3", 200)
    items = [li for ol in all_of(tree, "ol") if "paths" in (ol.get("class") or "") for li in ol]
    assert items
    assert [e for e in items[0].iter() if (e.get("class") or "").startswith("evidence ")]
    assert any("kg-figure" in (e.get("class") or "") for e in tree.iter())
    assert "query Paths($from" in text(tree)
    lines = [" ".join(text(e).split()) for e in tree.iter() if e.get("class") in {"who", "step"}]
    assert any("plasma cells drive" in line for line in lines)
    assert not any("cell drive" in line for line in lines)
    empty = text(page(client, "/explore/paths?from=therapy:alpha&to=MONDO:0009688&maxLength=1", 200))
    assert "No path." in empty
    assert "maxLength" in empty


def asked_by(tree: Element) -> dict[str, object]:
    """The query behind a page, as its block of data holds it."""
    (block,) = [e for e in all_of(tree, "script") if e.get("type") == "application/json"]
    return dict(json.loads("".join(block.itertext())))


@pytest.mark.parametrize(
    "chosen",
    [
        "",
        "max-length=3&order=length",
        "maxLength=3&min=0.2&order=LENGTH",  # as links of earlier versions say it
        "min-length=3&diverse=1&first=3",
        "metapath=targets,expressedOn,drives",
        "via=HGNC:1633&kinds=Target&kinds=CellPopulation",
        "avoid=HGNC:1633&relations=targets,expressedOn,drives,depletes",
        "levels=CASE_SERIES,SINGLE_ARM_TRIAL,MECHANISTIC&direction=out&disputed=0&signs=-1",
        "assume=therapy:alpha+depletes+CL:0000786&without=HGNC:11913&as-of=2023",
    ],
)
def test_the_query_behind_a_page_of_paths_asks_for_what_it_shows(client: TestClient, chosen: str) -> None:
    tree = page(client, f"/explore/paths?from=therapy:alpha&to=MONDO:0009688&{chosen}", 200)
    shown = [text(p).split(". The picture")[0] for p in all_of(tree, "p") if p.get("class") == "formula"]
    body = client.post("/graphql", json=asked_by(tree)).json()
    assert "errors" not in body
    assert [path["text"] for path in body["data"]["paths"]["nodes"]] == shown


def test_the_form_of_paths_keeps_every_constraint(client: TestClient) -> None:
    chosen = {
        "from": ["therapy:alpha"], "to": ["MONDO:0009688"], "max-length": ["3"], "min-length": ["2"], "order": ["length"],
        "via": ["HGNC:1633"], "avoid": ["HGNC:11913"], "metapath": ["targets, expressedOn, drives"], "kinds": ["Target", "CellPopulation"],
        "relations": ["targets", "expressedOn", "drives"], "levels": ["MECHANISTIC"], "min-confidence": ["0.3"], "direction": ["out"],
        "disputed": ["0"], "diverse": ["1"], "signs": ["-1"], "as-of": ["2023-12-31"], "assume": ["therapy:alpha depletes CL:0000786"],
        "without": ["HGNC:11913"],
    }  # fmt: skip
    assert {*chosen, "first", "highlight"} == set(PATH_PARAMETERS)
    tree = page(client, f"/explore/paths?{urlencode(chosen, doseq=True)}", 200)
    kept: dict[str, list[str]] = {}
    (form,) = [form for form in all_of(tree, "form") if "paths" in (form.get("action") or "")]
    for field in form.iter():
        on = field.get("type") != "checkbox" or field.get("checked") is not None
        if field.tag == f"{HTML}input" and on and field.get("value"):
            kept.setdefault(field.get("name") or "", []).append(field.get("value") or "")
        elif field.tag == f"{HTML}select":
            kept[field.get("name") or ""] = [o.get("value") or "" for o in field if o.get("selected") is not None]
    assert kept == chosen


@pytest.mark.parametrize("chosen", ["", "tested=yes&as-of=2023", "therapy=therapy:alpha", "without=HGNC:1633"])
def test_the_query_behind_a_page_of_hypotheses_asks_for_what_it_shows(client: TestClient, chosen: str) -> None:
    tree = page(client, f"/explore/hypotheses?disease=MONDO:0009688&{chosen}", 200)
    body = client.post("/graphql", json=asked_by(tree)).json()
    assert "errors" not in body
    said = next(text(p) for p in all_of(tree, "p") if p.get("class") == "count")
    found = body["data"]["hypotheses"]
    assert said.startswith(f"{len(found['nodes'])} of {found['totalCount']}" if found["nodes"] else "Nothing")


def test_a_name_that_is_no_identifier_offers_what_may_be_meant(client: TestClient) -> None:
    tree = page(client, "/explore/paths?from=lupus&to=MONDO:0009688", 404)
    (link,) = {a.get("href") for a in all_of(tree, "a") if "from=MONDO%3A0007915" in (a.get("href") or "")}
    assert link
    assert "to=MONDO" in link
    assert client.get(urljoin("http://testserver/explore/paths", link)).status_code == 200
    assert "Search for it by name" in text(page(client, "/explore/hypotheses?therapy=qqqqqqq", 404))


def test_hypotheses_are_a_table_with_for_and_against(client: TestClient) -> None:
    tree = page(client, "/explore/hypotheses?disease=MONDO:0009688&tested=yes&q=yes", 200)
    (table,) = [e for e in all_of(tree, "table") if e.get("class") == "hypotheses"]
    heads = [text(th) for th in all_of(table, "th") if th.get("scope") == "col"]
    assert heads == ["#", "Suggested", "Score", "q", "For", "Against"]
    rows = [tr for tr in all_of(table, "tr") if any(td.tag.endswith("td") for td in tr)]
    assert rows
    assert [text(row)[0] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    assert "Begin with" in text(page(client, "/explore/hypotheses", 200))


# ---------------------------------------------------------------- lists and search
def test_a_kind_is_sorted_filtered_and_counted(client: TestClient) -> None:
    def names(path: str) -> list[str]:
        tree = page(client, path, 200)
        return [text(th) for th in all_of(tree, "th") if th.get("scope") == "row"]

    assert names("/kind/trials") == ["Alpha-cel in lupus", "Beta-cel in myasthenia gravis"]
    assert names("/kind/trials?sort=-enrollment")[0] == "Beta-cel in myasthenia gravis"
    assert names("/kind/trials?phase=PHASE_1") == ["Alpha-cel in lupus"]
    assert names("/kind/trials?randomized=false") == ["Alpha-cel in lupus"]
    assert names("/kind/Trial") == names("/kind/TRIALS")
    assert "PHASE 1 (1)" in text(page(client, "/kind/trials?phase=PHASE_2"))
    assert "None of 3 fits" in text(page(client, "/kind/diseases?area=ONCOLOGY"))
    for path, said in (
        ("sort=size", "label, relations"),
        ("phase=ONE", "PHASE_1"),
        ("page=2", "page"),
        ("page=x", "page"),
    ):
        assert said in text(page(client, f"/kind/trials?{path}", 400))
    assert "therapies, targets" in text(page(client, "/kind/genes", 404))


def test_search_says_what_matched(client: TestClient) -> None:
    assert "other name: BCMA" in text(page(client, "/search?q=BCMA"))
    assert "The identifier DOID:9074 is" not in text(page(client, "/search?q=DOID:9074"))
    assert "systemic lupus erythematosus" in text(page(client, "/search?q=DOID:9074"))
    assert "similar" in text(page(client, "/search?q=systemic+sclerosys"))
    assert "Nothing is called that" in text(page(client, "/search?q=zzzzzzzz"))
    assert "there are Therapy" in text(page(client, "/search?q=x&kind=Gene", 400))


# ---------------------------------------------------------------- caching and limits
def test_pages_are_revalidated_by_the_version_of_the_graph(client: TestClient, service: GraphService) -> None:
    first = client.get("/entity/MONDO:0007915")
    etag = first.headers["etag"]
    again = client.get("/entity/MONDO:0007915", headers={"if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/entity/MONDO:0007915?as-of=2021").headers["etag"] != etag
    document = read_files([TINY])[0]
    document.triples = document.triples[:-1]
    service.store.load([document], message="shorter", author="test")
    service._catch_up()
    assert client.get("/entity/MONDO:0007915", headers={"if-none-match": etag}).status_code == 200


def test_what_was_refused_has_no_etag(client: TestClient) -> None:
    assert "etag" not in client.get("/entity/nothing").headers
    assert "etag" not in client.get("/kind/trials?page=9").headers


def test_pages_are_cached_within_their_bound(client: TestClient, make_client: Make) -> None:
    for _ in range(2):
        client.get("/kind/trials")
        client.get("/entity/nothing")
    assert "page_cache_hits 1.0" in client.get("/metrics").text
    off = make_client(page_cache_bytes=0)
    assert [off.get("/kind/trials").status_code for _ in range(2)] == [200, 200]
    assert "page_cache_hits 0.0" in off.get("/metrics").text


def test_a_huge_query_string_is_refused_in_words(make_client: Make) -> None:
    shown = text(page(make_client(max_url_bytes=100), f"/search?q={'x' * 200}", 400))
    assert "max_url_bytes is 100" in shown


def test_metrics_have_few_names_for_many_pages(client: TestClient) -> None:
    for path in (
        "/entity/HGNC:1633",
        "/kind/trials",
        "/static/base.css",
        "/embed/v1/view?around=HGNC:1633",
        "/x/y",
        "/z",
    ):
        client.get(path)
    routes = set(re.findall(r'http_requests_total\{method="GET",route="([^"]*)"', client.get("/metrics").text))
    assert routes == {"/entity", "/kind", "/static", "/embed/v1/view", "other"}


def test_static_files_are_there_without_any_build(client: TestClient) -> None:
    tree = page(client, "/entity/HGNC:1633")
    sheets = [link.get("href") for link in all_of(tree, "link") if link.get("rel") == "stylesheet"]
    assert len(sheets) >= 2
    for sheet in sheets[:2]:
        response = client.get(urljoin("http://testserver/entity/HGNC:1633", sheet))
        assert response.headers["content-type"].startswith("text/css")
    assert client.get("/static/base.css?v=1").headers["cache-control"].endswith("immutable")
    assert client.get("/static/base.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404


def test_without_a_build_pages_name_no_built_file(
    service: GraphService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("server.app.WebAssets", lambda: WebAssets(tmp_path))
    client = TestClient(create_app(service, Settings()))
    assert "explorer" not in client.get("/entity/HGNC:1633").text
    statuses = [client.get(f"/explore/{name}").status_code for name in ("paths", "hypotheses", "history")]
    assert statuses == [200, 200, 404]
    assert "are not built" in client.get("/graphql", headers={"accept": "text/html"}).text


def test_with_a_build_pages_carry_its_hooks(
    service: GraphService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As server/web/src/README-hooks.md has them."""
    files = {name: {"bytes": 0, "gzip": 0} for name in ("explorer.js", "explorer.css", "kg-graph.js")}
    for name in files:
        (tmp_path / name).write_text("")
    import json

    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    monkeypatch.setattr("server.app.WebAssets", lambda: WebAssets(tmp_path))
    client = TestClient(create_app(service, Settings()))
    tree = page(client, "/entity/HGNC:1633", 200)
    body = next(all_of(tree, "body"))
    assert (body.get("data-page"), body.get("data-base"), body.get("data-endpoint")) == ("entity", "../", "../graphql")
    assert any(s.get("src") == "../static/explorer.js" for s in all_of(tree, "script"))
    (graph,) = [e for e in tree.iter() if e.get("data-kg-graph") is not None]
    assert graph.get("data-entity") == "HGNC:1633"
    assert any(f.get("data-kg-search") is not None for f in all_of(tree, "form"))
    for name in ("paths", "hypotheses", "history"):
        shell = page(client, f"/explore/{name}", 200)
        assert next(all_of(shell, "body")).get("data-page") == name
        assert any(e.get("id") == "explore" for e in shell.iter())


# ---------------------------------------------------------------- what goes wrong
def test_an_unknown_address_is_a_page_to_people_and_json_to_others(client: TestClient) -> None:
    html = {"accept": "text/html,*/*;q=0.8"}
    response = client.get("/no/such/page", headers=html)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    tree = html5lib.HTMLParser(strict=True).parse(response.text)
    assert_inert(tree)
    assert "The service has /, /search" in text(tree)
    assert all(link.get("href").startswith("../../static/") for link in all_of(tree, "link"))
    assert client.get("/no/such/page").json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert client.post("/entity/HGNC:1633").status_code == 405


def test_a_fault_of_ours_says_nothing_of_how_and_is_logged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret db password=hunter2")

    monkeypatch.setattr("server.pages.search.Counter", broken)
    response = client.get("/search?q=lupus", headers={"accept": "text/html"})
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert "Something went wrong here" in response.text
    assert "hunter2" in capsys.readouterr().out
