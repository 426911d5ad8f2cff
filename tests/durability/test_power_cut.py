"""The power is cut: what was not synced is gone, what was acknowledged is not."""

import signal
import subprocess
from pathlib import Path

import pytest

from kg.errors import StoreDamaged
from kg.store import Store
from tests.durability.disk import WAYS, Disk, make_ext4, mounted
from tests.durability.rounds import chance, rounds
from tests.durability.running import Writing
from tests.durability.writer import check


@pytest.mark.parametrize("mode", ["update", "tables", "bulk"])
def test_what_was_acknowledged_survives_the_loss_of_all_that_was_not_synced(
    disk: Disk, tmp_path: Path, mode: str
) -> None:
    """On a simulated disk, in three ways that file systems lose things; each round goes on from one of them."""
    moments, acks = chance(), tmp_path / "acks"
    for round_ in rounds(2):
        last = Writing(disk.data, acks, mode, disk.begin()).kill_sometime(moments)
        left = [disk.cut(tmp_path / f"{round_}{way}", way, moments) for way in WAYS]
        for way, folder in zip(WAYS, left, strict=True):
            with Store(folder) as store:
                check(store, last, mode)
            print(f"round {round_}, {way}: version {store.version}, acknowledged {last}")
        keep = left[round_ % len(WAYS)]
        disk.data.rename(tmp_path / f"old{round_}")
        keep.rename(disk.data)


@pytest.mark.parametrize("way", WAYS[:2])
def test_without_the_sync_the_same_cut_loses_acknowledged_changes_which_is_noticed(
    disk: Disk, tmp_path: Path, way: str
) -> None:
    """The control: this test can fail, and the store says so rather than serve what is left."""
    writer = Writing(disk.data, tmp_path / "acks", "careless", disk.begin())
    writer.wait(5)
    writer.kill()
    with pytest.raises(StoreDamaged, match="its last writes are lost"):
        Store(disk.cut(tmp_path / "left", way, chance()))


@pytest.mark.parametrize("mode", ["update", "careless"])
def test_on_a_real_file_system_too(tmp_path: Path, mode: str) -> None:
    """The image of an ext4 disk, copied while its writer stands still, is what a power cut leaves of it."""
    moments = chance()
    for round_ in rounds(1):
        image, copy = make_ext4(tmp_path / f"disk{round_}", 64), tmp_path / f"copy{round_}"
        with mounted(tmp_path / "mnt", "-o", "loop", str(image)) as mount:
            writer = Writing(mount / "data", tmp_path / f"acks{round_}", mode)
            writer.wait(moments.randint(3, 12))
            last = _copied(writer, image, copy)
        with mounted(tmp_path / "again", "-o", "loop", str(copy)) as mount:
            if mode == "careless":
                with pytest.raises(StoreDamaged, match="its last writes are lost"):
                    Store(mount / "data")
            else:
                with Store(mount / "data", free_bytes=0) as store:
                    check(store, last, mode)
        image.unlink()
        copy.unlink()


def _copied(writer: Writing, image: Path, copy: Path) -> int:
    """Copy the image while nothing is written to it, end the writer, and return the last acknowledged version."""
    for _ in range(20):
        writer.process.send_signal(signal.SIGSTOP)
        before = _blocks_written(image)
        subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
        if _blocks_written(image) == before:
            return writer.kill()
        writer.process.send_signal(signal.SIGCONT)
    writer.kill()
    pytest.skip("the disk never stood still")


def _blocks_written(image: Path) -> str:
    listed = subprocess.run(["losetup", "-nO", "NAME", "-j", str(image)], capture_output=True, text=True, check=True)
    name = Path(listed.stdout.split()[0]).name
    return Path(f"/sys/block/{name}/stat").read_text().split()[6]
