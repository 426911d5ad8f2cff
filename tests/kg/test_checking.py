"""A curator sees every problem at once, where it is and what to do."""

from collections.abc import Callable
from datetime import date

import pytest

from kg import Model
from kg.checking import Diagnostic, check
from kg.reading import name_nodes, read_text
from kg.reference import Reference, Table, Term
from tests.conftest import TINY

HEAD = (
    "\n".join(
        line for line in (TINY / "tiny.ttl").read_text(encoding="utf-8").splitlines() if line.startswith("@prefix")
    )
    + "\n"
)
SOURCE = '<https://example.org/p> a kg:Source ; kg:sourceKind kg:JournalArticle ; dcterms:bibliographicCitation "P" .\n'
THERAPY = 'therapy:x a kg:Therapy ; rdfs:label "x" ; kg:granularity kg:Product ; kg:modality kg:CarT .\n'
TARGET = 'HGNC:1633 a kg:Target ; rdfs:label "CD19" .\n'
EVIDENCE = '[ dcterms:source <https://example.org/p> ; kg:level kg:CaseSeries ; kg:direction kg:Supports ; dcterms:date "2024-01-01"^^xsd:date {} ]'
REFERENCE = Reference(
    {
        "HGNC": Table(
            "HGNC",
            "test",
            "CC0",
            True,
            {"HGNC:1633": Term("HGNC:1633", "CD19"), "HGNC:1009": Term("HGNC:1009", "BCMA", True, "HGNC:11913")},
        )
    }
)


def claim(subject: str, predicate: str, object_: str, extra: str = "") -> str:
    return f"[] a kg:Assertion ; rdf:subject {subject} ; rdf:predicate {predicate} ; rdf:object {object_} ; kg:evidence {EVIDENCE.format(extra)} .\n"


@pytest.fixture
def problems(model: Model) -> Callable[[str], list[Diagnostic]]:
    def problems(text: str) -> list[Diagnostic]:
        document = name_nodes(read_text((HEAD + text).encode(), "ttl", "t.ttl"))
        return check([document], model, REFERENCE, today=date(2026, 1, 1))

    return problems


GOOD = SOURCE + THERAPY + TARGET


def test_a_good_file_has_no_problems(problems: Callable[[str], list[Diagnostic]]) -> None:
    assert problems(GOOD + claim("therapy:x", "kg:targets", "HGNC:1633")) == []


@pytest.mark.parametrize(
    ("text", "code", "said", "hint"),
    [
        (
            GOOD + claim("therapy:x", "kg:target", "HGNC:1633"),
            "unknown-relation",
            "kg:target is no relation",
            "kg:targets",
        ),
        (
            GOOD + claim("therapy:xx", "kg:targets", "HGNC:1633"),
            "undefined-entity",
            "therapy:xx is not defined",
            "therapy:x",
        ),
        (
            GOOD + claim("HGNC:1633", "kg:targets", "therapy:x"),
            "wrong-kind",
            "is a Therapy, but the relation wants Target",
            "",
        ),
        (GOOD + claim("therapy:x", "kg:subtypeOf", "HGNC:1633"), "wrong-kind", "both ends of one kind", ""),
        (GOOD + claim("therapy:x", "kg:subtypeOf", "therapy:x"), "self-loop", "relates an entity to itself", ""),
        (
            GOOD
            + 'MONDO:0007915 a kg:Disease ; rdfs:label "SLE" ; kg:area kg:Autoimmune .\n'
            + claim("therapy:x", "kg:treats", "MONDO:0007915"),
            "evidence-too-weak",
            "needs evidence of one of the levels",
            "",
        ),
        (
            GOOD + claim("therapy:x", "kg:targets", "HGNC:1633", "; kg:count 9 ; kg:total 3"),
            "shape-LessThanOrEquals",
            "not above kg:total",
            "",
        ),
        (
            GOOD + claim("therapy:x", "kg:targets", "HGNC:1633", "; kg:sampleSize 0"),
            "shape-MinInclusive",
            "1 or more",
            "",
        ),
        (
            GOOD + claim("therapy:x", "kg:targets", "HGNC:1633", "; kg:study study:nope"),
            "undefined-study",
            "study:nope is not defined",
            "",
        ),
        (
            GOOD + claim("therapy:x", "kg:targets", "HGNC:1633").replace("2024-01-01", "2027-01-01"),
            "future-date",
            "after today",
            "",
        ),
        (
            GOOD + claim("therapy:x", "kg:targets", "HGNC:1633").replace("kg:direction kg:Supports ;", ""),
            "shape-MinCount",
            "exactly one kg:direction",
            "",
        ),
        (
            GOOD
            + claim("therapy:x", "kg:targets", "HGNC:1633").replace(
                "<https://example.org/p>", "<https://example.org/q>"
            ),
            "shape-Class",
            "described as a kg:Source",
            "",
        ),
        (SOURCE + THERAPY.replace("kg:CarT", "kg:CarTee"), "shape-In", "kg:modality may not be kg:CarTee", "kg:CarT"),
        (
            SOURCE + THERAPY.replace("kg:modality", "kg:modalty"),
            "unknown-field",
            "kg:modalty is no field of Therapy",
            "kg:modality",
        ),
        (
            SOURCE + THERAPY.replace("a kg:Therapy", "a kg:Terapy"),
            "unknown-kind",
            "unknown type kg:Terapy",
            "kg:Therapy",
        ),
        (
            SOURCE + THERAPY.replace(" .", " ; kg:targets HGNC:1633 ."),
            "bare-relation",
            "write it as a kg:Assertion",
            "",
        ),
        (SOURCE + THERAPY.replace("therapy:x", "risk:x"), "wrong-prefix", "prefix therapy", ""),
        (
            SOURCE + TARGET.replace("CD19", "CD-19"),
            "label-mismatch",
            "'CD-19' here and 'CD19' in HGNC",
            "official label",
        ),
        (
            SOURCE + TARGET.replace("1633", "1009").replace("CD19", "BCMA"),
            "obsolete-identifier",
            "HGNC:1009 (BCMA) is obsolete",
            "HGNC:11913",
        ),
        (
            SOURCE + TARGET.replace("1633", "99999999"),
            "unknown-identifier",
            "not in the reference table",
            "HGNC:1633 CD19",
        ),
        (SOURCE + TARGET.replace(" .", ' ; kg:hgnc "1633" .'), "derived-field", "do not write it", ""),
        (SOURCE, "unused-source", "cited by nothing", ""),
    ],
)
def test_each_mistake_is_named_with_what_to_do(
    problems: Callable[[str], list[Diagnostic]], text: str, code: str, said: str, hint: str
) -> None:
    found = [d for d in problems(text) if d.code == code]
    assert found, problems(text)
    assert [d for d in found if said in d.message and hint in d.hint and d.line], found


def test_all_problems_come_in_one_run_in_order(problems: Callable[[str], list[Diagnostic]]) -> None:
    found = problems(
        claim("therapy:a", "kg:nope", "therapy:b") + SOURCE + claim("therapy:c", "kg:targets", "therapy:d")
    )
    assert {d.code for d in found} >= {"unknown-relation", "undefined-entity"}
    assert [d.line for d in found] == sorted(d.line or 0 for d in found)


def test_the_place_is_that_of_the_statement(problems: Callable[[str], list[Diagnostic]]) -> None:
    lines = HEAD.count("\n")
    (found,) = (
        d
        for d in problems("\n\n" + GOOD + "\n  " + claim("therapy:x", "kg:nope", "HGNC:1633"))
        if d.code == "unknown-relation"
    )
    assert (found.source, found.line, found.column) == ("t.ttl", lines + 2 + 3 + 1 + 1, 3)
