"""What all pages share: templates with everything escaped, the policy they run under, and words for names."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kg.colours import DARK, LIGHT, kind_class, style_rules
from kg.figures import spaced
from kg.glyphs import glyph
from kg.lettering import clean, web_address
from kg.model import Model
from kg.paths import Path as GraphPath
from kg.records import Assertion
from kg.wording import Verb, agreeing
from server.answers import Answer, Visit, entity_path
from server.web.assets import WebAssets

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent.parent / "web" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


def policy(ancestors: tuple[str, ...] = ()) -> str:
    """Return the content security policy of a page that some origins may frame."""
    return POLICY.format(ancestors=" ".join(ancestors) or "'none'")


class Site:
    """The templates of one service, and the files they load."""

    def __init__(self, model: Model, assets: WebAssets) -> None:
        self.model = model
        self.assets = assets
        self.jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_cleaned,
        )
        self.jinja.globals.update(
            model=model,
            built=frozenset(assets.files) if assets.built else frozenset(),
            stamp=self.stamp,
            kind_mark=self.kind_mark,
            entity_path=entity_path,
            with_query=with_query,
        )
        self.jinja.filters.update(
            claim=claim,
            claim_parts=claim_parts,
            path_names=path_names,
            words=words,
            spaced=spaced,
            safe_url=web_address,
            heading=heading,
            dump=dump,
            query=urlencode,
            thousands=thousands,
        )

    def render(self, template: str, *, up: str, ancestors: tuple[str, ...] = (), **context: Any) -> Answer:
        """Return a page; ``up`` is the way from it to the front page, such as ``../``."""
        text = self.jinja.get_template(template).render(up=up, **context)
        return Answer(text, headers={"Content-Security-Policy": policy(ancestors), "Referrer-Policy": "no-referrer"})

    def page(self, visit: Visit, template: str, **context: Any) -> Answer:
        """Return a page for a visit, with the day it asks about."""
        day = visit.parameters.day("as-of", "asOf")
        return self.render(template, up=visit.up, visit=visit, as_of=day, today=_newest(visit), **context)

    @cached_property
    def kinds_css(self) -> str:
        """The colours of kinds, for light and dark."""
        dark = style_rules(self.model, DARK, ":root:not([data-theme=light]) ")
        return "\n".join(
            [
                style_rules(self.model, LIGHT),
                f"@media (prefers-color-scheme: dark) {{\n{dark}\n}}",
                style_rules(self.model, DARK, "[data-theme=dark] "),
            ]
        )

    @cached_property
    def stamp(self) -> str:
        """A name for all that pages are made from; it changes when any of it does."""
        digest = hashlib.sha256(self.kinds_css.encode())
        for file in sorted([*STATIC.iterdir(), *TEMPLATES.iterdir()]):
            digest.update(file.read_bytes())
        digest.update(json.dumps(self.assets.files, sort_keys=True).encode())
        return digest.hexdigest()[:12]

    def kind_mark(self, name: str, size: int = 14) -> Markup:
        """Return the shape of a kind, in its colour; it repeats what a word beside it says."""
        kind = self.model.kind[name]
        mark = glyph(
            kind.shape, 7, 7, 6, f'class="kg-glyph {kind_class(self.model, name)}" fill="{LIGHT.strong(kind)}"'
        )
        return Markup(
            f'<svg class="mark" viewBox="0 0 14 14" width="{size}" height="{size}" aria-hidden="true">{mark}</svg>'
        )


def _cleaned(value: object) -> object:
    """Return a text without what no page may hold; what is markup already was cleaned when it was made."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _newest(visit: Visit) -> str:
    time = visit.whole_graph.version.time
    return time.date().isoformat() if time else ""


def claim(assertion: Assertion) -> str:
    """Return what an assertion says, in words."""
    subject, phrase, object_ = claim_parts(assertion)
    return f"{subject} {phrase} {object_}"


def claim_parts(assertion: Assertion) -> tuple[str, str, str]:
    """Return the same in three: subject, phrase and object, the names in the number of the verb."""
    relation = assertion.subject.graph.model.relation[assertion.relation]
    subject, object_ = agreeing([assertion.subject.label, assertion.object.label], [Verb(*relation.phrases())])
    return subject, relation.phrase, object_


def path_names(path: GraphPath) -> list[str]:
    """Return the names of a path's nodes, in the number of the verbs between them."""
    return agreeing(
        [node.label for node in path.nodes], [Verb(*step.model.phrases(step.reversed)) for step in path.steps]
    )


def words(name: object) -> str:
    """Return ``SINGLE_ARM_TRIAL`` as ``single arm trial``."""
    return str(name).replace("_", " ").lower()


def heading(name: str) -> str:
    """Return ``developmentStage`` as ``Development stage``."""
    text = spaced(name)
    return text[:1].upper() + text[1:]


def thousands(number: int) -> str:
    """Return 1234 as 1,234."""
    return f"{number:,}"


def dump(value: object) -> Markup:
    """Return JSON for a data block: no sign in it can end the block."""
    text = clean(json.dumps(value, ensure_ascii=False))
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)


def with_query(path: str, given: Any, **changes: object) -> str:
    """Return a path with the request's parameters, some of them changed; None takes one away. ``_`` stands for ``-``."""
    pairs = [(name, value) for name, value in given.multi_items() if name.replace("-", "_") not in changes]
    pairs += [(name.replace("_", "-"), str(value)) for name, value in changes.items() if value is not None]
    return f"{path}?{urlencode(pairs)}" if pairs else path
