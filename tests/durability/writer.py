"""A process that writes until it is killed, noting every version that was acknowledged; and what must be there then.

    python -m tests.durability.writer DATA ACKS MODE

``update`` replaces what a file says, again and again, and undoes every fourth change; ``bulk`` only adds
files, by the way for large loads; ``tables`` is ``update`` with a log that may not grow; ``careless`` is ``update``
without the sync that makes a change safe.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import kg.store
from kg.derivation import DERIVED
from kg.documents import Document
from kg.reading import name_nodes, read_text
from kg.store import Store

SUBJECTS = 20
TEXT = """\
@prefix x: <http://x/> .
@prefix kg: <https://cartograph.example/vocab/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
[] a kg:Assertion ; rdf:subject x:s ; rdf:predicate x:p ; rdf:object x:o%s ; kg:evidence [ kg:direction kg:Supports ] .
"""


def document(name: str, value: object) -> Document:
    """Return a file with a claim, and twenty subjects that all have one value."""
    facts = "".join(f'x:{name}{j} x:n "{value}" .\n' for j in range(SUBJECTS))
    return name_nodes(read_text((TEXT % value + facts).encode(), "ttl", name))


def write(store: Store, mode: str) -> int:
    """Make the next change by the rule of a mode, and return its version."""
    version = store.version + 1
    if mode != "bulk" and version % 4 == 3:
        store.revert(version - 1, message="undo", author="me")
    else:
        name = f"b{version}" if mode == "bulk" else "a"
        store.load([document(name, version)], message="test", author="me", change_id=f"c{version}")
    return store.version


def value(version: int) -> str:
    """Return the value that the graph has after a version, by the rule of ``update``."""
    return str(version - 2 if version % 4 == 3 else version)


def check(store: Store, acknowledged: int, mode: str) -> None:
    """Fail unless all that was acknowledged is there, nothing is half there, and history and data agree."""
    assert acknowledged <= store.version <= acknowledged + 1, (acknowledged, store.version)
    store.verify()
    said = [t.object.value for t in store.triples() if t.predicate.value == "http://x/n"]
    derived = {q.object.value for q in store.quads() if q.graph_name == DERIVED}
    versions = range(1, store.version + 1)
    values = {str(v) for v in versions} if mode == "bulk" else {value(v) for v in versions[-1:]}
    assert set(said) == values
    assert len(said) == SUBJECTS * len(values)
    assert derived == {f"http://x/o{v}" for v in values}
    assert store.quads_at(0) == set()


def main(data: str, acks: str, mode: str) -> None:
    """Write for ever, or as long as whoever started this lives."""
    parent = os.getppid()
    if mode == "bulk":
        kg.store.UPDATE_QUADS = 1
    if mode == "tables":
        kg.store.LOG_BYTES = 0
    if mode == "careless":
        kg.store.sync_log = lambda _: 0
    with Store(Path(data), free_bytes=0) as store, Path(acks).open("a", encoding="utf-8") as acknowledged:
        while os.getppid() == parent:
            print(write(store, mode), file=acknowledged, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
