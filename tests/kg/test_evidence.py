"""Confidence counts independent lines once and shows where it came from."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.dates import first_day, last_day
from kg.evidence import confidence_value, explain
from kg.model import EvidenceLevel
from kg.records import Evidence, Source, Study


def level(strength: float) -> EvidenceLevel:
    return EvidenceLevel("L", "kg:L", 1, strength, "", None, None, None)


def item(key: str, strength: float, direction: str = "SUPPORTS", study: str | None = None) -> Evidence:
    source = Source(f"source:{key}", key, "JOURNAL_ARTICLE", key, key)
    return Evidence(
        f"e:{key}{direction}",
        source,
        level(strength),
        direction,
        "2024",
        Study(f"study:{study}", study, study) if study else None,
    )


def test_two_sources_add_up_by_noisy_or() -> None:
    assert confidence_value([item("a", 0.5), item("b", 0.4)]) == pytest.approx(1 - 0.5 * 0.6)


def test_two_papers_on_one_study_count_once_with_the_stronger() -> None:
    assert confidence_value([item("a", 0.5, study="s"), item("b", 0.4, study="s")]) == pytest.approx(0.5)


def test_contradiction_lowers_and_inconclusive_moves_nothing() -> None:
    evidence = [item("a", 0.8), item("b", 0.5, "CONTRADICTS"), item("c", 0.9, "INCONCLUSIVE")]
    assert confidence_value(evidence) == pytest.approx(0.8 * 0.5)


def test_nothing_in_favour_is_no_confidence() -> None:
    assert confidence_value([item("b", 0.5, "CONTRADICTS")]) == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.floats(0.01, 1.0), st.sampled_from(["SUPPORTS", "CONTRADICTS", "INCONCLUSIVE"])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_explanation_explains_the_number(rows: list[tuple[str, float, str]]) -> None:
    """Its value is the confidence, it lies in [0, 1], and the shares of each side add up to one."""
    evidence = [replace(item(k, s, d), id=str(i)) for i, (k, s, d) in enumerate(rows)]
    told = explain(evidence)
    assert told.value == pytest.approx(confidence_value(evidence))
    assert 0 <= told.value <= 1
    for side in ("SUPPORTS", "CONTRADICTS"):
        shares = [line.share for line in told.lines if line.direction == side]
        assert not shares or math.isclose(sum(shares), 1)


@given(st.floats(0.0, 1.0), st.sampled_from(["SUPPORTS", "CONTRADICTS", "INCONCLUSIVE"]))
def test_the_short_cut_for_one_piece_of_evidence_gives_the_very_number(strength: float, direction: str) -> None:
    only = item("a", strength, direction)
    assert confidence_value([only]) == confidence_value([only, only]) == explain([only]).value


def test_a_month_is_known_when_it_is_over() -> None:
    assert (first_day("2024-02").isoformat(), last_day("2024-02").isoformat()) == ("2024-02-01", "2024-02-29")
    assert last_day("2023").isoformat() == "2023-12-31"
    with pytest.raises(ValueError, match="2024-02-22"):
        first_day("22.2.2024")
    with pytest.raises(ValueError, match=r"month|range"):
        first_day("2024-13")
