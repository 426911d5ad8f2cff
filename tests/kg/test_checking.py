"""A curator sees every problem at once, where it is and what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Triple

from kg import Model, shapes
from kg.checking import check
from kg.diagnostics import Diagnostic, excerpt, with_excerpts
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


# ---------------------------------------------------------------- what else a compiler would say
@pytest.mark.parametrize(
    ("extra", "code", "said"),
    [
        ("; kg:sampelSize 5", "unknown-field", "kg:sampelSize is no field of kg:Evidence"),
        ("; kg:confidence 1.5", "unknown-field", "kg:confidence is no field of kg:Evidence"),
        ("; kg:count 9 ; kg:sampleSize 3", "count-above-sample", "kg:sampleSize only 3"),
    ],
)
def test_what_would_be_lost_or_cannot_be_is_an_error(
    problems: Callable[[str], list[Diagnostic]], extra: str, code: str, said: str
) -> None:
    (found,) = problems(GOOD + claim("therapy:x", "kg:targets", "HGNC:1633", extra))
    assert (found.severity, found.code) == ("error", code)
    assert said in found.message


@pytest.mark.parametrize("date", ["2024-02-30", "2024-13-01"])
def test_a_day_that_never_was_is_an_error(problems: Callable[[str], list[Diagnostic]], date: str) -> None:
    found = problems(GOOD + claim("therapy:x", "kg:targets", "HGNC:1633").replace("2024-01-01", date))
    assert "impossible-date" in {d.code for d in found if d.severity == "error"}


def test_an_impossible_date_of_a_field_is_an_error(problems: Callable[[str], list[Diagnostic]]) -> None:
    text = 'CLINICALTRIALS:NCT00000001 a kg:Trial ; rdfs:label "T" ; kg:startDate "2024-02-30"^^xsd:date .'
    assert "impossible-date" in {d.code for d in problems(text)}


def test_an_end_of_the_wrong_sort_says_what_its_prefix_is_for(problems: Callable[[str], list[Diagnostic]]) -> None:
    (found,) = problems(GOOD + claim("therapy:x", "kg:targets", "MONDO:0007915"))
    assert "MONDO identifies a Disease or Risk; the relation wants Target" in found.hint


def test_an_obsolete_end_names_its_replacement(problems: Callable[[str], list[Diagnostic]]) -> None:
    (found,) = problems(GOOD + claim("therapy:x", "kg:targets", "HGNC:1009"))
    assert found.hint == "HGNC:1009 (BCMA) is obsolete; use HGNC:11913."


def test_an_obsolete_cross_reference_is_found(problems: Callable[[str], list[Diagnostic]]) -> None:
    (found,) = problems(
        SOURCE.replace("P", "P")
        + 'HGNC:1633 a kg:Target ; rdfs:label "CD19" ; skos:exactMatch HGNC:1009 ; dcterms:source <https://example.org/p> .'
    )
    assert (found.code, found.severity) == ("obsolete-identifier", "error")


@pytest.mark.parametrize(
    ("label", "twin"),
    [("alpha-cel", "Alpha cel"), ("mivocabtagene autoleucel", "mivocabtagene autoleucell")],
)
def test_almost_the_same_label_is_a_near_duplicate(
    problems: Callable[[str], list[Diagnostic]], label: str, twin: str
) -> None:
    text = THERAPY.replace('"x"', f'"{label}"') + THERAPY.replace("therapy:x", "therapy:y").replace('"x"', f'"{twin}"')
    assert [d.code for d in problems(text)] == ["near-duplicate", "near-duplicate"]


@pytest.mark.parametrize(
    ("label", "other"), [("CD19 CAR-T", "CD20 CAR-T"), ("CAR-T cell therapy", "CAAR-T cell therapy")]
)
def test_numbers_and_codes_tell_labels_apart(
    problems: Callable[[str], list[Diagnostic]], label: str, other: str
) -> None:
    text = THERAPY.replace('"x"', f'"{label}"') + THERAPY.replace("therapy:x", "therapy:y").replace('"x"', f'"{other}"')
    assert problems(text) == []


def test_a_claim_against_the_graph_is_a_warning(model: Model) -> None:
    held = name_nodes(read_text((HEAD + GOOD + claim("therapy:x", "kg:targets", "HGNC:1633")).encode(), "ttl", "h.ttl"))
    against = claim("therapy:x", "kg:targets", "HGNC:1633").replace("kg:Supports", "kg:Contradicts")
    new = name_nodes(read_text((HEAD + against).encode(), "ttl", "n.ttl"))
    (found,) = check([new], model, context=held.triples)
    assert (found.severity, found.code) == ("warning", "contradiction")
    assert "what the graph holds already supports it" in found.message
    assert check([held, new], model) == [], "within one set of files doubt is recorded on purpose"


def test_one_weak_source_is_said_only_on_request(model: Model) -> None:
    text = GOOD + claim("therapy:x", "kg:targets", "HGNC:1633").replace("kg:CaseSeries", "kg:NewsReport")
    document = name_nodes(read_text((HEAD + text).encode(), "ttl", "t.ttl"))
    assert check([document], model) == []
    assert [d.code for d in check([document], model, pedantic=True)] == ["single-weak-source"]


def test_syntax_errors_come_with_all_others_and_hide_what_they_may_explain(model: Model) -> None:
    broken = read_text(
        (HEAD + "therapy:x a kg:Therapy ; rdfs:label .\n" + TARGET).encode(), "ttl", "a.ttl", recover=True
    )
    other = claim("therapy:x", "kg:targets", "HGNC:1633") + "therapy:z a kg:Terapy .\n"
    fine = name_nodes(read_text((HEAD + SOURCE + other).encode(), "ttl", "b.ttl"))
    found = check([name_nodes(broken), fine], model, REFERENCE)
    assert [(d.source, d.code) for d in found] == [("a.ttl", "syntax"), ("b.ttl", "unknown-kind")]


def test_evidence_has_its_own_place(problems: Callable[[str], list[Diagnostic]]) -> None:
    text = claim("therapy:x", "kg:targets", "HGNC:1633").replace("; kg:evidence [", ";\n  kg:evidence\n    [")
    (found,) = problems(GOOD + text.replace("kg:direction kg:Supports ;", ""))[:1]
    assert found.code == "shape-MinCount"
    assert (found.line, found.column) == (HEAD.count("\n") + 3 + 3, 5)


def test_an_excerpt_points_a_caret_at_the_column() -> None:
    document = read_text(b"\t  x y\n" + b"a" * 300 + b" b", "ttl", "t.ttl", recover=True)
    near = excerpt(Diagnostic("error", "c", "m", "t.ttl", 1, 4), document)
    assert (near.line, near.caret) == ("\t  x y", "\t  ^")
    far = excerpt(Diagnostic("error", "c", "m", "t.ttl", 2, 302), document)
    assert far.line[len(far.caret) - 1] == "b"
    assert len(far.line) <= 160
    assert not excerpt(Diagnostic("error", "c", "m", "t.ttl"), document)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_shapes_find_the_same_part_by_part(model: Model, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    """What is wrong with a damaged file does not depend on how much of it is validated at a time."""
    good = name_nodes(read_text((TINY / "tiny.ttl").read_bytes(), "ttl", "tiny.ttl"))
    count = len(good.triples)
    places = st.integers(0, count - 1)
    dropped = data.draw(st.sets(places, max_size=count // 5))
    moved = data.draw(st.dictionaries(places, places, max_size=count // 5))
    damaged = [
        Triple(t.subject, t.predicate, good.triples[moved[n]].object if n in moved else t.object)
        for n, t in enumerate(good.triples)
        if n not in dropped
    ]
    cut = data.draw(st.integers(0, len(damaged)))
    documents = [replace(good, triples=damaged[:cut]), replace(good, name="b.ttl", triples=damaged[cut:])]
    context = good.triples if data.draw(st.booleans()) else []
    found = []
    for size in (10**6, 1, 7):
        monkeypatch.setattr(shapes, "PART", size)
        found.append(check(documents, model, REFERENCE, context, date(2026, 1, 1)))
    assert found[0] == found[1] == found[2]
    with monkeypatch.context() as patch:
        whole = shapes._SchemaSeen([shapes._schema_ntriples(model).decode()], {})
        patch.setattr(shapes, "_schema_seen", lambda _: whole)
        assert check(documents, model, REFERENCE, context, date(2026, 1, 1)) == found[0], "all of the schema is seen"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_shapes_find_the_same_where_only_one_of_those_alike_is_validated(
    model: Model, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """Many claims with evidence that says the same, in two files, of which some lines were lost, moved or written twice."""
    kept = st.lists(st.sampled_from(ALIKE), min_size=20, max_size=40)
    documents = [name_nodes(read_text((HEAD + "".join(data.draw(kept))).encode(), "ttl", name)) for name in "ab"]
    lost = data.draw(st.sets(st.integers(0, 300)))
    documents[0] = replace(documents[0], triples=[t for n, t in enumerate(documents[0].triples) if n not in lost])
    assert shapes._sight(model)
    assert shapes._schema_seen(model).near
    one = check(documents, model, REFERENCE, today=date(2026, 1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(shapes, "_sight", lambda _: None)
        assert one == check(documents, model, REFERENCE, today=date(2026, 1, 1))


ALIKE = [
    *GOOD.splitlines(keepends=True),
    'HGNC:5 a kg:Target ; rdfs:label "A1BG" .\n',
    '<https://example.org/q> a kg:Source ; kg:sourceKind kg:JournalArticle ; dcterms:bibliographicCitation "Q" .\n',
    'kg:CaseSeries dcterms:source "https://example.org/p" .\n',
    *(
        f'[] a kg:Assertion ; rdf:subject {s} ; rdf:predicate kg:targets ; rdf:object {o} ; kg:evidence {e} .\n'
        for s in ("therapy:x", "therapy:y", '"x"')
        for o in ("HGNC:1633", "HGNC:5", "HGNC:5, HGNC:1633")
        for e in (
            EVIDENCE.format(""),
            EVIDENCE.format("; kg:count 3 ; kg:total 4"),
            EVIDENCE.format("; kg:count 5 ; kg:total 4"),
            EVIDENCE.format("; kg:study <https://example.org/p>, 'none'"),
            EVIDENCE.format("").replace("/p>", "/q>"),
            EVIDENCE.format("").replace("/p>", "/r>"),
            "'https://example.org/p'",
            "<https://example.org/p>",
            "kg:CaseSeries",
        )
    ),
]  # fmt: skip


def test_of_many_claims_that_shapes_see_as_one_few_are_validated(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[int] = []
    whole = shapes.Shapes.surroundings
    monkeypatch.setattr(
        shapes.Shapes, "surroundings", lambda self, some: validated.append(len(some)) or whole(self, some)
    )
    targets = [f'HGNC:{n} a kg:Target ; rdfs:label "T{n}" .\n' for n in range(1, 40)]
    claims = [claim("therapy:x", "kg:targets", f"HGNC:{n}") for n in range(1, 40)]
    text = HEAD + SOURCE + THERAPY + "".join((*targets, *claims))
    assert not check([name_nodes(read_text(text.encode(), "ttl", "t.ttl"))], model)
    assert sum(validated) == len(targets) + len((SOURCE, THERAPY)) + len(("a claim", "its evidence"))


@pytest.mark.parametrize(
    "line",
    [
        'therapy:x kg:modality "LONG" .',
        'therapy:x kg:firstApproved "LONG"^^xsd:date .',
        "therapy:LONG a kg:Therapy .",
        '[] a kg:Assertion ; rdf:subject therapy:x ; rdf:predicate kg:LONG ; rdf:object "LONG" .',
        'therapy:x kg:modality "LONG',
    ],
)
def test_a_huge_value_is_told_of_in_a_few_lines(model: Model, line: str) -> None:
    document = read_text((HEAD + GOOD + line.replace("LONG", "y" * 1_000_000)).encode(), "ttl", "t.ttl", recover=True)
    found = check([name_nodes(document)], model, REFERENCE, today=date(2026, 1, 1))
    assert found
    shown = [str(d) + d.as_github() + str(d.as_dict()) + e.line for d, e in with_excerpts(found, [document])]
    assert max(map(len, shown)) < 8_000


def test_github_annotations_are_escaped() -> None:
    found = Diagnostic("warning", "a-code", "50% of\nit", "a,b:c.ttl", 3, 7, "Do that.")
    assert found.as_github() == "::warning file=a%2Cb%3Ac.ttl,line=3,col=7,title=a-code::50%25 of%0Ait Do that."
