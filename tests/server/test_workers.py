"""Several processes behind one address, and hosts that serve a copy of a snapshot."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kg.cli import main
from tests.conftest import ROOT
from tests.server.live import Live
from tests.server.test_live import next_event
from tests.server.writing import APPLY, NEW_THERAPY, REVERT, change

NUMBER = "{ version { number } }"
HISTORY = "{ history(first: 1) { nodes { version author } } version { number } }"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path, "--workers", "2")
    try:
        eventually(lambda: {True, False} <= {ready(live)["writes"] for _ in range(20)})
        yield live
    finally:
        live.stop()


def eventually(holds: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until something holds that may fail meanwhile."""
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except OSError:
            pass
        assert time.monotonic() < end
        time.sleep(0.02)


def ready(live: Live) -> Any:
    """Return what one of the processes says of itself; each request is a new connection, which any of them takes."""
    with urllib.request.urlopen(live.url.replace("graphql", "ready"), timeout=10) as answer:
        return json.load(answer)


def exported(live: Live) -> tuple[int, str | None, bytes]:
    """Return the status of an export, when to try again, and the export."""
    try:
        with urllib.request.urlopen(live.url.replace("graphql", "export?format=nq"), timeout=10) as answer:
            return answer.status, None, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["retry-after"], b""


def writer(live: Live) -> int:
    return int(json.loads((live.data / "service.json").read_text())["pid"])


def workers(live: Live) -> set[int]:
    """Return the processes that answer; their parent, and Python's resource tracker beside them, do not."""
    pids = Path(f"/proc/{live.process.pid}/task/{live.process.pid}/children").read_text().split()
    return {int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_every_process_answers_and_any_of_them_takes_a_change(pair: Live) -> None:
    curator = f"Bearer {pair.token('curator', 'ward 7')}"
    assert len(workers(pair)) == 2
    for number in range(2, 8):
        if number % 2:
            done = pair.post(REVERT, {"n": number - 1, "why": "undone"}, authorization=curator)["data"]["revert"]
        else:
            done = pair.post(APPLY, change(), authorization=curator)["data"]["applyChanges"]
        assert (done["ok"], done["version"]["number"]) == (True, number)
        assert done["changeSet"]["author"] == "ward 7 (token)"
        eventually(lambda n=number: {ready(pair)["version"] for _ in range(12)} == {n}, 5)  # type: ignore[misc]
        for _ in range(6):
            answer = pair.post(HISTORY, {})
            assert answer["data"]["history"]["nodes"][0]["version"] == number
            assert answer["extensions"]["graph"]["version"] == answer["data"]["version"]["number"] == number
    assert len({exported(pair)[2] for _ in range(6)}) == 1


def test_what_may_not_be_written_is_refused_alike_whoever_is_asked(pair: Live) -> None:
    reader = f"Bearer {pair.token('reader')}"
    for _ in range(6):
        answer = pair.post(APPLY, change(), authorization=reader)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert pair.post(APPLY, change())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert ready(pair)["version"] == 1


def test_streams_of_every_process_hear_of_a_change_within_moments(pair: Live) -> None:
    body = json.dumps({"query": "subscription { graphChanged { number } }"}).encode()
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    streams = [urllib.request.urlopen(urllib.request.Request(pair.url, body, headers), timeout=30) for _ in range(8)]
    curator = f"Bearer {pair.token('curator')}"
    assert pair.post(APPLY, change(), authorization=curator)["data"]["applyChanges"]["ok"]
    for stream in streams:
        assert next_event(stream) == (
            "next",
            {"data": {"graphChanged": {"number": 2}}, "extensions": {"graph": {"version": 2, "asOf": None}}},
        )
        stream.close()


def test_a_reader_that_dies_is_replaced(pair: Live) -> None:
    (reader,) = workers(pair) - {writer(pair)}
    os.kill(reader, signal.SIGKILL)
    eventually(lambda: len(workers(pair)) == 2 and reader not in workers(pair))
    eventually(lambda: {True, False} <= {ready(pair)["writes"] for _ in range(20)})
    assert pair.post(NUMBER, {})["data"]["version"]["number"] == 1


def test_without_the_writer_reading_goes_on_and_writing_is_refused_until_it_is_back(pair: Live) -> None:
    curator = f"Bearer {pair.token('curator')}"
    assert pair.post(APPLY, change(), authorization=curator)["data"]["applyChanges"]["ok"]
    eventually(lambda: {ready(pair)["version"] for _ in range(12)} == {2})
    first = writer(pair)
    os.kill(first, signal.SIGKILL)
    answer = pair.post(APPLY, change(NEW_THERAPY.replace("delta", "epsilon")), authorization=curator)
    assert answer["errors"][0]["extensions"]["code"] == "WRITER_GONE"
    assert "again" in answer["errors"][0]["message"]
    assert pair.post(NUMBER, {})["data"]["version"]["number"] == 2
    assert exported(pair)[:2] == (503, "3")
    eventually(lambda: writer(pair) != first)
    eventually(lambda: "data" in pair.post(APPLY, change(NEW_THERAPY.replace("delta", "zeta")), authorization=curator))
    eventually(lambda: {ready(pair)["version"] for _ in range(12)} == {3})
    assert len(workers(pair)) == 2


def test_a_second_service_on_the_folder_is_refused_in_one_sentence(pair: Live) -> None:
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--workers", "2", "--data", str(pair.data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "in use" in done.stderr


def test_all_processes_end_together_and_leave_nothing(tmp_path: Path) -> None:
    live = Live(tmp_path, "--workers", "3")
    eventually(lambda: len(workers(live)) == 3)
    eventually(lambda: (live.data / "service.json").exists())
    pids = workers(live)
    assert "Traceback" not in live.stop()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not (live.data / "service.json").exists()


def test_processes_whose_parent_is_killed_end_and_leave_the_address(tmp_path: Path) -> None:
    """As where memory runs out: they would serve on, and nobody could start the service again."""
    live = Live(tmp_path, "--workers", "2")
    eventually(lambda: {True, False} <= {ready(live)["writes"] for _ in range(20)})
    left = workers(live)
    os.kill(live.process.pid, signal.SIGKILL)
    live.process.wait(30)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    assert not (live.data / "service.json").exists()
    live.stop()


def test_what_keeps_the_store_from_opening_is_said_and_ends_all(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "head.json").write_text("{", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"head\.json.*worker_cannot_start"):
        Live(tmp_path, "--workers", "2")


def test_a_snapshot_under_a_schema_that_has_changed_is_made_before_processes_start(
    schema_copy: Path, tmp_path: Path
) -> None:
    """After an upgrade: what is published is of the schema before, and making it anew may take minutes."""
    Live(tmp_path, "--schema", str(schema_copy)).stop()
    ontology = schema_copy / "ontology.ttl"
    text = ontology.read_text(encoding="utf-8")
    ontology.write_text(text.replace("Acronym of the trial.", "Short name of the trial."), encoding="utf-8")
    live = Live(tmp_path, "--schema", str(schema_copy), "--workers", "2")
    try:
        eventually(lambda: {True, False} <= {ready(live)["writes"] for _ in range(20)})
        assert {ready(live)["version"] for _ in range(12)} == {1}
    finally:
        said = live.stop()
    assert "making_snapshot" in said
    assert "worker_cannot_start" not in said
    again = Live(tmp_path, "--schema", str(schema_copy), "--workers", "2")
    assert "making_snapshot" not in again.stop()


# ---------------------------------------------------------------- a copy elsewhere
@pytest.fixture
def copied(live: Live, tmp_path: Path) -> Path:
    """Return a folder that ``kg publish`` wrote while the service ran."""
    folder = tmp_path / "copy" / "data"
    published(live, folder)
    return folder


def published(live: Live, folder: Path) -> None:
    done = CliRunner().invoke(main, ["publish", str(folder), "--data", str(live.data)])
    assert done.exit_code == 0, done.output


def test_a_copy_is_served_elsewhere_and_follows_the_next_one(live: Live, copied: Path) -> None:
    curator = f"Bearer {live.token('curator')}"
    elsewhere = Live(copied.parent, "--read-only")
    try:
        query = "{ diseases { nodes { curie label } } }"
        assert elsewhere.post(query, {})["data"] == live.post(query, {})["data"]
        for asked in (APPLY, HISTORY):
            answer = elsewhere.post(asked, change() if asked == APPLY else {})
            assert answer["errors"][0]["extensions"]["code"] == "READ_ONLY"
        assert exported(elsewhere)[0] == 403
        assert live.post(APPLY, change(), authorization=curator)["data"]["applyChanges"]["ok"]
        published(live, copied)
        eventually(lambda: ready(elsewhere)["version"] == 2, 5)
        assert len([path for path in copied.iterdir() if path.is_dir()]) == 2  # the last one may still be read
    finally:
        assert "Traceback" not in elsewhere.stop()


def test_workers_serve_a_copy_too(copied: Path) -> None:
    elsewhere = Live(copied.parent, "--read-only", "--workers", "2")
    try:
        eventually(lambda: len(workers(elsewhere)) == 2)
        assert {ready(elsewhere)["writes"] for _ in range(12)} == {False}
    finally:
        elsewhere.stop()


def test_a_copy_that_is_not_whole_is_not_served(copied: Path, tmp_path: Path) -> None:
    (snapshot,) = (path for path in copied.iterdir() if path.is_dir())
    (snapshot / "names.rows").write_bytes((snapshot / "names.rows").read_bytes()[:-9] + b"123456789")
    with pytest.raises(AssertionError, match="was damaged"):
        Live(copied.parent, "--read-only")
    shutil.rmtree(snapshot)
    with pytest.raises(AssertionError, match="no whole snapshot"):
        Live(copied.parent, "--read-only")
    with pytest.raises(AssertionError, match="No snapshot is published"):
        Live(tmp_path / "none", "--read-only")


def test_publishing_into_the_store_itself_is_refused(live: Live) -> None:
    for folder in (live.data, live.data / "snapshots"):
        done = CliRunner().invoke(main, ["publish", str(folder), "--data", str(live.data)])
        assert (done.exit_code, "belongs to the store" in done.output) == (2, True)
