"""Hetionet's TSV files as assertions with a source: as N-Triples that ``kg load`` reads, or straight as a snapshot.

Both ways give the same entities, assertions and evidence under the same identifiers. The files are read from
``../shared/data/hetionet`` (or ``$HETIONET``) and nothing of them is kept in this project: the network is CC0,
but each resource it was integrated from has its own licence.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from kg.model import Model, load_model
from kg.projection import Claim, EntitySpec, Projection
from kg.reading import assertion_iri
from kg.records import Evidence, Source
from kg.snapshot import Snapshot, Version
from kg.vocabulary import ASSERTION, EVIDENCE, KG

SCHEMA = Path(__file__).parent / "schema"
FILES = Path(os.environ.get("HETIONET", Path(__file__).parents[4] / "shared" / "data" / "hetionet"))
KINDS = ("Anatomy", "Compound", "Disease", "Gene")
RELATIONS = {
    "Compound_Treats_Disease": "treats",
    "Compound_Palliates_Disease": "palliates",
    "Compound_Binds_Gene": "binds",
    "Compound_Upregulates_Gene": "compoundUpregulates",
    "Compound_Downregulates_Gene": "compoundDownregulates",
    "Compound_Resembles_Compound": "compoundResembles",
    "Disease_Associates_Gene": "diseaseAssociates",
    "Disease_Upregulates_Gene": "diseaseUpregulates",
    "Disease_Downregulates_Gene": "diseaseDownregulates",
    "Disease_Localizes_Anatomy": "localizesTo",
    "Disease_Resembles_Disease": "diseaseResembles",
    "Anatomy_Upregulates_Gene": "anatomyUpregulates",
    "Anatomy_Downregulates_Gene": "anatomyDownregulates",
    "Gene_Interacts_Gene": "interactsWith",
    "Gene_Covaries_Gene": "covariesWith",
    "Gene_Regulates_Gene": "regulates",
}
NAMESPACES = {  # of the identifiers as Hetionet writes them: UBERON and DOID with their prefix, the others without
    "Anatomy": ("", "http://purl.obolibrary.org/obo/"),
    "Compound": ("DRUGBANK:", "http://identifiers.org/drugbank/"),
    "Disease": ("", "http://purl.obolibrary.org/obo/"),
    "Gene": ("NCBIGene:", "http://identifiers.org/ncbigene/"),
}
SEED = 20261125
YEAR = "2017"
SOURCE = "https://doi.org/10.7554/eLife.26726"
CITATION = (
    "Hetionet v1.0. Himmelstein et al. 2017. Systematic integration of biomedical knowledge prioritizes drugs for "
    "repurposing. eLife 6:e26726."
)
_XSD, _RDF = "http://www.w3.org/2001/XMLSchema#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS, _DCTERMS = "http://www.w3.org/2000/01/rdf-schema#", "http://purl.org/dc/terms/"


@dataclass(frozen=True, slots=True)
class Node:
    """One row of a node file."""

    kind: str
    curie: str
    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an edge file."""

    subject: Node
    relation: str
    object: Node

    @property
    def iri(self) -> str:
        """The assertion's IRI, as any file that makes this claim would name it."""
        return assertion_iri(self.subject.iri, str(KG._NS) + self.relation, self.object.iri)


def rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a compressed TSV file without its header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(lines)
        yield from lines


def nodes(files: Path = FILES) -> dict[str, dict[str, Node]]:
    """Return each kind's nodes by the identifier that Hetionet gives them."""
    return {
        kind: {row[0]: _node(kind, *row) for row in rows(files / "nodes" / f"{kind.lower()}.tsv.gz")} for kind in KINDS
    }


def _node(kind: str, identifier: str, label: str) -> Node:
    prefix, namespace = NAMESPACES[kind]
    local = identifier if prefix else identifier.replace(":", "_")
    return Node(kind, prefix + identifier, namespace + local, label)


def edges(files: Path = FILES, share: float = 1.0, only: Iterable[str] | None = None) -> Iterator[Row]:
    """Yield the edges, relation by relation; a share below 1 keeps that part of each, the same every time."""
    known, wanted = nodes(files), None if only is None else set(only)
    for name, relation in RELATIONS.items():
        if wanted is not None and relation not in wanted:
            continue
        subjects, _, objects = name.split("_")
        rng = random.Random(f"{SEED} {relation}")
        for subject, object_ in rows(files / "edges" / f"{name}.tsv.gz"):
            if share >= 1 or rng.random() < share:
                yield Row(known[subjects][subject], relation, known[objects][object_])


# ---------------------------------------------------------------- straight into memory
@cache
def hetionet_model() -> Model:
    """Return the model of Hetionet's schema folder."""
    return load_model(SCHEMA)


def projection(
    files: Path = FILES, share: float = 1.0, *, only: Iterable[str] | None = None, shared: bool = False
) -> Projection:
    """Return what ``kg.projection.project`` would make of the N-Triples, without them.

    With ``shared`` all assertions have one evidence record between them, which costs far less memory.
    """
    model = hetionet_model()
    one = evidence_of("hetionet", model)
    claims = []
    for row in edges(files, share, only):
        iri = row.iri
        digest = iri[len(ASSERTION) :]
        evidence = one if shared else evidence_of(digest, model)
        claims.append(Claim(f"assertion:{digest}", iri, row.subject.curie, row.relation, row.object.curie, (evidence,)))
    claims.sort(key=lambda claim: (claim.subject, claim.relation, claim.object))
    every = (node for of_kind in nodes(files).values() for node in of_kind.values())
    return Projection(tuple(specs(model, every)), tuple(claims), {SOURCE: _source_record()}, {})


@cache
def _source_record() -> Source:
    doi = "10.7554/eLife.26726"
    return Source(f"doi:{doi}", SOURCE, "DATABASE", CITATION, SOURCE, doi=doi, date=YEAR)


def evidence_of(digest: str, model: Model) -> Evidence:
    """Return the evidence of an assertion, which for all of Hetionet is Hetionet."""
    return Evidence(f"evidence:{digest}", _source_record(), model.levels[0], "SUPPORTS", YEAR)


def place(node: Node) -> tuple[str, str, str]:
    """Return what nodes are sorted by."""
    return node.kind, node.label.lower(), node.curie


def specs(model: Model, every: Iterable[Node]) -> Iterator[EntitySpec]:
    """Yield the nodes as entities, in the order of a snapshot."""
    for node in sorted(every, key=place):
        values = {
            "iri": node.iri,
            "curie": node.curie,
            "label": node.label,
            "synonyms": (),
            "description": None,
            "xrefs": (),
            "broad_matches": (),
            "url": model.prefixes.page(node.iri),
            "sources": (),
        }
        local = node.curie.partition(":")[2]
        yield EntitySpec(node.kind, values | {field.attribute: local for field in model.kind[node.kind].fields})


def snapshot(
    files: Path = FILES, share: float = 1.0, *, only: Iterable[str] | None = None, shared: bool = False
) -> Snapshot:
    """Return Hetionet as a snapshot, ready for queries."""
    made = projection(files, share, only=only, shared=shared)
    return Snapshot(hetionet_model(), made, Version(0, f"hetionet-{share:g}"))


# ---------------------------------------------------------------- as a file to load
def write(folder: Path, files: Path = FILES, share: float = 1.0) -> Path:
    """Write N-Triples, one file for each relation, that ``kg load --schema`` takes; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.nt").write_text("".join(_source()), encoding="utf-8")
    with (folder / "entities.nt").open("w", encoding="utf-8") as file:
        for of_kind in nodes(files).values():
            file.writelines(chain.from_iterable(map(_entity, of_kind.values())))
    for relation in RELATIONS.values():
        with (folder / f"{relation}.nt").open("w", encoding="utf-8") as file:
            for row in edges(files, share, [relation]):
                file.writelines(_assertion(row))
    return folder


def write_rows(path: Path, every: Iterable[Node], rows_: Iterable[Row]) -> None:
    """Write nodes and edges as one file of N-Triples."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(_source())
        file.writelines(chain.from_iterable(map(_entity, every)))
        file.writelines(chain.from_iterable(map(_assertion, rows_)))


def _entity(node: Node) -> Iterator[str]:
    yield _line(node.iri, _RDF + "type", _iri(str(KG._NS) + node.kind))
    yield _line(node.iri, _RDFS + "label", _text(node.label))


def _source() -> Iterator[str]:
    yield _line(SOURCE, _RDF + "type", _iri(str(KG.Source)))
    yield _line(SOURCE, str(KG.sourceKind), _iri(str(KG._NS) + "Database"))
    yield _line(SOURCE, _DCTERMS + "bibliographicCitation", _text(CITATION))
    yield _line(SOURCE, _DCTERMS + "date", f'"{YEAR}"^^<{_XSD}gYear>')
    yield _line(SOURCE, str(KG.doi), _text("10.7554/eLife.26726"))


def _assertion(row: Row) -> Iterator[str]:
    iri = row.iri
    evidence = EVIDENCE + iri[len(ASSERTION) :]
    yield _line(iri, _RDF + "type", _iri(str(KG.Assertion)))
    yield _line(iri, _RDF + "subject", _iri(row.subject.iri))
    yield _line(iri, _RDF + "predicate", _iri(str(KG._NS) + row.relation))
    yield _line(iri, _RDF + "object", _iri(row.object.iri))
    yield _line(iri, str(KG.evidence), _iri(evidence))
    yield _line(evidence, _DCTERMS + "source", _iri(SOURCE))
    yield _line(evidence, str(KG.level), _iri(str(KG._NS) + "IntegratedResource"))
    yield _line(evidence, str(KG.direction), _iri(str(KG.Supports)))
    yield _line(evidence, _DCTERMS + "date", f'"{YEAR}"^^<{_XSD}gYear>')


def _line(subject: str, predicate: str, object_: str) -> str:
    return f"<{subject}> <{predicate}> {object_} .\n"


def _iri(iri: str) -> str:
    return f"<{iri}>"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def fingerprint(graph: Snapshot) -> str:
    """Return a digest of all assertions and their evidence, to compare two ways of reading the same files."""
    facts = sorted(
        (a.id, a.subject.curie, a.relation, a.object.curie, *(e.id for e in a.evidence)) for a in graph.assertions
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
