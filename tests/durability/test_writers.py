"""Two writers at once: one wins, the other is told; nothing is lost in between."""

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kg.errors import Conflict, StoreError
from kg.store import Store
from tests.conftest import ROOT
from tests.durability.rounds import rounds
from tests.durability.writer import check, document, write
from tests.server.live import Live
from tests.server.writing import APPLY, NEW_THERAPY, change


def test_of_writers_that_know_the_same_version_one_wins_and_the_others_get_both_versions(tmp_path: Path) -> None:
    """As a counter: each success adds one, so lost updates would show in the version."""
    won, lost = Counter[int](), []
    with Store(tmp_path / "data", free_bytes=0) as store:

        def count(writer: int) -> None:
            for _ in rounds(4):
                while True:
                    seen = store.version
                    try:
                        store.load([document("a", seen + 1)], message="m", author=str(writer), expected_version=seen)
                        won[writer] += 1
                        break
                    except Conflict as error:
                        lost.append((error.expected == seen, error.actual > seen))

        threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.version == sum(won.values()) == 4 * len(rounds(4))
        assert Counter(int(c.author) for c in store.history()) == won
        store.verify()
    assert set(lost) == {(True, True)}, "they did meet, and were told both versions"


def test_of_processes_that_open_a_store_at_once_one_gets_it(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, kg.store as s\n"
        "store = s.Store(pathlib.Path(sys.argv[1]), free_bytes=0); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    pipe: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    racing = [subprocess.Popen(command, cwd=ROOT, **pipe) for _ in range(3)]
    losers = []
    while len(losers) < 2:
        losers += [p for p in racing if p not in losers and p.poll() is not None]
    (winner,) = [process for process in racing if process not in losers]
    for process in losers:
        said = process.communicate()[1].strip().splitlines()[-1]
        assert said.startswith("kg.errors.StoreLocked: The data folder "), said
        assert "is in use" in said
    assert winner.communicate("")[0] == "open\n"


def test_a_second_service_on_a_folder_gets_one_sentence_and_clients_of_the_first_a_conflict(tmp_path: Path) -> None:
    live = Live(tmp_path)
    second = subprocess.run(
        [sys.executable, "-m", "kg", "serve", "--port", "0", "--data", str(live.data)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (sentence,) = second.stderr.strip().splitlines()
    assert second.returncode == 2
    assert f"is in use by process {live.process.pid}. Stop that process" in sentence
    answers: list[Any] = []

    def post(name: str) -> None:
        variables = change(NEW_THERAPY.replace("delta", name), expectedVersion=1)
        variables["input"]["source"] = f"{name}.ttl"
        answers.append(live.post(APPLY, variables, authorization=f"Bearer {live.key}"))

    threads = [threading.Thread(target=post, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live.stop()
    errors = [a["errors"][0]["extensions"] for a in answers if "errors" in a]
    assert len(errors) == 2
    assert all((e["code"], e["expectedVersion"], e["version"]) == ("CONFLICT", 1, 2) for e in errors)
    with Store(live.data) as store:
        assert store.version == 2


@pytest.mark.parametrize("act", ["load", "revert", "backup"])
def test_after_a_fork_only_the_parent_may_write(tmp_path: Path, act: str) -> None:
    """RocksDB would let both (research/stores.md, locking)."""
    with Store(tmp_path / "data", free_bytes=0) as store:
        write(store, "update")
        acts = {
            "load": lambda: write(store, "update"),
            "revert": lambda: store.revert(1, message="m", author="a"),
            "backup": lambda: store.backup(tmp_path / "backup"),
        }
        ear, mouth = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                acts[act]()
                os.write(mouth, b"done")
            except StoreError as error:
                os.write(mouth, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(mouth)
        with os.fdopen(ear) as said:
            assert "only the process that opened it may write" in said.read()
        write(store, "update")
        check(store, 2, "update")
    assert not (tmp_path / "backup").exists()


def test_versions_read_while_another_thread_writes_are_right(tmp_path: Path) -> None:
    """An export of an old version must not mix in what is being written."""
    with Store(tmp_path / "data", free_bytes=0) as store:
        write(store, "update")
        first, stop = store.quads_at(1), threading.Event()
        wrong: list[int] = []

        def look() -> None:
            while not stop.is_set():
                wrong.append(len(store.quads_at(1) ^ first))

        reader = threading.Thread(target=look)
        reader.start()
        for _ in range(12):
            write(store, "update")
        stop.set()
        reader.join()
    assert sum(wrong) == 0
    assert len(wrong) > 3
