"""Any history of loads, removals, reverts, restarts and restores gives the graph that plain sets give."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kg import keeping
from kg.derivation import DERIVED
from kg.documents import Document
from kg.errors import Conflict, RevertConflict
from kg.reading import name_nodes, read_text
from kg.store import Store, source_name
from tests.durability.conftest import MEMORY
from tests.durability.rounds import rounds

# A fact is a claim and one piece of evidence for it: (subject, object, source, whether it supports the claim).
FACT = st.tuples(st.sampled_from("ab"), st.sampled_from("cd"), st.integers(1, 2), st.booleans())
FACTS = st.frozensets(FACT, max_size=5)
FILES = st.sampled_from(["one.ttl", "two ü.ttl", "three.ttl"])
Facts = frozenset[tuple[str, str, int, bool]]
State = dict[str, Facts]
HEAD = """\
@prefix x: <http://x/> .
@prefix kg: <https://cartograph.example/vocab/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
"""


def document(name: str, facts: Facts) -> Document:
    claims = (
        f"[] a kg:Assertion ; rdf:subject x:{s} ; rdf:predicate x:p ; rdf:object x:{o} ; kg:evidence "
        f"[ dcterms:source x:s{source} ; kg:direction kg:{'Supports' if supports else 'Contradicts'} ] .\n"
        for s, o, source, supports in sorted(facts)
    )
    return name_nodes(read_text((HEAD + "".join(claims)).encode(), "ttl", name))


def stated(state: State) -> set[tuple[str, str]]:
    """Return what files state, as (file, triple); this much of the library the model takes for granted."""
    return {(name, str(triple)) for name, facts in state.items() for triple in document(name, facts).triples}


def derived(state: State) -> set[str]:
    """Return the claims that have support in any file."""
    return {
        f"<http://x/{s}> <http://x/p> <http://x/{o}>"
        for facts in state.values()
        for s, o, _, supports in facts
        if supports
    }


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.exists() else None))
        self.store = Store(self.folder / "data", free_bytes=0)
        self.states: list[State] = [{}]
        self.ids: dict[str, int] = {}

    def expect(self, change: Any, state: State) -> None:
        state = {name: facts for name, facts in state.items() if facts}
        if state == self.states[-1]:
            assert change is None
        else:
            self.states.append(state)
            assert change.version == len(self.states) - 1

    @rule(files=st.dictionaries(FILES, FACTS, min_size=1, max_size=2))
    def load(self, files: State) -> None:
        documents = [document(name, facts) for name, facts in files.items()]
        change = self.store.load(documents, message="load", author="me", change_id=f"c{len(self.states)}")
        self.expect(change, {**self.states[-1], **files})
        if change:
            self.ids[change.change_id or ""] = change.version

    @rule(name=FILES)
    def remove(self, name: str) -> None:
        self.expect(
            self.store.load([], remove=[name], message="rm", author="me"), {**self.states[-1], name: frozenset()}
        )

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), facts=FACTS)
    def ask_again(self, data: st.DataObject, facts: Facts) -> None:
        asked = data.draw(st.sampled_from(sorted(self.ids)))
        again = self.store.load([document("one.ttl", facts)], message="again", author="me", change_id=asked)
        assert again == self.store.change(self.ids[asked])

    @rule(behind=st.integers(1, 3), facts=FACTS)
    def load_too_late(self, behind: int, facts: Facts) -> None:
        with pytest.raises(Conflict):
            self.store.load(
                [document("one.ttl", facts)], message="", author="", expected_version=self.store.version - behind
            )

    @precondition(lambda self: len(self.states) > 1)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        version = data.draw(st.integers(1, len(self.states) - 1))
        before, after, now = (stated(self.states[v]) for v in (version - 1, version, -1))
        came, went = after - before, before - after
        if came <= now and not went & now:
            change = self.store.revert(version, message="undo", author="me")
            self.expect(change, self._facts((now - came) | went))
        else:
            with pytest.raises(RevertConflict):
                self.store.revert(version, message="undo", author="me")

    def _facts(self, wanted: set[tuple[str, str]]) -> State:
        """Return facts that state some triples; what a revert leaves is always such."""
        found: State = {}
        for name in {name for name, _ in wanted}:
            triples = {triple for file, triple in wanted if file == name}
            every = {fact for state in self.states for fact in state.get(name, ())}
            found[name] = frozenset(f for f in every if {t for _, t in stated({name: frozenset({f})})} <= triples)
            left = triples - {t for _, t in stated({name: found[name]})}
            assert not left, left
        return found

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = Store(self.folder / "data", free_bytes=0)

    @rule()
    def lose_and_restore(self) -> None:
        keeping.backup(self.folder / "data", self.folder / "backup")
        self.store.close()
        shutil.rmtree(self.folder / "data")
        keeping.restore(self.folder / "backup", self.folder / "data")
        shutil.rmtree(self.folder / "backup")
        self.store = Store(self.folder / "data", free_bytes=0)

    @invariant()
    def the_store_agrees(self) -> None:
        self._agree(self.store.quads(), self.states[-1])
        assert set(self.store.sources()) >= set(self.states[-1]), "it may also know files that say nothing"
        assert self.store.version == len(self.states) - 1

    def _agree(self, quads: Any, state: State) -> None:
        said = {(source_name(q.graph_name.value), str(q.triple)) for q in quads if q.graph_name != DERIVED}
        assert said == stated(state)
        assert {str(q.triple) for q in quads if q.graph_name == DERIVED} == derived(state)

    def teardown(self) -> None:
        for version, state in enumerate(self.states):
            self._agree(self.store.quads_at(version), state)
        self.store.verify()
        self.store.close()
        shutil.rmtree(self.folder)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=len(rounds(8)), stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
