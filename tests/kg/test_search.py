"""Names as people write them find what they mean."""

import pytest

from kg import Snapshot


@pytest.mark.parametrize(
    ("text", "curie", "tier"),
    [
        ("SLE", "MONDO:0007915", "exact"),
        ("systemic LUPUS erythematosus", "MONDO:0007915", "exact"),
        ("bcma", "HGNC:11913", "exact"),
        ("DOID:9074", "MONDO:0007915", "exact"),
        ("A-001", "therapy:alpha", "exact"),
        ("cytokine", "MONDO:0600008", "fulltext"),
        ("myasth", "MONDO:0009688", "fulltext"),
        ("sytemic lupus", "MONDO:0007915", "fuzzy"),
        ("mysthenia gravis", "MONDO:0009688", "fuzzy"),
    ],
)
def test_the_first_hit_is_what_was_meant(tiny_graph: Snapshot, text: str, curie: str, tier: str) -> None:
    hit = tiny_graph.search(text)[0]
    assert (hit.entity.curie, hit.tier) == (curie, tier)


@pytest.mark.parametrize("text", ["CD18", "", "  ", "zzzzzz", '"', "a OR b", "NEAR(x y)", "*"])
def test_what_is_not_there_is_not_found(tiny_graph: Snapshot, text: str) -> None:
    assert not [hit for hit in tiny_graph.search(text) if hit.tier == "exact" or hit.entity.curie == "HGNC:1633"]


def test_kinds_and_limit_narrow_the_answer(tiny_graph: Snapshot) -> None:
    assert [h.entity.kind for h in tiny_graph.search("lupus", ["Trial"])] == ["Trial"]
    assert len(tiny_graph.search("lupus", limit=1)) == 1


def test_an_entity_is_hit_once_by_its_best_name(tiny_graph: Snapshot) -> None:
    hits = tiny_graph.search("lupus")
    assert len({h.entity.curie for h in hits}) == len(hits)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
