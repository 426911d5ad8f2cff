"""kill -9 at random moments: all that was acknowledged is there, nothing is half there."""

import http.client
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kg.disk import read_head, write_head
from kg.presence import find
from kg.store import Store
from tests.durability.rounds import chance, rounds
from tests.durability.running import Writing
from tests.durability.writer import check
from tests.server.live import Live
from tests.server.writing import APPLY, NEW_THERAPY, REVERT, change


@pytest.mark.parametrize("mode", ["update", "tables", "bulk"])
def test_a_killed_writer_loses_nothing_acknowledged_and_tears_nothing(tmp_path: Path, mode: str) -> None:
    """Loads and reverts, and large loads, which take another way into the store."""
    moments, data = chance(), tmp_path / "data"
    for _ in rounds(2):
        last = Writing(data, tmp_path / "acks", mode).kill_sometime(moments)
        with Store(data) as store:
            check(store, last, mode)
        assert not list((data / "graph").glob("bulk*")), "what a killed load left behind is swept up"


class Client:
    """Changes the label of a therapy through the service, undoing every fourth change, until nobody answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.labels = {1: ""}  # of each version that was answered with 200

    @property
    def last(self) -> int:
        return max(self.labels)

    def once(self, live: Live) -> None:
        """Make one change."""
        self.asked += 1
        authorization = f"Bearer {live.key}"
        if self.last - 1 in self.labels and self.asked % 4 == 3 and self.last > 2:
            answer = live.post(REVERT, {"n": self.last, "why": "undo"}, authorization=authorization)
            payload, label = answer["data"]["revert"], self.labels[self.last - 1]
        else:
            label = f"delta {self.asked}"
            variables = change(NEW_THERAPY.replace("delta-cel", label))
            payload = live.post(APPLY, variables, authorization=authorization)["data"]["applyChanges"]
        assert payload["ok"], payload
        self.labels[payload["version"]["number"]] = label


def test_a_killed_service_keeps_every_change_it_answered_with_200(tmp_path: Path) -> None:
    """Acknowledged is what a client was told, and it is wanted from the next process."""
    moments, client = chance(), Client()
    for _ in rounds(1):
        live = Live(tmp_path)
        client.once(live)
        moment = threading.Timer(moments.uniform(0, 1), live.process.kill)
        moment.start()
        with suppress(OSError, http.client.HTTPException, ValueError):  # killed
            while True:
                client.once(live)
        moment.join()
        live.stop()
        assert find(live.data) is None, "what a killed service said of itself is not believed"
        with Store(live.data) as store:
            store.verify()
            assert client.last <= store.version <= client.last + 1
            said = {t.object.value for t in store.triples() if t.subject.value.endswith("/delta")}
            if store.version == client.last:
                assert client.labels[client.last] in said | {""}
            else:  # made, and the answer was cut off
                (label,) = (text for text in said if text.startswith("delta "))
                client.labels[store.version] = label
    assert client.last > 1


def test_a_change_a_killed_writer_could_not_acknowledge_is_made_safe_before_it_is_served(tmp_path: Path) -> None:
    """Else a power cut after the restart could take back what was read in between."""
    writer = Writing(tmp_path / "data", tmp_path / "acks", "careless")
    writer.wait(3)
    last = writer.kill()
    head = read_head(tmp_path / "data")
    assert head
    write_head(tmp_path / "data", replace(head, version=last - 1))
    with Store(tmp_path / "data") as store:
        check(store, last, "update")
    assert read_head(tmp_path / "data") == replace(head, version=store.version)


def test_killing_does_not_make_opening_slow(tmp_path: Path) -> None:
    """A log that grows is made a table of, so there is no long one to read again."""
    Writing(tmp_path / "data", tmp_path / "acks", "update").kill_sometime(chance())
    started = time.monotonic()
    Store(tmp_path / "data").close()
    assert time.monotonic() - started < 5
