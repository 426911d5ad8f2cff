"""Write everything that is derived and kept in git: the SDL, the JSON-LD context, the README's answers.

Run ``python -m tests.regenerate``; tests fail while any of it is out of date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from kg import Snapshot, open_graph
from kg.context import jsonld_context
from kg.formats import FORMATS
from server.graphql.examples import Example, load_examples
from server.graphql.paging import start_clock
from server.graphql.query import build_schema
from server.graphql.request import Request
from server.pathviews import PATH_PARAMETERS
from server.settings import Settings, rows
from server.viewing import DRAWING, PARAMETERS
from tests.benchmarks.budgets import table as budgets

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "tests" / "README.template.md"


class _Loaded:
    """A snapshot in the place of a service."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


def answer(example: Example, graph: Snapshot) -> str:
    """Return the answer to an example as indented JSON, short lists on one line."""
    start_clock(Settings().request_seconds)  # whatever ran before in this context
    result = build_schema(graph.model).execute_sync(example.query, root_value=Request(_Loaded(graph), Settings()))  # type: ignore[arg-type]
    if result.errors:
        raise SystemExit(f"{example.name}: {result.errors}")
    return compact(json.dumps(_rounded(result.data), indent=2, ensure_ascii=False))


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def compact(text: str) -> str:
    """Put innermost objects and lists on one line where they fit."""
    for _ in range(3):
        text = re.sub(r"([\[{])\n\s+([^\[\]{}]*?(?:\{[^{}\n]*\}[^\[\]{}]*?)*)\n\s+([\]}])", _joined, text)
    return text


def _joined(match: re.Match[str]) -> str:
    line = match[1] + re.sub(r"\n\s+", " ", match[2]) + match[3]
    return line if len(line) <= 110 else match[0]


def _question(number: int, example: Example, graph: Snapshot) -> str:
    query = "\n".join(example.query.splitlines()[1:])
    shown = answer(example, graph)
    return (
        f"**{number}. {example.title}**\n\n<details><summary>query and answer</summary>\n\n"
        f"```graphql\n{query}\n```\n\n```json\n{shown}\n```\n\n</details>\n"
    )


def readme(graph: Snapshot) -> str:
    """Return the README: the template with questions, answers, settings and counts filled in."""
    text = TEMPLATE.read_text(encoding="utf-8")
    settings = "\n".join(
        f"| `{name}` | {f'`{default}`' if default else ''} | {said} |" for name, default, said in rows()
    )
    kinds = ", ".join(f"{len(graph.by_kind[kind.name])} {_spaced(kind.plural)}" for kind in graph.model.kinds)
    counts = (
        f"{kinds}; {len(graph.assertions)} assertions with {graph.evidence_count} pieces of evidence "
        f"from {len(graph.sources)} sources"
    )
    questions = "\n".join(_question(i, example, graph) for i, example in enumerate(load_examples(), 1))
    parameters = "\n".join(f"| `{name}` | {said} |" for name, said in {**PARAMETERS, **DRAWING}.items())
    of_paths = "\n".join(f"| `{name}` | {said} |" for name, said in PATH_PARAMETERS.items())
    formats = "\n".join(f"| `/view.{row.ending}` | {row.reads} |" for row in FORMATS.values())
    measured = evaluation((ROOT / "tests" / "benchmarks" / "EVALUATION.md").read_text(encoding="utf-8"))
    filled = {
        "settings": settings,
        "counts": counts,
        "questions": questions,
        "evaluation": measured,
        "budgets": budgets(),
    }
    for name, value in {
        **filled,
        "view_parameters": parameters,
        "path_parameters": of_paths,
        "formats": formats,
    }.items():
        text = text.replace(f"{{{{{name}}}}}", value.strip())
    return text


def evaluation(text: str) -> str:
    """Return the AUROCs of EVALUATION.md as one table, a row a section."""
    rows = []
    for section in re.split(r"(?m)^## ", text)[1:]:
        title, command = section.splitlines()[0], re.search(r"`(kg evaluate[^`]*)`", section)
        found = dict(re.findall(r"(?m)^\| (sum|regression|degree) \| ([^|]*?) \|", section))
        if found:
            cells = " | ".join(found.get(name, "–") for name in ("sum", "regression", "degree"))
            rows.append(f"| {title} | {cells} | {f'`{command[1]}`' if command else ''} |")
    head = (
        "| held out | sum (the order shown) | regression | degrees alone | command |\n| --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def _spaced(name: str) -> str:
    return re.sub(r"(?=[A-Z])", " ", name).lower()


def main() -> None:
    """Write all derived files."""
    graph = open_graph()
    (ROOT / "schema" / "schema.graphql").write_text(build_schema(graph.model).as_str() + "\n", encoding="utf-8")
    context = json.dumps(jsonld_context(graph.model), indent=2, ensure_ascii=False)
    (ROOT / "schema" / "context.jsonld").write_text(context + "\n", encoding="utf-8")
    (ROOT / "README.md").write_text(readme(graph), encoding="utf-8")


if __name__ == "__main__":
    main()
