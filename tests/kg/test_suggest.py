"""`kg hypotheses`, `kg plan` and `kg compare` print what the library finds."""

import json

import click
import pytest
from click.testing import CliRunner

from kg.cli.suggest import COMMANDS
from tests.conftest import TINY

COMMAND: dict[str, click.Command] = {command.name or "": command for command in COMMANDS}


def run(name: str, *arguments: str) -> str:
    result = CliRunner().invoke(COMMAND[name], [*arguments, "--seeds", str(TINY)])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_hypotheses_are_printed_with_what_was_left_out() -> None:
    out = run("hypotheses", "MONDO:0009688")
    assert "beta-cel → myasthenia gravis" not in out  # a trial evaluates the one and studies the other
    assert "1 being tried are left out" in out
    assert "too small for a p-value" in out


def test_hypotheses_are_json_on_request() -> None:
    found = json.loads(run("hypotheses", "MONDO:0009688", "--include-tested", "--format", "json"))
    (entry,) = [h for h in found["hypotheses"] if h["subject"] == "therapy:beta"]
    assert entry["status"] == "IN_TRIAL"
    assert sum(entry["contributions"].values()) == pytest.approx(entry["score"])


def test_assumptions_and_the_past_are_options() -> None:
    out = run("hypotheses", "myasthenia gravis", "--assume", "therapy:alpha depletes CL:0000786", "--permutations", "0")
    assert "alpha-cel → myasthenia gravis" in out
    assert "was " in out
    past = run("hypotheses", "MONDO:0009688", "--as-of", "2022-12-31", "--assume", "CL:0000786 drives MONDO:0009688")
    assert "as of 2022-12-31" in past


def test_a_plan_and_a_comparison_are_printed() -> None:
    assert "candidates." in run("plan", "MONDO:0009688")
    assert json.loads(run("plan", "--format", "json")) is not None
    out = run("compare", "therapy:alpha", "MONDO:0007915", "MONDO:0009688")
    assert "alpha-cel: systemic lupus erythematosus and myasthenia gravis share" in out
    found = json.loads(run("compare", "therapy:alpha", "MONDO:0007915", "MONDO:0009688", "--format", "json"))
    assert {"shared", "onlyKnown", "onlyCandidate", "carriedOver", "text"} == set(found)
    assert {link["known"] for path in found["onlyKnown"] for link in path["links"]} == {"PRESENT"}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["MONDO:0009688", "MONDO:0007915"], "both a Disease"),
        (["nobody"], "No entity is called"),
        (["a", "b", "c"], "not 3"),
    ],
)
def test_bad_names_are_one_paragraph(names: list[str], says: str) -> None:
    result = CliRunner().invoke(COMMAND["hypotheses"], [*names, "--seeds", str(TINY)])
    assert result.exit_code == 2
    assert says in result.output
