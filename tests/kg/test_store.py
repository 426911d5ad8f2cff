"""Nothing acknowledged is lost, nothing half done is seen; tests/durability takes this further."""

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode
from rdflib import Dataset, URIRef
from rdflib.namespace import RDFS, XSD

from kg import load_model, open_graph, open_service
from kg.disk import read_head, sync_log, write_head
from kg.documents import Document
from kg.errors import (
    BadInput,
    CheckFailed,
    Conflict,
    LimitExceeded,
    NotFound,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
)
from kg.graph import GraphService, read_files, seed_changes, seeds_of
from kg.reading import name_nodes, read_text
from kg.store import Store
from tests.conftest import ROOT, TINY

HEAD = "@prefix x: <http://x/> .\n"


def doc(name: str, text: str) -> Document:
    return name_nodes(read_text((HEAD + text).encode(), "ttl", name))


def names(store: Store) -> set[str]:
    return {t.object.value for t in store.triples()}


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "data") as store:
        yield store


def load(store: Store, *documents: Document, **kw):
    return store.load(documents, message="test", author="me", **kw)


def test_each_load_is_one_version_and_loading_twice_is_none(store: Store) -> None:
    document = doc("a.ttl", 'x:a x:n "1.10"^^<http://www.w3.org/2001/XMLSchema#decimal> .')
    first = load(store, document)
    assert (first.version, first.added, store.version) == (1, 1, 1)
    assert load(store, document) is None
    assert store.version == 1


def test_numbers_whose_last_byte_is_255_are_looked_up_exactly(store: Store) -> None:
    """Oxigraph on disk also finds 256 to 511 for 255; a store of such numbers was called damaged."""
    load(store, doc("a.ttl", " ".join(f"x:{n} x:n {n} ." for n in range(250, 600))))
    for number in (255, 256, 511):
        (quad,) = store.pointing(Literal(str(number), datatype=NamedNode(str(XSD.integer))))
        assert quad.subject.value == f"http://x/{number}"
    store.verify()


def test_a_whole_file_goes_however_large_it_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    large = doc("large.ttl", " ".join(f'x:{n} x:n "{n}" .' for n in range(50)))
    load(store, large, doc("b.ttl", 'x:b x:n "kept" . x:0 x:n "0" .'))
    monkeypatch.setattr("kg.store.UPDATE_QUADS", 40)
    with pytest.raises(LimitExceeded):
        load(store, doc("large.ttl", 'x:0 x:n "0" .'))
    assert store.version == 1
    assert len(names(store)) == 51
    change = load(store, remove=["large.ttl"])
    assert (change.added, change.removed) == (0, 50)
    assert names(store) == {"kept", "0"}
    assert store.quads_at(1) >= set(store.delta(2).removed)
    store.verify()


def test_a_bulk_load_stands_where_the_disk_has_no_room_to_tidy_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied = 0

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def optimize(self) -> None:
            nonlocal tidied
            tidied += 1
            raise OSError(28, "No space left on device")

    inner = store._inner
    monkeypatch.setattr("kg.store.UPDATE_QUADS", 40)
    monkeypatch.setattr(store, "_inner", Full())
    assert load(store, doc("large.ttl", " ".join(f'x:{n} x:n "{n}" .' for n in range(50)))).version == 1
    assert load(store, doc("small.ttl", 'x:a x:n "more" .')).version == 2
    assert tidied == 1
    assert len(names(store)) == 51


def test_a_file_replaces_what_it_said_and_nothing_else(store: Store) -> None:
    load(store, doc("a.ttl", 'x:a x:n "old" . x:s x:n "shared" .'), doc("b.ttl", 'x:b x:n "kept" . x:s x:n "shared" .'))
    change = load(store, doc("a.ttl", 'x:a x:n "new" .'))
    assert (change.added, change.removed) == (1, 2)
    assert names(store) == {"new", "kept", "shared"}
    load(store, remove=["b.ttl"])
    assert names(store) == {"new"}
    assert set(store.sources()) == {"a.ttl"}


def test_history_tells_exactly_what_changed(store: Store) -> None:
    load(store, doc("a.ttl", 'x:a x:n "old\\n\\"quoted\\"" .'))
    load(store, doc("a.ttl", 'x:a x:n "new" .'))
    delta = store.delta(2)
    assert [q.object.value for q in delta.removed] == ['old\n"quoted"']
    assert [q.object.value for q in delta.added] == ["new"]
    assert [(c.version, c.author, c.message) for c in store.history()] == [(1, "me", "test"), (2, "me", "test")]
    with pytest.raises(NotFound, match="versions 1 to 2"):
        store.delta(3)


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        load(store, doc("a.ttl", 'x:a x:n "1" .'))
        before = (store.store_id, store.history(), store.sources())
    with Store(tmp_path) as store:
        assert (store.store_id, store.history(), store.sources()) == before


def test_the_store_is_an_rdflib_dataset(store: Store) -> None:
    load(store, doc("a.ttl", f'x:a <{RDFS.label}> "A" .'))
    assert isinstance(store.dataset, Dataset)
    assert [str(label) for label in store.dataset.objects(URIRef("http://x/a"), RDFS.label)] == ["A"]


def test_plain_triples_stand_exactly_where_an_assertion_has_support(service: GraphService) -> None:
    ask = "ASK { <https://cartograph.example/therapy/%s> <https://cartograph.example/vocab/%s> <http://purl.obolibrary.org/obo/%s> }"
    dataset = service.store.dataset
    assert dataset.query(ask % ("alpha", "investigatedFor", "MONDO_0007915")).askAnswer
    assert not dataset.query(ask % ("beta", "investigatedFor", "MONDO_0005100")).askAnswer, "only contradicted"
    text = (TINY / "tiny.ttl").read_text(encoding="utf-8")
    start = text.index("[] a kg:Assertion ; rdf:subject therapy:alpha ; rdf:predicate kg:investigatedFor")
    end = text.index("[] a kg:Assertion", start + 1)
    shorter = name_nodes(read_text((text[:start] + text[end:]).encode(), "ttl", "tiny.ttl"))
    service.load([shorter], message="take one out")
    assert not dataset.query(ask % ("alpha", "investigatedFor", "MONDO_0007915")).askAnswer
    assert dataset.query(ask % ("gamma", "treats", "MONDO_0007915")).askAnswer


def test_an_outdated_writer_gets_a_conflict(store: Store) -> None:
    load(store, doc("a.ttl", 'x:a x:n "1" .'), expected_version=0)
    with pytest.raises(Conflict) as caught:
        load(store, doc("a.ttl", 'x:a x:n "2" .'), expected_version=0)
    assert caught.value.extensions == {"code": "CONFLICT", "expectedVersion": 0, "version": 1}
    assert names(store) == {"1"}


def test_a_second_opener_is_told_who_has_it(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StoreLocked, match=str(os.getpid())):
        Store(tmp_path)
    Store(tmp_path).close()


def test_a_store_behind_its_acknowledged_version_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        load(store, doc("a.ttl", 'x:a x:n "1" .'))
    head = read_head(tmp_path)
    assert head
    write_head(tmp_path, replace(head, version=2))
    with pytest.raises(StoreDamaged, match="its last writes are lost"):
        Store(tmp_path)


@pytest.mark.parametrize("damage", ["missing head", "garbled head", "garbled manifest"])
def test_damage_is_noticed_at_opening(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path) as store:
        load(store, doc("a.ttl", 'x:a x:n "1" .'))
    if damage == "missing head":
        (tmp_path / "head.json").unlink()
    elif damage == "garbled head":
        (tmp_path / "head.json").write_text("{")
    else:
        for file in (tmp_path / "graph").glob("MANIFEST-*"):
            file.write_bytes(b"\x00garbage" * 20)
    with pytest.raises(StoreDamaged, match="backup"):
        Store(tmp_path)


def test_a_lost_tail_of_the_log_is_not_served(tmp_path: Path) -> None:
    """Oxigraph itself opens such a store in silence (research/stores.md, damage)."""
    with Store(tmp_path) as store:
        load(store, doc("a.ttl", 'x:a x:n "1" .'))
    shutil.copytree(tmp_path / "graph", tmp_path / "old")
    with Store(tmp_path) as store:
        load(store, doc("a.ttl", 'x:a x:n "2" .'))
    shutil.rmtree(tmp_path / "graph")
    (tmp_path / "old").rename(tmp_path / "graph")
    with pytest.raises(StoreDamaged, match="holds version 1, but version 2 was acknowledged"):
        Store(tmp_path)


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with Store(tmp_path, free_bytes=1 << 60) as store:
        with pytest.raises(StoreFull, match="reading goes on"):
            load(store, doc("a.ttl", 'x:a x:n "1" .'))
        assert (store.version, store.triples()) == (0, [])


def test_a_fork_may_not_write(store: Store) -> None:
    """RocksDB would let it, and two writers would ruin the store (research/stores.md, locking)."""
    load(store, doc("a.ttl", 'x:a x:n "1" .'))
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            load(store, doc("a.ttl", 'x:a x:n "2" .'))
            os.write(mouth, b"written")
        except StoreError as error:
            os.write(mouth, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(mouth)
    with os.fdopen(ear) as said:
        assert "only the process that opened it may write" in said.read()
    assert names(store) == {"1"}


def test_a_second_process_gets_one_sentence(store: Store) -> None:
    code = f"from pathlib import Path; from kg.store import Store; Store(Path({str(store.folder)!r}))"
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = second.stderr.strip().splitlines()[-1]
    assert re.search(rf"in use by process {os.getpid()}\. Stop that process, or choose another folder", said)


@pytest.mark.parametrize("how", ["cut", "flip"])
def test_a_damaged_log_is_noticed_or_harmless(tmp_path: Path, how: str) -> None:
    """Whatever happens to the write-ahead log: all that was acknowledged is served, or nothing is."""
    with Store(tmp_path / "data") as store:
        for n in range(3):
            load(store, doc("a.ttl", f'x:a x:n "{n}" .'))
        whole = store.quads()
    chance = random.Random(3)
    for round_ in range(6):
        copy = tmp_path / f"copy{round_}"
        shutil.copytree(tmp_path / "data", copy)
        for log in (copy / "graph").glob("*.log"):
            raw = bytearray(log.read_bytes())
            if how == "cut":
                del raw[chance.randrange(len(raw) + 1) :]
            elif raw:
                raw[chance.randrange(len(raw))] ^= 0xFF
            log.write_bytes(raw)
        try:
            with Store(copy) as store:
                store.verify()
                assert (store.version, store.quads()) == (3, whole)
        except StoreDamaged:
            pass


def test_a_log_that_has_grown_becomes_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that opening has little to read again; what was acknowledged is there either way."""
    monkeypatch.setattr("kg.store.LOG_BYTES", 20_000)
    sizes = []
    with Store(tmp_path / "data") as store:
        for n in range(30):
            load(store, doc("a.ttl", f'x:a x:n "{n}" .'))
            sizes.append(sync_log(store.folder))
        whole = store.quads()
    assert sum(sizes) > 20_000, "it did grow"
    assert max(sizes) < 40_000
    with Store(tmp_path / "data") as store:
        store.verify()
        assert (store.version, store.quads()) == (30, whole)


def test_a_flipped_bit_in_the_data_is_found_by_verifying(tmp_path: Path) -> None:
    with Store(tmp_path / "data") as store:
        load(store, doc("a.ttl", " ".join(f'x:s{i} x:n "{i} {"y" * 50}" .' for i in range(500))))
        store.verify()
    chance = random.Random(5)
    files = sorted((tmp_path / "data" / "graph").glob("*.sst"), key=lambda f: f.stat().st_size)
    raw = bytearray(files[-1].read_bytes())
    raw[chance.randrange(len(raw) // 4, len(raw) // 2)] ^= 0xFF
    files[-1].write_bytes(raw)
    with pytest.raises(StoreDamaged, match="backup"), Store(tmp_path / "data") as store:
        store.verify()


def test_history_that_does_not_add_up_to_the_data_is_found(store: Store) -> None:
    load(store, doc("a.ttl", 'x:a x:n "1" .'))
    store._inner.update(
        'INSERT DATA { GRAPH <https://cartograph.example/source/a.ttl> { <http://x/b> <http://x/n> "9" } }'
    )
    with pytest.raises(StoreDamaged, match="1 statement"):
        store.verify()


def test_a_backup_of_a_live_store_opens_as_the_same_graph(store: Store, tmp_path: Path) -> None:
    load(store, doc("a.ttl", 'x:a x:n "1" .'))
    store.backup(tmp_path / "backup")
    load(store, doc("a.ttl", 'x:a x:n "2" .'))
    with Store(tmp_path / "backup") as copy:
        copy.verify()
        assert (copy.version, names(copy), copy.store_id) == (1, {"1"}, store.store_id)
        assert load(copy, doc("b.ttl", 'x:b x:n "3" .')).version == 2
    assert names(store) == {"2"}
    with pytest.raises(StoreError, match="exists already"):
        store.backup(tmp_path / "backup")


def test_bad_seeds_load_nothing(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "bad.ttl").write_text(
        "@prefix kg: <https://cartograph.example/vocab/> . @prefix t: <https://cartograph.example/therapy/> . t:x a kg:Therapy ."
    )
    with pytest.raises(CheckFailed, match="exactly one rdfs:label"):
        open_service(tmp_path / "data", seeds=tmp_path / "seeds")
    with Store(tmp_path / "data") as store:
        assert store.version == 0


def test_a_changed_seed_file_is_noticed_and_not_loaded(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(TINY, seeds)
    open_service(tmp_path / "data", seeds=seeds).store.close()
    text = (seeds / "tiny.ttl").read_text(encoding="utf-8")
    (seeds / "tiny.ttl").write_text(text.replace("alpha-cel", "ALPHA-cel"), encoding="utf-8")
    (seeds / "new.ttl").write_text("", encoding="utf-8")
    service = open_service(tmp_path / "data", seeds=seeds)
    assert service.snapshot.entity("therapy:alpha").label == "alpha-cel"
    assert [(c.name, c.state) for c in seed_changes(service.store.sources(), seeds)] == [
        ("new.ttl", "new"),
        ("tiny.ttl", "changed"),
    ]
    service.load(read_files([seeds]), message="take the new seeds")
    assert service.snapshot.entity("therapy:alpha").label == "ALPHA-cel"
    assert seed_changes(service.store.sources(), seeds) == []
    service.store.close()


def test_the_built_in_seeds_go_with_their_schema_alone(tmp_path: Path) -> None:
    """A copy of that schema with more in it is the same schema; another domain starts empty and is not told of them."""
    routes, more = ROOT / "tests/data/routes", tmp_path / "schema"
    shutil.copytree(ROOT / "schema", more)
    assert seeds_of(load_model()) == seeds_of(load_model(more)) == ROOT / "seeds"
    assert seeds_of(load_model(routes)) is None
    assert seeds_of(load_model(routes), TINY) == TINY
    with pytest.raises(BadInput, match="no folder"):
        seeds_of(load_model(), tmp_path / "nowhere")
    with pytest.raises(BadInput, match="Name the data folder, or the seeds"):
        open_graph(schema=routes)
    service = open_service(tmp_path / "data", routes)
    assert len(service.snapshot.entities) == 0
    service.close()


def test_readers_keep_the_snapshot_they_began_with(service: GraphService) -> None:
    before = service.snapshot
    more = '<https://cartograph.example/therapy/delta> a <https://cartograph.example/vocab/Therapy> ; <http://www.w3.org/2000/01/rdf-schema#label> "delta" ; <https://cartograph.example/vocab/granularity> <https://cartograph.example/vocab/Product> ; <https://cartograph.example/vocab/modality> <https://cartograph.example/vocab/CarT> .'
    service.load([doc("more.ttl", more)], message="one more")
    assert before.find("therapy:delta") is None
    assert service.snapshot.entity("therapy:delta").label == "delta"
    assert (before.version.number, service.snapshot.version.number) == (1, 2)
