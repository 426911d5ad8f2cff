"""The pages that browsers see: the query editor, and a front page that says what is here."""

from __future__ import annotations

import html
import json

from starlette.responses import HTMLResponse

from kg.snapshot import Snapshot
from server.graphql.examples import EXAMPLES
from server.web.assets import WebAssets, page_template

# GraphiQL's editor (monaco) writes inline styles and starts its workers from this origin; nothing else is allowed.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b2430;background:#fff}"
    "h1{font-size:1.7rem}a{color:#1d5fae}table{border-collapse:collapse;width:100%}td,th{padding:.35rem .6rem;border-bottom:1px solid #d9dee5;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}code{background:#eef1f5;padding:.1rem .3rem;border-radius:3px}"
    "@media(prefers-color-scheme:dark){body{color:#e4e8ee;background:#14181d}a{color:#7db4f5}td,th{border-color:#333b45}code{background:#232a32}}"
)


def graphiql_page(title: str, assets: WebAssets) -> HTMLResponse:
    """Return GraphiQL with example queries in tabs, or a page that says why it is missing."""
    if not assets.built:
        return HTMLResponse(
            _page(title, f"<p>{html.escape(assets.missing_reason)}.</p>{_without_editor()}"), headers=HEADERS
        )
    examples = json.dumps([example.as_dict() for example in EXAMPLES]).replace("<", "\\u003c")
    page = page_template().replace("{{title}}", html.escape(f"{title} · GraphiQL")).replace("{{examples}}", examples)
    return HTMLResponse(page, headers=HEADERS)


def front_page(graph: Snapshot, assets: WebAssets, *, counts: bool = True) -> HTMLResponse:
    """Return what the service is, how large its graph is (unless that is for readers only), and where to go from here."""
    editor = "Query it in GraphiQL" if assets.built else "Query it (the editor is not built)"
    body = (
        f"<p>{html.escape(graph.model.description)}</p>"
        f'<p><a href="graphql">{editor}</a> · <a href="schema.graphql">GraphQL schema</a> · <a href="metrics">metrics</a></p>'
    )
    return HTMLResponse(_page(graph.model.title, body + (_counts(graph) if counts else CLOSED)), headers=HEADERS)


CLOSED = "<p>Reading needs a token here: send it in the header Authorization.</p>"


def _counts(graph: Snapshot) -> str:
    rows = "".join(
        f'<tr><td>{html.escape(kind.name)}</td><td class="n">{len(graph.by_kind[kind.name]):,}</td><td>{html.escape(kind.description)}</td></tr>'
        for kind in graph.model.kinds
    )
    return (
        f"<p>Version {graph.version.number}: {len(graph.entities):,} entities, {graph.edge_count:,} edges, "
        f"{graph.evidence_count:,} pieces of evidence from {len(graph.sources):,} sources.</p>"
        f"<table><thead><tr><th>Kind</th><th>Count</th><th>What it is</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _page(title: str, body: str) -> str:
    name = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{name}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main><h1>{name}</h1>{body}</main></body></html>'
    )


def _without_editor() -> str:
    return (
        "<p>The service itself works without it. POST a query to this address:</p>"
        "<pre><code>curl -H 'content-type: application/json' -d '{\"query\": \"{ version { number entities } }\"}' …/graphql</code></pre>"
    )
