"""Damaged files are noticed at opening, at reading or by ``kg doctor``, and never served; backups bring all back."""

import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg import Model, keeping
from kg.cli import main
from kg.disk import copy_graph, read_head, write_head
from kg.errors import StoreDamaged, StoreError
from kg.exporting import export
from kg.store import Store
from tests.durability.rounds import chance, rounds
from tests.durability.running import Writing
from tests.durability.writer import check, document, write

KINDS = ["*.sst", "MANIFEST-*", "CURRENT", "head.json"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store of several versions and files."""
    with Store(tmp_path / "data", free_bytes=0) as store:
        for _ in range(6):
            write(store, "update")
        store.load([document("b", "é" * 3000)], message="m", author="a")
    return tmp_path / "data"


def everything(store: Store) -> list[object]:
    """Return all that a store can be asked for."""
    versions = range(1, store.version + 1)
    return [store.quads(), store.history(), [store.delta(v) for v in versions], store.quads_at(1), store.sources()]


def hurt(raw: bytearray, how: str, moments: random.Random) -> None:
    if how == "cut":
        del raw[moments.randrange(len(raw)) :]
    elif how == "zeros":
        at = moments.randrange(len(raw))
        raw[at : at + 64] = bytes(len(raw[at : at + 64]))
    else:
        raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_noticed_or_harmless(data: Path, tmp_path: Path, kind: str) -> None:
    """Whatever is read is what was written, or the store says that it is damaged; the doctor then says so too."""
    with Store(data) as store:
        whole = everything(store)
    fates = damaged(data, tmp_path / "copy", kind, whole)
    assert sum(n for fate, n in fates.items() if "noticed" in fate)


def test_a_damaged_log_is_noticed_or_harmless(tmp_path: Path) -> None:
    """What was acknowledged last is in the log alone; Oxigraph by itself opens without its tail."""
    writer = Writing(tmp_path / "data", tmp_path / "acks", "careless")
    writer.wait(6)
    writer.kill()
    shutil.copytree(tmp_path / "data", tmp_path / "whole")
    with Store(tmp_path / "whole") as store:
        whole = everything(store)
    head = read_head(tmp_path / "data")
    assert head
    write_head(tmp_path / "data", replace(head, version=store.version))
    fates = damaged(tmp_path / "data", tmp_path / "copy", "*.log", whole)
    assert fates["cut: noticed at opening"]


def damaged(data: Path, copy: Path, kind: str, whole: list[object]) -> Counter[str]:
    """Damage one file of a copy, again and again, and count what becomes of it."""
    moments, fates = chance(), Counter[str]()
    for _ in rounds(9):
        for how in ("flip", "cut", "zeros"):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(data, copy)
            file = moments.choice([f for f in sorted(copy.rglob(kind)) if f.stat().st_size])
            raw = bytearray(file.read_bytes())
            hurt(raw, how, moments)
            changed = bytes(raw) != file.read_bytes()
            file.write_bytes(raw)
            fates[f"{how}: {_fate(copy, whole)}" if changed else "not hurt"] += 1
    print(kind, dict(fates))
    assert not any("called something else" in fate for fate in fates)
    return fates


def _fate(folder: Path, whole: list[object]) -> str:
    try:
        store = Store(folder)
    except StoreError as error:
        return "noticed at opening" if "backup" in str(error) else f"called something else: {error}"
    with store:
        try:
            assert everything(store) == whole, "damage was served"
        except StoreDamaged:
            with pytest.raises(StoreDamaged):
                store.verify()
            return "noticed at reading"
        try:
            store.verify()
        except StoreDamaged:
            return "noticed by the doctor"
    return "harmless"


@pytest.mark.parametrize("kind", ["*.sst", "CURRENT", "head.json", "MANIFEST-*"])
def test_a_missing_file_is_noticed(data: Path, kind: str) -> None:
    for file in data.rglob(kind):
        file.unlink()
    said = run("doctor", "--data", data)
    assert (said.exit_code, "backup" in said.output) == (2, True), said.output


def test_a_lost_log_costs_nothing(data: Path) -> None:
    """What was acknowledged does not rest on it."""
    with Store(data) as store:
        whole = everything(store)
    for file in data.rglob("*.log"):
        file.unlink()
    with Store(data) as store:
        store.verify()
        assert everything(store) == whole


def test_each_flipped_bit_of_the_head_is_noticed(data: Path) -> None:
    """One that made the version lower would switch off the guard against a lost tail."""
    path = data / "head.json"
    raw = path.read_bytes()
    for at in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        path.write_bytes(changed)
        with pytest.raises(StoreDamaged, match=r"head\.json"):
            read_head(data)


def test_the_head_of_another_store_is_noticed(data: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "other") as other:
        write(other, "update")
    shutil.copyfile(tmp_path / "other" / "head.json", data / "head.json")
    with pytest.raises(StoreDamaged, match=r"head\.json of another"):
        Store(data)


def test_damage_of_the_store_does_not_reach_its_backup(data: Path, tmp_path: Path, model: Model) -> None:
    """RocksDB's own backup shares files by hard links: one bad block would spoil both."""
    assert run("backup", tmp_path / "backup", "--data", data).exit_code == 0
    for file in data.rglob("*.sst"):
        file.write_bytes(b"\0" * file.stat().st_size)
    said = run("doctor", "--data", data)
    assert (said.exit_code, "cannot be" in said.output) == (2, True)
    with pytest.raises(StoreDamaged):
        keeping.backup(data, tmp_path / "backup of damage")
    assert not (tmp_path / "backup of damage").exists()
    before = sorted((f.name, f.read_bytes()) for f in (tmp_path / "backup").rglob("*") if f.is_file())
    shutil.rmtree(data)
    assert run("restore", tmp_path / "backup", "--data", data).exit_code == 0
    assert sorted((f.name, f.read_bytes()) for f in (tmp_path / "backup").rglob("*") if f.is_file()) == before
    with Store(data) as store:
        check_all = everything(store)
    with Store(tmp_path / "backup") as store:
        assert everything(store) == check_all


def test_a_damaged_backup_is_not_restored(data: Path, tmp_path: Path) -> None:
    keeping.backup(data, tmp_path / "backup")
    file = max((tmp_path / "backup").rglob("*.sst"), key=lambda f: f.stat().st_size)
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 3] ^= 4
    file.write_bytes(raw)
    said = run("restore", tmp_path / "backup", "--data", tmp_path / "new")
    assert (said.exit_code, (tmp_path / "new").exists()) == (2, False)
    assert not list(tmp_path.glob("new*"))


def test_a_backup_taken_while_another_process_writes_is_the_graph_of_one_version(tmp_path: Path, model: Model) -> None:
    """Through the commands, and compared by canonical export with what the writer's store says of that version."""
    data, backups = tmp_path / "data", []
    writer = Writing(data, tmp_path / "acks", "update")
    for number in rounds(2)[:10]:  # each reads a history that grows fast
        writer.wait(1 + number)
        acknowledged = int(writer._lines()[-1])
        said = run("backup", tmp_path / f"backup{number}", "--data", data)
        assert said.exit_code == 0, said.output
        backups.append((tmp_path / f"backup{number}", acknowledged))
    said = run("doctor", "--data", data)
    assert said.exit_code == 0, said.output
    last = writer.kill()
    with Store(data) as store:
        check(store, last, "update")
        for number, (folder, acknowledged) in enumerate(backups):
            restored = tmp_path / f"restored{number}"
            assert run("restore", folder, "--data", restored).exit_code == 0
            with Store(restored) as other:
                check(other, other.version, "update")
                assert other.version >= acknowledged, "all that was acknowledged before is in the backup"
                assert export(other, model, other.version, "nq") == export(store, model, other.version, "nq")
                assert other.history() == store.history()[: other.version]
    assert sorted(path.name for path in data.iterdir()) == ["graph", "head.json", "lock"]


def test_looking_for_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    for command in (("doctor",), ("backup", tmp_path / "b")):
        said = run(*command, "--data", tmp_path / "typo")
        assert (said.exit_code, "There is no store in" in said.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_broken_off_is_no_store(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = read_head(data)
    assert head
    monkeypatch.setattr("kg.disk.write_head", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        copy_graph(data / "graph", tmp_path / "copy", head)
    assert not list(tmp_path.glob("copy*"))
