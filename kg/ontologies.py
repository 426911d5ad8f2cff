"""Building identifier tables from ontologies: OBO, OWL (RDF/XML, Turtle) and tab-separated tables.

Only identifiers, labels and replacements go into a table, with the ontology's version and licence.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import RdfFormat, parse
from rapidfuzz import process
from rdflib.namespace import DCTERMS, OWL, RDF, RDFS

from kg.errors import BadInput

ENDINGS = (".obo", ".owl", ".ttl", ".tsv")
REPLACED_BY = "http://purl.obolibrary.org/obo/IAO_0100001"
_OBO_IRI = re.compile(r"http://purl\.obolibrary\.org/obo/([A-Za-z]+)_(\w+)")
NEAR = 90  # similarity in per cent from which a label counts as near another
PER_LABEL = 3  # near labels kept for each wanted one


@dataclass(frozen=True, slots=True)
class Entry:
    """One identifier of an ontology."""

    id: str
    label: str
    obsolete: bool = False
    replaced_by: str = ""
    parents: tuple[str, ...] = ()


@dataclass
class Ontology:
    """The identifiers of one prefix, where they come from and under which licence."""

    prefix: str
    version: str
    licence: str
    entries: list[Entry] = field(default_factory=list)
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a tab-separated table without a header of its own becomes an ontology: version, licence, columns."""

    prefix: str
    file: str
    version: str
    licence: str
    label: str = "label"
    obsolete: Callable[[dict[str, str]], bool] = lambda row: row.get("obsolete") == "true"
    partial: bool = False


RECIPES = (
    Recipe("MONDO", "mondo.tsv", "v2026-05-05", "CC BY 4.0, Mondo Disease Ontology"),
    Recipe("CL", "cl.tsv", "v2026-03-26", "CC BY 4.0, Cell Ontology"),
    Recipe("HP", "hp.tsv", "2025-11-24", "HPO licence (free use, unaltered), Human Phenotype Ontology"),
    Recipe("DOID", "doid.tsv", "2026-08-19", "CC0, Human Disease Ontology"),
    Recipe("NCIT", "ncit_partial.tsv", "2018-06", "CC BY 4.0, NCI Thesaurus (disease branch)", partial=True),
    Recipe("MAXO", "maxo.tsv", "2024-07-29", "CC BY 4.0, Medical Action Ontology"),
    Recipe(
        "HGNC",
        "hgnc.tsv",
        "2024-07",
        "CC0, HUGO Gene Nomenclature Committee",
        "symbol",
        lambda row: row["status"] != "Approved",
    ),
    Recipe("ECO", "eco.tsv", "2024-07-19", "CC0, Evidence and Conclusion Ontology"),
)


def build(folder: Path, only: Collection[str] | None = None) -> str:
    """Return the text of a table file made from the ontologies in a folder.

    ``only`` names CURIEs; where given, just they, their parents, children, predecessors and the terms
    with nearly the same label go in, and the tables are marked as partial. Raises BadInput where the
    folder holds no ontology that can be read.
    """
    ontologies = read_ontologies(folder)
    out = ["# Identifier tables for `kg check`, made by `kg reference build`; identifiers and labels only.\n"]
    out.append("# Each stays under its own licence, named here with its prefix.\n")
    bodies: list[str] = []
    for ontology in ontologies:
        entries = ontology.entries if only is None else _neighbourhood(ontology.entries, set(only))
        if not entries:
            continue
        extent = "partial" if only is not None or ontology.partial else "complete"
        out.append(f"#prefix\t{ontology.prefix}\t{ontology.version}\t{ontology.licence}\t{extent}\n")
        bodies += [_line(entry) for entry in entries]
    return "".join([*out, "id\tlabel\tstatus\treplaced_by\n", *sorted(set(bodies))])


def _line(entry: Entry) -> str:
    status = "obsolete" if entry.obsolete else "current"
    return f"{entry.id}\t{' '.join(entry.label.split())}\t{status}\t{entry.replaced_by}\n"


def _neighbourhood(entries: list[Entry], only: set[str]) -> list[Entry]:
    """Return the wanted entries with their parents, children, predecessors and near namesakes."""
    wanted = [entry for entry in entries if entry.id in only]
    ids = {entry.id for entry in wanted}
    near = {parent for entry in wanted for parent in entry.parents} | _namesakes(wanted, entries)
    return [
        entry
        for entry in entries
        if entry.id in ids or entry.id in near or not ids.isdisjoint(entry.parents) or entry.replaced_by in ids
    ]


def _namesakes(wanted: Iterable[Entry], entries: Iterable[Entry]) -> set[str]:
    labels = {entry.label: entry.id for entry in entries if not entry.obsolete}
    names = list(labels)
    found: set[str] = set()
    for entry in wanted:
        for name, *_ in process.extract(entry.label, names, limit=PER_LABEL, score_cutoff=NEAR):
            found.add(labels[name])
    return found


# ---------------------------------------------------------------- reading
def read_ontologies(folder: Path) -> list[Ontology]:
    """Return the ontologies of a folder: known tables, OBO and OWL files, gzipped or not."""
    found: list[Ontology] = []
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in files:
        name = file.name.removesuffix(".gz")
        recipe = next((recipe for recipe in RECIPES if recipe.file == name), None)
        if recipe:
            found.append(_table(file, recipe))
        elif name.endswith(".obo"):
            found.append(read_obo(_text(file), file.name))
        elif name.endswith((".owl", ".ttl")):
            found.append(read_owl(_text(file), RdfFormat.RDF_XML if name.endswith(".owl") else RdfFormat.TURTLE, name))
    if not found:
        known = ", ".join(recipe.file for recipe in RECIPES)
        raise BadInput(
            f"{folder} holds no ontology: no *.obo, *.owl or *.ttl, and none of the tables {known} (or .gz)."
        )
    order = [recipe.prefix for recipe in RECIPES]
    return sorted(found, key=lambda o: (order.index(o.prefix) if o.prefix in order else len(order), o.prefix))


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def _table(path: Path, recipe: Recipe) -> Ontology:
    ontology = Ontology(recipe.prefix, recipe.version, recipe.licence, partial=recipe.partial)
    for row in csv.DictReader(_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        parents = tuple(filter(None, (row.get("parents") or "").split("|")))
        replaced = row.get("replaced_by") or ""
        ontology.entries.append(Entry(row["id"], row[recipe.label], recipe.obsolete(row), replaced, parents))
    return ontology


def read_obo(text: str, name: str) -> Ontology:
    """Return the terms of an OBO file; those of other ontologies that it imports are left out."""
    stanzas = [dict_of(lines) for lines in _stanzas(text)]
    header, terms = stanzas[0], [s for s in stanzas[1:] if s.get("[]") == ["Term"] and "id" in s]
    prefix = _own_prefix((header.get("ontology", [""])[0]).upper(), (term["id"][0] for term in terms), name)
    licences = [v.split(None, 1)[1] for v in header.get("property_value", []) if "license" in v.split(None, 1)[0]]
    ontology = Ontology(prefix, _version(header.get("data-version", ["unknown"])[0]), _licence(licences, name))
    for term in terms:
        if term["id"][0].startswith(prefix + ":"):
            replaced = term.get("replaced_by", [""])[0].split(" ")[0]
            parents = tuple(value.split(" ")[0] for value in term.get("is_a", []))
            label = term.get("name", [term["id"][0]])[0]
            obsolete = term.get("is_obsolete") == ["true"]
            ontology.entries.append(Entry(term["id"][0], label, obsolete, replaced, parents))
            ontology.entries += [Entry(alt, label, True, term["id"][0]) for alt in term.get("alt_id", [])]
    return ontology


def _stanzas(text: str) -> Iterator[list[str]]:
    stanza: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            yield stanza
            stanza = [f"[]: {line.strip()[1:-1]}"]
        elif line and not line.startswith("!"):
            stanza.append(line)
    yield stanza


def dict_of(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return the tag-value pairs of an OBO stanza, without trailing comments."""
    values: dict[str, list[str]] = {}
    for line in lines:
        tag, _, value = line.partition(": ")
        values.setdefault(tag, []).append(value.split(" ! ")[0].strip())
    return values


def read_owl(text: str, format_: RdfFormat, name: str) -> Ontology:
    """Return the classes of an OWL file whose identifiers are OBO IRIs of its own prefix."""
    facts: dict[str, dict[str, list[str]]] = {}
    try:
        for quad in parse(text.encode(), format=format_):
            about = facts.setdefault(str(getattr(quad.subject, "value", "")), {})
            about.setdefault(quad.predicate.value, []).append(str(getattr(quad.object, "value", "")))
    except SyntaxError as error:
        raise BadInput(f"{name} cannot be read: {error}") from error
    classes = {iri: f for iri, f in facts.items() if str(OWL.Class) in f.get(str(RDF.type), ()) and _curie(iri)}
    header = next((f for f in facts.values() if str(OWL.Ontology) in f.get(str(RDF.type), ())), {})
    stem = name.split(".")[0].upper()
    prefix = _own_prefix(stem, (_curie(iri) for iri in classes), name)
    version = [*header.get(str(OWL.versionInfo), ()), *header.get(str(OWL.versionIRI), ()), "unknown"][0]
    ontology = Ontology(prefix, _version(version), _licence(header.get(str(DCTERMS.license), []), name))
    for iri, about in classes.items():
        curie = _curie(iri)
        if curie.startswith(prefix + ":"):
            parents = tuple(filter(None, map(_curie, about.get(str(RDFS.subClassOf), ()))))
            replaced = (about.get(REPLACED_BY) or [""])[0]
            label = (about.get(str(RDFS.label)) or [curie])[0]
            obsolete = "true" in about.get(str(OWL.deprecated), ())
            ontology.entries.append(Entry(curie, label, obsolete, _curie(replaced) or replaced, parents))
    return ontology


def _curie(iri: str) -> str:
    match = _OBO_IRI.fullmatch(iri)
    return f"{match[1]}:{match[2]}" if match else ""


def _own_prefix(stated: str, ids: Iterable[str], name: str) -> str:
    counts = Counter(id_.partition(":")[0] for id_ in ids if ":" in id_)
    if not counts:
        raise BadInput(f"{name} holds no identifiers such as MONDO:0007915.")
    return stated if stated in counts else counts.most_common(1)[0][0]


def _version(text: str) -> str:
    found = re.search(r"v?\d{4}-\d{2}(-\d{2})?", text)
    return found[0] if found else text


def _licence(stated: list[str], name: str) -> str:
    return stated[0].strip('"').split('" ')[0] if stated else f"licence not stated in {name}"
