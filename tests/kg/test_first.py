"""What a first load means is the difference to an empty graph, told from the columns."""

from __future__ import annotations

from dataclasses import replace

from kg import Model
from kg.columns import Columns
from kg.diff import GraphDiff, graph_diff
from kg.first import first_diff
from kg.graph import read_files
from kg.projection import project
from tests.conftest import TINY


def test_a_first_load_means_what_the_difference_to_nothing_does(model: Model) -> None:
    triples = [triple for document in read_files([TINY]) for triple in document.triples]
    for some in (triples, []):
        whole = project(some, model)
        expected = graph_diff(project((), model), whole)
        found = first_diff(Columns.of(whole, model))
        assert isinstance(found, GraphDiff)
        assert list(found.assertions_added) == list(expected.assertions_added)
        assert list(found.counts.items()) == list(expected.counts.items())
        assert replace(found, assertions_added=()) == replace(expected, assertions_added=())
    assert any(
        len(change.evidence_added) > 1
        for change in graph_diff(project((), model), project(triples, model)).assertions_added
    )
