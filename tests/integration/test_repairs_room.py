"""Room on disks, end to end: old temporary files, large logs, deleted ones that are held open, caches."""

import contextlib
import gzip
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, wait_for
from tests.support.own_config import actions, own_config, refusals, repaired

IS_ROOT = os.geteuid() == 0
WRITER = Path(__file__).parents[1] / "support" / "log_writer.py"
Maker = Callable[[str], EngineProcess]


def _used_percent(path: Path) -> float:
    use = os.statvfs(path)
    return 100.0 * (use.f_blocks - use.f_bavail) / use.f_blocks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.slow
@pytest.mark.skipif(not IS_ROOT, reason="mounting a small file system needs root")
def test_a_full_temporary_directory_is_cleaned_oldest_first_down_to_the_level(
    engine_with: Maker, small_disk: Path, tmp_path: Path
) -> None:
    """A file's times cannot be set back by anybody, so the test waits until its files are a minute old."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"keep" * 1000)
    scratch = small_disk / "scratch"
    scratch.mkdir()
    for number in range(64):
        (scratch / f"old-{number:02}").write_bytes(b"x" * 100_000)
    names = ["open", "linked", "linked-too", "link", "socket", "below/young"]
    (scratch / "below").mkdir()
    (scratch / "open").write_bytes(b"o" * 1000)
    (scratch / "linked").write_bytes(b"l" * 1000)
    os.link(scratch / "linked", scratch / "linked-too")
    (scratch / "link").symlink_to(outside)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(scratch / "socket"))
        before = _used_percent(small_disk)
        assert before > 70
        temp = {"path": str(scratch), "older_than": "1m", "above": "60%", "down_to": "40%", "every": "2s"}
        with (scratch / "open").open("rb"):
            engine = engine_with(own_config({"temp_dirs": {"app": temp}}, ["clean_temp_files"])).start()
            assert actions(engine) == []
            # Everything is young at first. This one stays so; the others age.
            wait_for(lambda: _touched(scratch / "below" / "young") and actions(engine), "the cleaning", seconds=150)
            done = repaired(engine, "clean_temp_files", "temp_dir:app")
    assert 30 < _used_percent(small_disk) <= 40
    left = sorted(path.name for path in scratch.glob("old-*"))
    # The oldest went, in order: what is left is the newest.
    assert left == [f"old-{number:02}" for number in range(64 - len(left), 64)]
    assert 0 < len(left) < 64
    for name in names:
        assert (scratch / name).exists() or (scratch / name).is_symlink(), name
    assert outside.read_bytes() == b"keep" * 1000
    # The young file came after the test looked.
    assert _percent_in(done["effect"]["before"]) == pytest.approx(before, abs=0.5)
    assert _percent_in(done["effect"]["after"]) == pytest.approx(_used_percent(small_disk), abs=0.5)
    assert f"removed {64 - len(left)} files" in done["effect"]["detail"]
    assert "irreversible" in done["plan"]["warning"]
    assert len(actions(engine)) == 1


def _percent_in(said: str) -> float:
    found = re.fullmatch(r"disk used (\d+\.\d) %", said)
    assert found is not None, said
    return float(found[1])


def _touched(path: Path) -> bool:
    path.write_bytes(b"y" * 1000)
    return True


def test_a_cache_is_cleared_to_its_level_and_says_what_it_was_before(engine_with: Maker, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "deep").mkdir(parents=True)
    for number in range(40):
        place = (cache / "deep" if number % 2 else cache) / f"{number:02}"
        place.write_bytes(b"x" * 100_000)
        os.utime(place, (1_000_000 + number, 1_000_000 + number))
    watched = {"path": str(cache), "above": "3MiB", "down_to": "1MiB", "every": "1s"}
    engine = engine_with(own_config({"caches": {"thumbs": watched}}, ["clear_cache"])).start()
    done = repaired(engine, "clear_cache", "cache:thumbs")
    left = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    assert 900_000 <= left <= 2**20
    assert (done["effect"]["before"], done["effect"]["after"]) == ("3.8 MiB", "976.6 KiB")
    assert (cache / "deep").is_dir()
    assert len(actions(engine)) == 1


def test_logs_are_rotated_by_size_compressed_and_only_so_many_kept(engine_with: Maker, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "app.log"
    watched = {"path": str(logs / "*.log"), "rotate_at": "64KiB", "keep": 2, "every": "1s"}
    log.write_text("round 0\n" * 10_000)
    log.chmod(0o640)
    engine = engine_with(own_config({"logs": {"app": watched}}, ["rotate_logs"])).start()
    for number in range(4):
        wait_for(lambda number=number: len(actions(engine, "rotate_logs")) == number + 1, "a rotation")
        repaired(engine, "rotate_logs", "log:app")
        assert not log.exists() or log.stat().st_size == 0
        if number < 3:
            log.write_text(f"round {number + 1}\n" * 10_000)
            log.chmod(0o640)
    assert sorted(path.name for path in logs.iterdir()) in (
        ["app.log", "app.log.1.gz", "app.log.2.gz"], ["app.log.1.gz", "app.log.2.gz"],
    )  # fmt: skip
    for number, name in ((3, "app.log.1.gz"), (2, "app.log.2.gz")):
        with gzip.open(logs / name, "rt") as rotated:
            assert rotated.read() == f"round {number}\n" * 10_000
        assert (logs / name).stat().st_mode & 0o777 == 0o640
    effect = actions(engine)[-1]["effect"]
    assert effect["before"].endswith("KiB")
    assert effect["after"] == "0 B"


class _Writer:
    """A process that holds a log open for appending."""

    def __init__(self, log: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(WRITER), str(log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.written = 0
        self.write(1)

    def write(self, lines: int) -> None:
        """Have so many lines written, and wait until they are."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"." * lines)
        self.process.stdin.flush()
        self.written += lines
        while int(self.process.stdout.readline()) != self.written:
            continue

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def writer_of(tmp_path: Path) -> Iterator[Callable[[Path], _Writer]]:
    """Return a starter of writers."""
    with contextlib.ExitStack() as stack:

        def start(log: Path) -> _Writer:
            writer = _Writer(log)
            stack.callback(writer.close)
            return writer

        yield start


def test_a_writer_that_keeps_the_file_open_goes_on_in_it_and_no_line_is_lost(
    engine_with: Maker, tmp_path: Path, writer_of: Callable[[Path], _Writer]
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "app.log"
    writer = writer_of(log)
    watched = {"path": str(log), "rotate_at": "64KiB", "keep": 9, "compress": False, "every": "1s"}
    engine = engine_with(own_config({"logs": {"app": watched}}, ["rotate_logs"])).start()
    for number in range(1, 4):
        writer.write(1000)
        wait_for(lambda number=number: len(actions(engine, "rotate_logs")) == number, "a rotation")
        repaired(engine, "rotate_logs", "log:app")
        writer.write(10)
        # The very file that the writer holds is small again, and takes what comes.
        assert log.stat().st_size == 1000
    lines = re.findall(r"^(\d{9}) x{89}$", "".join(path.read_text() for path in logs.iterdir()), re.MULTILINE)
    assert sorted(map(int, lines)) == list(range(1, writer.written + 1))
    assert sorted(path.name for path in logs.iterdir()) == ["app.log", "app.log.1", "app.log.2", "app.log.3"]


@pytest.mark.skipif(not IS_ROOT, reason="mounting a small file system needs root")
def test_a_deleted_log_that_is_held_open_gives_its_room_back(
    engine_with: Maker, small_disk: Path, writer_of: Callable[[Path], _Writer]
) -> None:
    log = small_disk / "app.log"
    writer = writer_of(log)
    writer.write(40_000)
    before = _used_percent(small_disk)
    log.unlink()
    assert before > 45
    assert _used_percent(small_disk) == before
    watched = {"path": str(small_disk / "*.log"), "deleted_above": "1MiB"}
    engine = engine_with(own_config({"logs": {"app": watched}}, ["truncate_deleted_log"])).start()
    done = repaired(engine, "truncate_deleted_log", "log:app")
    assert _used_percent(small_disk) < 5
    assert done["effect"]["detail"].startswith("freed 3.8 MiB")
    # Its writer goes on undisturbed: what it writes next is all that there is.
    writer.write(10)
    descriptors = Path(f"/proc/{writer.process.pid}/fd").iterdir()
    (held,) = [each for each in descriptors if str(each.readlink()).startswith(str(log))]
    assert held.stat().st_size == 1000


@pytest.fixture
def own_logrotate(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """Return a maker of what an engine is started through so that it alone sees a logrotate with this configuration.

    Its /etc and /usr/sbin are the machine's with two files laid over them, in a mount namespace that ends with it.
    """

    def layered(configuration: str) -> tuple[str, ...]:
        for path, text in (
            ("etc/logrotate.conf", "weekly\ninclude /etc/logrotate.d\n"),
            ("etc/logrotate.d/zen-agents-test", configuration),
            ("usr/sbin/logrotate", ""),
        ):
            place = tmp_path / "layers" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        lay = 'mount -t overlay overlay -o "lowerdir=$0/{0}:/{0}" /{0}'.format
        before = (
            "unshare",
            "--mount",
            "sh",
            "-c",
            f'{lay("etc")} && {lay("usr/sbin")} && exec "$@"',
            str(tmp_path / "layers"),
        )
        tried = subprocess.run([*before, "true"], check=False, capture_output=True, text=True)
        if tried.returncode != 0:
            pytest.skip(f"no file can be laid over /etc here: {tried.stderr.strip()}")
        return before

    return layered


@pytest.mark.skipif(not IS_ROOT, reason="a mount namespace of its own needs root")
def test_what_logrotate_rotates_is_told_and_left(
    engine_with: Maker, tmp_path: Path, own_logrotate: Callable[[str], tuple[str, ...]]
) -> None:
    log, mine = tmp_path / "theirs.log", tmp_path / "mine.log"
    logs = {}
    for name, path in (("theirs", log), ("mine", mine)):
        path.write_text("x" * 100_000)
        logs[name] = {"path": str(path), "rotate_at": "64KiB", "every": "1s"}
    engine = engine_with(own_config({"logs": logs}, ["rotate_logs"]))
    engine.before = own_logrotate(f"{tmp_path}/their*.log {{\n  weekly\n}}\n")
    engine.start()
    repaired(engine, "rotate_logs", "log:mine")
    wait_for(lambda: "not_ours" in refusals(engine, "log:theirs"), "the refusal")
    assert "/etc/logrotate.d/zen-agents-test" in refusals(engine, "log:theirs")["not_ours"]
    assert log.stat().st_size == 100_000
    assert [row["target"] for row in actions(engine)] == ["log:mine"]
