"""The query editor, and what stands in its place where it could not be built."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable

from starlette.responses import HTMLResponse

from server.graphql.examples import Example
from server.pages.rendering import Site
from server.web.assets import page_template

# GraphiQL's editor (monaco) writes inline styles and starts its workers from this origin; nothing else is allowed.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def graphiql_page(site: Site, examples: Iterable[Example]) -> HTMLResponse:
    """Return GraphiQL with example queries in tabs, or a page that says why it is missing."""
    title = site.model.title
    if not site.assets.built:
        page = site.render("editor-missing.html", up="", title=title, reason=site.assets.missing_reason)
        return HTMLResponse(page.body, headers=page.headers)
    shown = json.dumps([example.as_dict() for example in examples]).replace("<", "\\u003c")
    text = page_template().replace("{{title}}", html.escape(f"{title} · GraphiQL")).replace("{{examples}}", shown)
    return HTMLResponse(text, headers=HEADERS)
