"""Graphs written down in a few lines, for tests that need to know every edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kg import Model, Snapshot, load_model
from kg.dates import last_day
from kg.projection import Claim, EntitySpec, Projection
from kg.reading import assertion_iri
from kg.records import Evidence, Source, Study
from kg.snapshot import Version

NODE = "https://cartograph.example/node/"
PREFIXES = """@prefix kg: <https://cartograph.example/vocab/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
<https://cartograph.example/schema/small> a owl:Ontology ; rdfs:label "small" ; kg:predicts kg:PREDICTED .
kg:Sure a kg:EvidenceLevel ; sh:order 1 ; skos:notation "SURE" ; kg:strength 1.0 ; rdfs:comment "Sure." .
kg:Half a kg:EvidenceLevel ; sh:order 2 ; skos:notation "HALF" ; kg:strength 0.5 ; rdfs:comment "Half." .
"""


@dataclass(frozen=True)
class Said:
    """One piece of evidence of an edge, in short."""

    level: str = ""
    date: str = "2020-01-01"
    direction: str = "SUPPORTS"
    source: str = "paper"
    study: str | None = None
    count: int | None = None
    total: int | None = None


def small_model(folder: Path, relations: Iterable[str], predicts: str) -> Model:
    """Return the model of relations such as ``A likes B``; with ``A -likes- A`` the relation is symmetric."""
    rows, kinds = [], set()
    for row in relations:
        source, name, target = row.split()
        symmetric = name.startswith("-")
        name = name.strip("-")
        kinds |= {source, target}
        rows.append(
            f"kg:{name} a kg:Relation{', owl:SymmetricProperty' * symmetric} ; owl:inverseOf kg:{name}Back ; "
            f'rdfs:domain kg:{source} ; rdfs:range kg:{target} ; kg:phrase "{name}" ; rdfs:comment "{name}." .'
        )
    rows += [f'kg:{kind} a kg:Kind ; kg:plural "{kind.lower()}s" ; rdfs:comment "{kind}." .' for kind in sorted(kinds)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.ttl").write_text(PREFIXES.replace("PREDICTED", predicts) + "\n".join(rows))
    return load_model(folder)


def small_graph(
    model: Model,
    entities: Mapping[str, str | Mapping[str, Mapping[str, object]]],
    edges: Mapping[str, Sequence[Said]] | Iterable[str],
) -> Snapshot:
    """Return the graph of edges such as ``a likes b``; entities are names by kind, or names with their fields."""
    specs = [spec for kind, names in entities.items() for spec in _specs(model, kind, names)]
    rows = edges if isinstance(edges, Mapping) else dict.fromkeys(edges, ())
    sources: dict[str, Source] = {}
    studies: dict[str, Study] = {}
    claims = [_claim(model, row, said or (Said(),), sources, studies) for row, said in rows.items()]
    claims.sort(key=lambda claim: (claim.subject, claim.relation, claim.object))
    return Snapshot(model, Projection(tuple(specs), tuple(claims), sources, studies), Version(0, "memory"))


def _specs(model: Model, kind: str, names: str | Mapping[str, Mapping[str, object]]) -> Iterable[EntitySpec]:
    fields = {f.attribute: () if f.many else None for f in model.kind[kind].fields}
    given = {name: {} for name in names.split()} if isinstance(names, str) else names
    for name, values in given.items():
        plain = {"description": None, "url": None, "synonyms": (), "xrefs": (), "broad_matches": (), "sources": ()}
        yield EntitySpec(
            kind, {**plain, **fields, "iri": f"{NODE}{name}", "curie": _curie(model, name), "label": name, **values}
        )


def _curie(model: Model, name: str) -> str:
    return model.prefixes.curie(f"{NODE}{name}")


def _claim(
    model: Model, row: str, said: Sequence[Said], sources: dict[str, Source], studies: dict[str, Study]
) -> Claim:
    subject, relation, object_ = row.split()
    ends = [f"{NODE}{name}" for name in (subject, object_)]
    iri = assertion_iri(ends[0], model.relation[relation].iri, ends[1])
    evidence = []
    for number, item in enumerate(said):
        source = sources.setdefault(item.source, Source(item.source, item.source, "DATABASE", item.source, item.source))
        study = studies.setdefault(item.study, Study(item.study, item.study, item.study)) if item.study else None
        level = model.level[item.level] if item.level else model.levels[0]
        evidence.append(
            Evidence(
                f"{row}/{number}", source, level, item.direction, item.date, study, count=item.count, total=item.total
            )
        )
    evidence.sort(key=lambda item: last_day(item.date), reverse=True)
    return Claim(
        model.prefixes.curie(iri), iri, _curie(model, subject), relation, _curie(model, object_), tuple(evidence)
    )
