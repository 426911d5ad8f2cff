"""Lists that must agree with what they list."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import kg
from kg import errors
from kg.context import jsonld_context
from kg.errors import KGError
from kg.model import Model
from kg.reading import name_nodes, read_text
from server.graphql.errors import formatted
from server.graphql.query import build_schema
from server.settings import rows
from tests.conftest import ROOT


def all_errors(root: type[KGError] = KGError) -> list[type[KGError]]:
    return [root, *(found for child in root.__subclasses__() for found in all_errors(child))]


def test_every_error_is_drawn_in_the_tree_at_the_top_of_its_file() -> None:
    drawn = errors.__doc__ or ""
    assert [
        c.__name__
        for c in all_errors()
        if c.__module__ == "kg.errors" and f" {c.__name__} " not in drawn and c is not KGError
    ] == []


@pytest.mark.parametrize("class_", all_errors(), ids=lambda c: c.__name__)
def test_every_error_comes_out_of_graphql_with_its_own_code(class_: type[KGError]) -> None:
    from graphql import GraphQLError

    error = class_.__new__(class_)
    Exception.__init__(error, "what happened")
    error.__dict__.update(name="n", near=(), limit="l", maximum=1, value=2, expected=1, actual=2)
    shown = formatted(GraphQLError("wrapped", original_error=error))
    assert shown["extensions"]["code"] == class_.code
    assert 400 <= class_.status < 600


def test_what_the_library_exports_is_there_and_sorted() -> None:
    assert sorted(kg.__all__) == kg.__all__
    assert all(hasattr(kg, name) for name in kg.__all__)


def test_the_sdl_in_the_schema_folder_is_current(model: Model) -> None:
    """Run `python -m tests.regenerate` after changing the schema folder or the API."""
    assert (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8") == build_schema(model).as_str() + "\n"


def test_everything_in_the_sdl_is_described(model: Model) -> None:
    """Types, fields, arguments, input fields and enum values; a contract without words is half a contract."""
    schema = build_schema(model)._schema
    silent = []
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not type_.description:
            silent.append(name)
        for field_name, field in getattr(type_, "fields", {}).items():
            silent += [f"{name}.{field_name}"] if not field.description else []
            silent += [
                f"{name}.{field_name}({a})" for a, arg in getattr(field, "args", {}).items() if not arg.description
            ]
        silent += [f"{name}.{v}" for v, value in getattr(type_, "values", {}).items() if not value.description]
    assert silent == []


def test_the_json_ld_context_is_current_and_loads_data(model: Model) -> None:
    text = (ROOT / "schema" / "context.jsonld").read_text(encoding="utf-8")
    context = json.loads(text)
    assert context == jsonld_context(model)
    document = {
        **context,
        "id": "therapy:x",
        "type": "Therapy",
        "label": "x",
        "modality": "CarT",
        "construct": {"type": "CarConstruct", "antigens": ["HGNC:1633"], "costimulatoryDomains": ["4-1BB"]},
    }
    triples = {str(t) for t in name_nodes(read_text(json.dumps(document).encode(), "jsonld", "x.jsonld")).triples}
    vocab = "https://cartograph.example/vocab/"
    assert f"<https://cartograph.example/therapy/x> <{vocab}modality> <{vocab}CarT>" in triples
    assert any(f"<{vocab}antigen> <http://identifiers.org/hgnc/1633>" in t for t in triples)


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run(
        [linter, "--config", ROOT / ".importlinter"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_every_setting_and_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name, _, _ in rows() if f"`{name}`" not in text] == []
    assert [c for c in ("serve", "check", "load", "history", "status", "settings") if f"kg {c}" not in text] == []


def test_the_readme_is_what_its_generator_writes(seed_graph) -> None:
    """Its questions and answers come from the seeds, so a change of either changes it."""
    from tests.regenerate import readme

    assert readme(seed_graph) == (ROOT / "README.md").read_text(encoding="utf-8"), "run `python -m tests.regenerate`"


def test_nothing_but_the_house_stands_at_the_top_level() -> None:
    allowed = {"pyproject.toml", "kg", "schema", "seeds", "server", "tests", "README.md", "LICENSE"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} <= allowed


def test_python_finds_our_schema_folder_and_no_package_of_that_name() -> None:
    """PyPI has a package called schema; ours is data and must never be imported (style.md §7)."""
    assert not (ROOT / "schema" / "__init__.py").exists()


def test_the_tiny_client_fixture_serves_the_real_application(client: TestClient) -> None:
    assert client.get("/ready").json()["version"] == 1
