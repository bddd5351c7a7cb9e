"""What a power cut may leave: all that was synced, and any part of the rest."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from chaos.durability.data_lives import DATA_LIVES
from chaos.durability.disk import Disk
from chaos.durability.disk_calls import Call, environment, read_calls
from chaos.durability.life import Life
from chaos.durability.lives import LIVES
from chaos.durability.scene import Scene

SEEDS = 200


def call(name: str, path: str, *, inode: int = 7, at: int = 0, data: bytes = b"", other: str = "") -> Call:
    return Call(name, path, other, inode, at, data)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "disk"
    place.mkdir()
    return place


def left(root: Path, calls: list[Call], into: Path) -> set[tuple[tuple[str, bytes], ...]]:
    """Return each outcome that is met in many cuts after these calls."""
    found = set()
    for seed in range(SEEDS):
        disk = Disk(root)
        disk.feed(calls)
        image = into / str(seed)
        image.mkdir(parents=True)
        disk.cut(Random(seed), image)
        files = sorted(path for path in image.rglob("*") if path.is_file())
        found.add(tuple((str(path.relative_to(image)), path.read_bytes()) for path in files))
    return found


def sync_of(root: Path) -> Call:
    return call("sync", str(root), inode=root.stat().st_ino)


def test_what_was_not_synced_may_be_there_may_be_torn_and_may_be_gone(root: Path, tmp_path: Path) -> None:
    file = str(root / "a")
    made = [call("create", file), sync_of(root)]
    found = left(
        root, [*made, call("write", file, data=b"1" * 512), call("write", file, at=512, data=b"2" * 1024)], tmp_path
    )
    contents = {files[0][1] for files in found}
    assert contents >= {b"", b"1" * 512, b"1" * 512 + b"2" * 512, b"1" * 512 + b"2" * 1024, bytes(512) + b"2" * 1024}
    assert left(root, [*made, call("write", file, data=b"1"), call("sync", file)], tmp_path / "synced") == {(("a", b"1"),)}


def test_a_name_lasts_only_with_its_directory(root: Path, tmp_path: Path) -> None:
    (root / "a").write_bytes(b"old")
    fresh = str(root / ".a.new")
    calls = [call("create", fresh), call("write", fresh, data=b"new"), call("sync", fresh),
             call("rename", fresh, other=str(root / "a"))]  # fmt: skip
    found = {dict(files)["a"] for files in left(root, calls, tmp_path)}
    assert found == {b"old", b"new"}
    assert left(root, [*calls, sync_of(root)], tmp_path / "synced") == {(("a", b"new"),)}


def test_two_that_are_exchanged_both_have_a_name_whatever_is_left(root: Path, tmp_path: Path) -> None:
    (root / "a").write_bytes(b"old")
    (root / ".b").write_bytes(b"new")
    old, new = ((root / name).stat().st_ino for name in ("a", ".b"))
    swap = call("exchange", str(root / ".b"), inode=new, at=old, other=str(root / "a"))
    assert left(root, [swap], tmp_path) == {
        ((".b", b"new"), ("a", b"old")), ((".b", b"old"), ("a", b"new")),
    }  # fmt: skip
    assert left(root, [swap, sync_of(root)], tmp_path / "synced") == {((".b", b"old"), ("a", b"new"))}


def test_a_rename_of_what_was_not_synced_may_leave_nothing_in_its_place(root: Path, tmp_path: Path) -> None:
    (root / "a").write_bytes(b"old")
    fresh = str(root / ".a.new")
    calls = [call("create", fresh), call("write", fresh, data=b"new"), call("rename", fresh, other=str(root / "a"))]
    assert b"" in {dict(files)["a"] for files in left(root, [*calls, sync_of(root)], tmp_path)}


def test_what_is_in_a_directory_goes_with_its_name(root: Path, tmp_path: Path) -> None:
    inner = str(root / "b" / "a")
    calls = [call("mkdir", str(root / "b"), inode=8), call("create", inner), call("write", inner, data=b"x"),
             call("sync", inner), call("sync", str(root / "b"), inode=8)]  # fmt: skip
    assert left(root, calls, tmp_path) == {(), (("b/a", b"x"),)}
    assert left(root, [*calls, sync_of(root)], tmp_path / "synced") == {(("b/a", b"x"),)}


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize("life", [LIVES[0], LIVES[2], DATA_LIVES[0]], ids=lambda life: life.name)
def test_no_change_of_a_real_engine_is_missed(life: Life, tmp_path: Path) -> None:
    """Once everything has become durable the model holds, byte for byte, what the engine left."""
    if life in DATA_LIVES:
        pytest.importorskip("duckdb")
    scene = Scene(tmp_path)
    try:
        life.configured(scene)
        life.before(scene)
        disk = Disk(scene.disk)
        scene.environment = environment(scene.disk, journal=tmp_path / "journal")
        life.course(scene)
    finally:
        scene.end()
    disk.feed(read_calls(tmp_path / "journal"))
    disk.settle()
    image = tmp_path / "image"
    image.mkdir()
    disk.cut(Random(0), image)
    real, modelled = ({str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
                      for place in (scene.disk, image))  # fmt: skip
    assert modelled == real and "state/state.db" in real
