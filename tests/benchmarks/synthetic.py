"""Made-up graphs of any size in the real schema, as valid Turtle; every identifier and source says it is synthetic.

``python -m tests.benchmarks.synthetic FOLDER --assertions 10000`` writes one.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIXES = """# Synthetic data for benchmarks. Nothing here is a fact; every source is made up (example.org).
@prefix kg: <https://cartograph.example/vocab/> .
@prefix therapy: <https://cartograph.example/therapy/> .
@prefix target: <https://cartograph.example/target/> .
@prefix cell: <https://cartograph.example/cell/> .
@prefix disease: <https://cartograph.example/disease/> .
@prefix source: <https://example.org/synthetic/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
LEVELS = ("SingleArmTrial", "CohortStudy", "CaseSeries", "Review", "Mechanistic", "Preclinical", "CaseReport")
MODALITIES = ("CarT", "CarNk", "BispecificAntibody", "MonoclonalAntibody", "SmallMolecule")
PLATFORMS = ("Autologous", "Allogeneic", "InVivo")
LINEAGES = ("BLineage", "TLineage", "NkLineage", "MyeloidLineage")
RELATIONS = (
    ("targets", "therapy", "target"),
    ("depletes", "therapy", "cell"),
    ("investigatedFor", "therapy", "disease"),
    ("expressedOn", "target", "cell"),
    ("drives", "cell", "disease"),
)
ASSERTIONS_PER_ENTITY = 5
PER_FILE = 2_000
SEED = 20261123


@dataclass(frozen=True)
class Sizes:
    """How many entities of each kind there are."""

    therapy: int
    target: int
    cell: int
    disease: int
    sources: int

    @classmethod
    def of(cls, assertions: int) -> Sizes:
        """Return sizes that fit a number of assertions, in about the proportions of the real graph."""
        entities = max(40, assertions // ASSERTIONS_PER_ENTITY)
        third, sixth = entities // 3, entities // 6
        return cls(third, sixth, sixth, entities - third - 2 * sixth, max(20, assertions // 10))


def write(folder: Path, assertions: int) -> Path:
    """Write the seed files of a graph with this many assertions and return the folder; the same every time."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes, rng = Sizes.of(assertions), random.Random(SEED)
    (folder / "sources.ttl").write_text(PREFIXES + "".join(_sources(sizes)), encoding="utf-8")
    (folder / "entities.ttl").write_text(PREFIXES + "".join(_entities(sizes, rng)), encoding="utf-8")
    claims = list(_claims(sizes, rng, assertions))
    for number, start in enumerate(range(0, len(claims), PER_FILE)):
        text = PREFIXES + "".join(claims[start : start + PER_FILE])
        (folder / f"assertions-{number:03}.ttl").write_text(text, encoding="utf-8")
    return folder


def name(kind: str, number: int) -> str:
    """Return the CURIE of a synthetic entity."""
    return f"{kind}:bench-{number:05}"


def _sources(sizes: Sizes) -> Iterator[str]:
    for number in range(sizes.sources):
        yield (
            f'source:s{number:05} a kg:Source ; kg:sourceKind kg:JournalArticle ; dcterms:date "{2000 + number % 26}"^^xsd:gYear ;\n'
            f'  dcterms:bibliographicCitation "Synthetic source {number:05} (benchmark, not a publication)" .\n'
        )


def _entities(sizes: Sizes, rng: random.Random) -> Iterator[str]:
    for number in range(sizes.therapy):
        yield _entity(
            "therapy",
            "Therapy",
            number,
            f"kg:granularity kg:Product ; kg:modality kg:{rng.choice(MODALITIES)} ; kg:platform kg:{rng.choice(PLATFORMS)}"
            f' ; kg:sponsor "Synthetic sponsor {number % 50}"',
        )
    for number in range(sizes.target):
        yield _entity("target", "Target", number, f'kg:symbol "BENCH{number}"')
    for number in range(sizes.cell):
        yield _entity("cell", "CellPopulation", number, f"kg:lineage kg:{rng.choice(LINEAGES)}")
    for number in range(sizes.disease):
        yield _entity("disease", "Disease", number, "kg:area kg:Autoimmune ; kg:organSystem kg:MultiSystem")


def _entity(kind: str, class_: str, number: int, fields: str) -> str:
    return (
        f'{name(kind, number)} a kg:{class_} ; rdfs:label "synthetic {kind} {number:05}" ;\n'
        f'  dcterms:description "Made up for benchmarks: {kind} number {number}." ; {fields} .\n'
    )


def _claims(sizes: Sizes, rng: random.Random, count: int) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    while len(seen) < count:
        relation, subject, object_ = RELATIONS[len(seen) % len(RELATIONS)]
        claim = (name(subject, _any(sizes, subject, rng)), relation, name(object_, _any(sizes, object_, rng)))
        if claim not in seen:
            seen.add(claim)
            yield _claim(claim, sizes, rng)


def _any(sizes: Sizes, kind: str, rng: random.Random) -> int:
    return rng.randrange(getattr(sizes, kind))


def _claim(claim: tuple[str, str, str], sizes: Sizes, rng: random.Random) -> str:
    subject, relation, object_ = claim
    days = rng.sample(range(1, 29), rng.choice((1, 1, 2, 3)))  # distinct, so that the order by date is total
    evidence = " ,\n    ".join(_evidence(day, place, sizes, rng) for place, day in enumerate(days))
    return (
        f"[] a kg:Assertion ; rdf:subject {subject} ; rdf:predicate kg:{relation} ; rdf:object {object_} ;\n"
        f"  kg:evidence {evidence} .\n"
    )


def _evidence(day: int, place: int, sizes: Sizes, rng: random.Random) -> str:
    direction = "Contradicts" if place and rng.random() < 0.2 else "Supports"
    return (
        f"[ dcterms:source source:s{rng.randrange(sizes.sources):05} ; kg:level kg:{rng.choice(LEVELS)} ; kg:direction kg:{direction} ;"
        f' dcterms:date "2025-{rng.randrange(1, 13):02}-{day:02}"^^xsd:date ; kg:sampleSize {rng.randrange(5, 200)} ]'
    )


def main() -> None:
    """Write one graph, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--assertions", type=int, default=4_000)
    given = parser.parse_args()
    print(write(given.folder, given.assertions))


if __name__ == "__main__":
    main()
