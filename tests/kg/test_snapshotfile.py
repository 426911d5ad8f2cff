"""A snapshot comes back from its files as it was written, or not at all."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg import Graph, Model, PathConstraints, Snapshot, load_model, open_service
from kg.errors import StoreDamaged
from kg.published import Follower
from kg.reading import name_nodes, read_text
from kg.snapshotfile import ABOUT, open_snapshot, schema_mark, write_snapshot
from tests.benchmarks.hetionet.importer import SCHEMA
from tests.conftest import TINY
from tests.kg.test_advance import told

THERAPY = """@prefix kg: <https://cartograph.example/vocab/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<https://cartograph.example/therapy/new> a kg:Therapy ; rdfs:label "{label}" ; kg:granularity kg:Product ; kg:modality kg:CarT ."""


def files_in(folder: Path) -> Any:
    """Return the sizes and checksums of the files of a snapshot, as its folder says them."""
    return json.loads((folder / ABOUT).read_text())["files"]


@pytest.fixture
def written(seed_graph: Snapshot, tmp_path: Path) -> Path:
    write_snapshot(seed_graph, tmp_path / "1")
    return tmp_path / "1"


def test_everything_comes_back(seed_graph: Snapshot, written: Path, model: Model) -> None:
    """Records of every kind, their structures, evidence, and what searches find."""
    graph, _ = open_snapshot(written, model, Graph, verify=True)
    assert told(graph.columns) == told(seed_graph.columns)
    assert graph.version.tag == seed_graph.version.tag
    assert {type(e).__name__ for e in graph.entities.values()} == {kind.name for kind in model.kinds}
    for entity in seed_graph.entities.values():
        fields = [f.attribute for f in model.kind[entity.kind].fields]
        assert [_plain(getattr(graph.entity(entity.curie), f)) for f in fields] == [
            _plain(getattr(entity, f)) for f in fields
        ]
    where = PathConstraints(max_length=3)
    paths = [g.paths("HGNC:1633", "MONDO:0007915", where=where).paths for g in (graph, seed_graph)]  # type: ignore[attr-defined]
    assert [p.text for p in paths[0]] == [p.text for p in paths[1]]


def _plain(value: object) -> str:
    """Records of two graphs differ as objects, not in what they show."""
    if isinstance(value, tuple):
        return str([_plain(item) for item in value])
    slots = getattr(type(value), "__slots__", ())
    return (
        str([_plain(getattr(value, s)) for s in slots if s != "graph"])
        if slots and not hasattr(value, "curie")
        else str(value)
    )


def test_columns_are_mapped_not_read(written: Path, model: Model) -> None:
    """So that processes share them."""
    columns = open_snapshot(written, model, Graph)[0].columns
    base: Any = columns.names
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, memoryview)
    assert isinstance(base.obj, mmap.mmap)
    assert not columns.confidences.flags.writeable


def test_what_is_not_whole_is_refused(written: Path, model: Model) -> None:
    """A part that is missing or short at once, a changed byte where one asks."""
    file = written / "confidences.rows"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreDamaged, match=r"confidences\.rows was damaged"):
        open_snapshot(written, model, Graph, verify=True)
    file.write_bytes(whole[:-8])
    with pytest.raises(StoreDamaged, match="not whole"):
        open_snapshot(written, model, Graph)
    file.write_bytes(whole)
    rows = written / "names.rows"
    names = rows.read_bytes()
    rows.write_bytes(names[:-1] + bytes([names[-1] ^ 1]))
    with pytest.raises(StoreDamaged, match=r"names\.rows was damaged"):
        open_snapshot(written, model, Graph, verify=True)
    rows.write_bytes(names[:-1])
    with pytest.raises(StoreDamaged, match="not whole"):
        open_snapshot(written, model, Graph)
    rows.write_bytes(names + b"what another snapshot has more")
    assert open_snapshot(written, model, Graph, verify=True)
    file.unlink()
    with pytest.raises(StoreDamaged, match="no whole snapshot"):
        open_snapshot(written, model, Graph)
    (written / ABOUT).write_text("{}")
    with pytest.raises(StoreDamaged):
        open_snapshot(written, model, Graph)
    (written / ABOUT).unlink()
    with pytest.raises(StoreDamaged):
        open_snapshot(written, model, Graph)


def test_another_schema_or_release_is_refused(written: Path, model: Model) -> None:
    """Its numbers would mean other relations."""
    with pytest.raises(StoreDamaged, match="another schema"):
        open_snapshot(written, load_model(SCHEMA), Graph)
    about = json.loads((written / ABOUT).read_text())
    (written / ABOUT).write_text(json.dumps({**about, "format": 0}))
    with pytest.raises(StoreDamaged, match="another release"):
        open_snapshot(written, model, Graph)


def test_the_mark_of_a_schema_is_the_same_in_every_process(model: Model) -> None:
    """Or nobody could open what another wrote."""
    command = "from kg import load_model; from kg.snapshotfile import schema_mark; print(schema_mark(load_model()))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", command], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        assert done.stdout.decode().strip() == schema_mark(model)


def test_what_the_last_one_had_is_not_made_again(model: Model, tmp_path: Path) -> None:
    """A change of one entity among many leaves the others, whether it comes, goes or is renamed."""
    (tmp_path / "seeds").mkdir()
    shutil.copy(TINY / "tiny.ttl", tmp_path / "seeds")
    service = open_service(tmp_path / "data", seeds=tmp_path / "seeds", publish="all")
    follower = Follower(tmp_path / "data", model)
    for label in ("aaa", "mmm", "zzz", None):
        before = {spec.values["curie"]: spec for spec in follower.snapshot.columns.entities}
        stated = THERAPY.format(label=label) if label else ""
        service.load([name_nodes(read_text(stated.encode(), "ttl", "new.ttl"))], message="m")
        assert follower.look()
        after = {spec.values["curie"]: spec for spec in follower.snapshot.columns.entities}
        assert told(follower.snapshot.columns) == told(service.snapshot.columns)
        published = tmp_path / "data" / "snapshots"
        write_snapshot(service.snapshot, tmp_path / "anew" / str(label))
        newest = published / (published / "current").read_text()
        assert files_in(newest) == files_in(tmp_path / "anew" / str(label))
        assert ("therapy:new" in after) is bool(label)
        others = before.keys() & after.keys() - {"therapy:new"}
        assert others
        assert all(after[curie] is before[curie] for curie in others)
    service.close()


def test_columns_that_only_grow_are_one_file_for_all_snapshots(model: Model, tmp_path: Path) -> None:
    """Each goes as far as its own rows, whatever the next has written behind them, or began to write."""
    (tmp_path / "seeds").mkdir()
    shutil.copy(TINY / "tiny.ttl", tmp_path / "seeds")
    service = open_service(tmp_path / "data", seeds=tmp_path / "seeds")
    last, seen = None, []
    for n in range(4):
        service.load([name_nodes(read_text(CLAIM.format(n).encode(), "ttl", f"{n}.ttl"))], message="m")
        last = write_snapshot(service.snapshot, tmp_path / str(n), last)
        seen.append(told(service.snapshot.columns))
        if n == 2:
            with (tmp_path / "2" / "names.rows").open("ab") as file:
                file.write(b"never published")
    for n in range(4):
        graph, _ = open_snapshot(tmp_path / str(n), model, Graph, verify=True)
        assert told(graph.columns) == seen[n]
    names = {(tmp_path / str(n) / "names.rows").stat().st_ino for n in range(4)}
    assert len(names) < 4, "but where the room was full"
    service.close()


CLAIM = """@prefix kg: <https://cartograph.example/vocab/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix dcterms: <http://purl.org/dc/terms/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<https://cartograph.example/therapy/x{0}> a kg:Therapy ; rdfs:label "x{0}" ; kg:granularity kg:Product ; kg:modality kg:CarT .
[] a kg:Assertion ; rdf:subject <https://cartograph.example/therapy/x{0}> ; rdf:predicate kg:targets ;
  rdf:object <http://identifiers.org/hgnc/1633> ; kg:evidence [ dcterms:source <https://example.org/s> ;
  kg:level kg:CaseSeries ; kg:direction kg:Supports ; dcterms:date "2020"^^xsd:gYear ] .
<https://example.org/s> a kg:Source ; kg:sourceKind kg:JournalArticle ; dcterms:bibliographicCitation "S" ."""
