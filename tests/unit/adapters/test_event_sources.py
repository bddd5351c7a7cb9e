"""Events wake what watches, at once, once, and never fail for want of a kernel feature."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from zen_agents.adapters import event_process
from zen_agents.adapters.event_log import LogEvents
from zen_agents.adapters.event_path import PathEvents
from zen_agents.adapters.event_pressure import PressureEvents
from zen_agents.adapters.event_process import ProcessEvents, make_room
from zen_agents.adapters.event_source import KindSource
from zen_agents.adapters.event_sources import EventSources
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.linux_view_files import MountReader
from zen_agents.adapters.local_file_systems import is_own, kinds_of
from zen_agents.ports.events import Wake, Watch
from zen_agents.ports.host_resources import Mount

GENEROUS = 20.0


class Listener:
    """Collects wakes, and can be waited for."""

    def __init__(self) -> None:
        self.wakes: list[Wake] = []
        self._news = asyncio.Event()

    def __call__(self, wake: Wake) -> None:
        self.wakes.append(wake)
        self._news.set()

    @property
    def subjects(self) -> list[str]:
        return [wake.subject for wake in self.wakes]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(GENEROUS):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def is_told(self, subject: str) -> bool:
        try:
            await self.until(lambda: subject in self.subjects)
        except TimeoutError:
            return False
        return True

    async def quiet(self) -> None:
        """Give the loop turns enough for anything that is pending to arrive."""
        for _ in range(20):
            await asyncio.sleep(0.002)


@pytest_asyncio.fixture
async def listener() -> Listener:
    return Listener()


@pytest_asyncio.fixture
async def events(listener: Listener) -> AsyncIterator[EventSources]:
    sources = EventSources([ProcessEvents(), PathEvents(), PressureEvents()])
    sources.open(listener)
    yield sources
    sources.close()


@pytest.fixture
def children() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["sleep", "1000"]))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.wait()


def watch_of(pid: int) -> Watch:
    process = LinuxHost("/nowhere").look().process(pid)
    assert process is not None
    return Watch("process", f"process.{pid}", pid, process.start_time)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are compared


def subject_of(watch: Watch) -> str:
    return f"process:{watch.pid}:{watch.start_time}"


# -- processes ------------------------------------------------------------------------------------------------------------


async def test_the_death_of_a_process_wakes_once(
    events: EventSources, listener: Listener, children: Callable[[], subprocess.Popen[bytes]]
) -> None:
    child = children()
    watch = watch_of(child.pid)
    events.watch([watch])
    child.send_signal(signal.SIGKILL)
    assert await listener.is_told(subject_of(watch))
    # It stays a zombie until its parent waits for it; watching it again must not wake tick after tick.
    events.watch([watch])
    events.watch([watch, Watch("path", "/nowhere")])
    await listener.quiet()
    assert listener.subjects == [subject_of(watch)]
    assert listener.wakes[0].source == "pidfd"


async def test_a_process_that_is_gone_already_wakes_at_once(
    events: EventSources, listener: Listener, children: Callable[[], subprocess.Popen[bytes]]
) -> None:
    child = children()
    watch = watch_of(child.pid)
    child.kill()
    child.wait()
    events.watch([watch])
    assert await listener.is_told(subject_of(watch))


async def test_a_reused_pid_counts_as_gone(events: EventSources, listener: Listener) -> None:
    watch = watch_of(os.getpid())
    stranger = Watch("process", "x", watch.pid, watch.start_time - 1)
    events.watch([stranger, watch])
    assert await listener.is_told(subject_of(stranger))
    await listener.quiet()
    assert subject_of(watch) not in listener.subjects


async def test_what_is_no_longer_watched_does_not_wake(
    events: EventSources, listener: Listener, children: Callable[[], subprocess.Popen[bytes]]
) -> None:
    child = children()
    events.watch([watch_of(child.pid)])
    events.watch([])
    child.kill()
    child.wait()
    await listener.quiet()
    assert listener.wakes == []


FAMILY = """
import os, sys
for _ in range(1000):
    if not os.fork():
        input()
        os._exit(0)
print("up", flush=True)
while True:
    os.wait()
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a thousand children, in a group of their own."""
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdin=-1, stdout=-1, start_new_session=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        yield parent
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)


async def test_a_thousand_processes_at_once(listener: Listener, family: subprocess.Popen[bytes]) -> None:
    table = LinuxHost("/nowhere").look().processes()
    watches = [watch_of(pid) for pid, process in table.items() if process.parent == family.pid]
    sources = EventSources([ProcessEvents()])
    sources.open(listener)
    sources.watch(watches)
    assert (len(watches), sources.unwatched) == (1000, {"process": 0})
    os.killpg(family.pid, signal.SIGKILL)
    await listener.until(lambda: len(listener.wakes) >= 1000)
    sources.close()
    assert sorted(listener.subjects) == sorted(map(subject_of, watches))


async def test_out_of_descriptors_the_rest_is_counted_and_tried_again(
    listener: Listener, children: Callable[[], subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watches = [watch_of(children().pid) for _ in range(3)]
    real = os.pidfd_open
    left = [1]

    def scarce(pid: int) -> int:
        if not left.pop():
            raise OSError(24, "Too many open files")
        left.append(0)
        return real(pid)

    monkeypatch.setattr(event_process.os, "pidfd_open", scarce)
    sources = EventSources([ProcessEvents()])
    sources.open(listener)
    left[:] = [0, 0, 1]
    sources.watch(watches)
    assert sources.unwatched["process"] > 0
    monkeypatch.setattr(event_process.os, "pidfd_open", real)
    sources.watch(watches)
    assert sources.unwatched == {"process": 0}
    sources.close()


async def test_a_kernel_without_pidfds_only_counts(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(event_process.os, "pidfd_open")
    sources = EventSources([ProcessEvents()])
    sources.open(listener)
    sources.watch([watch_of(os.getpid())])
    assert sources.unwatched == {"process": 1}
    sources.close()


async def test_closing_gives_every_descriptor_back(
    listener: Listener, tmp_path: Path, children: Callable[[], subprocess.Popen[bytes]]
) -> None:
    watches = [watch_of(children().pid), Watch("path", str(tmp_path / "x")), Watch("pressure", "memory")]
    before = open_descriptors()
    for _ in range(3):
        sources = EventSources([ProcessEvents(), PathEvents(), PressureEvents()])
        sources.open(listener)
        sources.watch(watches)
        sources.close()
        sources.close()
    assert open_descriptors() == before


def test_the_limit_of_descriptors_is_raised_only_when_needed() -> None:
    code = (
        "import resource as r, sys\n"
        "from zen_agents.adapters.event_process import make_room\n"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (64, hard))\n"
        "make_room(50); print(r.getrlimit(r.RLIMIT_NOFILE)[0])\n"
        "make_room(100); print(r.getrlimit(r.RLIMIT_NOFILE)[0])\n"
        "make_room(10**12); print(r.getrlimit(r.RLIMIT_NOFILE)[0] == hard)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["64", "200", "True"]
    assert make_room(1) is None
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1


# -- paths ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["write", "chmod", "unlink", "replace", "to_directory"])
async def test_a_change_of_a_file_wakes(events: EventSources, listener: Listener, tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    (tmp_path / "new").write_text("two")
    events.watch([Watch("path", str(path))])
    changes: dict[str, Callable[[], object]] = {
        "write": lambda: path.write_text("two"),
        "chmod": lambda: path.chmod(0o600),
        "unlink": path.unlink,
        "replace": lambda: (tmp_path / "new").replace(path),
        "to_directory": lambda: (path.unlink(), path.mkdir()),
    }
    changes[change]()
    assert await listener.is_told(f"path:{path}")


async def test_a_replaced_file_goes_on_waking(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    events.watch([Watch("path", str(path))])
    for number in range(3):
        listener.wakes.clear()
        (tmp_path / "new").write_text(str(number))
        (tmp_path / "new").replace(path)
        assert await listener.is_told(f"path:{path}")


async def test_other_names_in_the_directory_do_not_wake(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    events.watch([Watch("path", str(tmp_path / "a.txt"))])
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "a.txt2").write_text("")
    await listener.quiet()
    assert listener.wakes == []


async def test_a_path_whose_directories_are_still_missing_is_followed_down(
    events: EventSources, listener: Listener, tmp_path: Path
) -> None:
    path = tmp_path / "one/two/three.txt"
    events.watch([Watch("path", str(path))])
    assert events.unwatched["path"] == 0
    for step in (tmp_path / "one", tmp_path / "one/two"):
        listener.wakes.clear()
        step.mkdir()
        assert await listener.is_told(f"path:{path}")
    await listener.quiet()
    listener.wakes.clear()
    path.write_text("")
    assert await listener.is_told(f"path:{path}")


async def test_directories_made_in_one_go_are_not_missed(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "one/two/three.txt"
    events.watch([Watch("path", str(path))])
    path.parent.mkdir(parents=True)
    assert await listener.is_told(f"path:{path}")
    await listener.quiet()
    listener.wakes.clear()
    path.write_text("")
    assert await listener.is_told(f"path:{path}")


async def test_a_directory_that_goes_and_comes_back(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "one/a.txt"
    path.parent.mkdir()
    events.watch([Watch("path", str(path))])
    path.parent.rmdir()
    assert await listener.is_told(f"path:{path}")
    path.parent.mkdir()
    await listener.quiet()
    listener.wakes.clear()
    path.write_text("")
    assert await listener.is_told(f"path:{path}")


async def test_two_names_of_one_directory_both_wake(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    paths = [str(tmp_path / "real/a.txt"), str(tmp_path / "link/a.txt")]
    events.watch([Watch("path", path) for path in paths])
    (tmp_path / "real/a.txt").write_text("")
    await listener.until(lambda: {f"path:{path}" for path in paths} <= set(listener.subjects))
    events.watch([Watch("path", paths[1])])
    listener.wakes.clear()
    (tmp_path / "real/a.txt").chmod(0o600)
    assert await listener.is_told(f"path:{paths[1]}")
    assert f"path:{paths[0]}" not in listener.subjects


async def test_many_changes_wake_once_a_turn(events: EventSources, listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    events.watch([Watch("path", str(path))])
    for number in range(50):
        path.write_text(str(number))
    assert await listener.is_told(f"path:{path}")
    await listener.quiet()
    assert listener.subjects == [f"path:{path}"]


@pytest.mark.parametrize("path", ["/", "relative", "", "/with\0nul"])
async def test_a_path_that_cannot_be_watched_is_no_error(events: EventSources, listener: Listener, path: str) -> None:
    events.watch([Watch("path", path)])
    await listener.quiet()
    assert listener.wakes == []


# -- pressure -------------------------------------------------------------------------------------------------------------


async def test_without_pressure_stalls_it_only_counts(listener: Listener, tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("")
    sources = EventSources([PressureEvents(str(tmp_path))])
    sources.open(listener)
    sources.watch([Watch("pressure", "memory"), Watch("pressure", "cpu"), Watch("pressure", "../../etc/passwd")])
    assert sources.unwatched == {"pressure": 2}
    await listener.quiet()
    assert listener.wakes == []
    sources.close()


# -- all together ---------------------------------------------------------------------------------------------------------


class Recording:
    """A source that does nothing but remember."""

    kind = "process"
    unwatched = 0

    def __init__(self) -> None:
        self.push: Callable[[Wake], None] = lambda wake: None
        self.watched: list[Sequence[Watch]] = []

    def open(self, loop: asyncio.AbstractEventLoop, push: Callable[[Wake], None]) -> None:
        self.push = push

    def watch(self, watches: Sequence[Watch]) -> None:  # type: ignore[override]
        self.watched.append(watches)

    def close(self) -> None:
        self.watched.clear()


async def test_the_same_watches_again_cost_nothing(listener: Listener) -> None:
    source: KindSource = Recording()  # type: ignore[assignment]
    sources = EventSources([source])
    sources.open(listener)
    watches = [Watch("process", "x", 1, 2), Watch("unit", "y")]
    sources.watch(watches)
    sources.watch(list(reversed(watches)))
    assert source.watched == [[watches[0]]]  # type: ignore[attr-defined]


async def test_a_wake_that_fails_does_not_cost_the_others_theirs(listener: Listener) -> None:
    source = Recording()
    sources = EventSources([source])  # type: ignore[list-item]
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    def fragile(wake: Wake) -> None:
        if wake.subject == "bad":
            raise RuntimeError("no")
        listener(wake)

    sources.open(fragile)
    for subject in ("bad", "good", "good"):
        source.push(Wake(subject, "test"))
    assert await listener.is_told("good")
    assert listener.subjects == ["good"]
    assert [str(context["exception"]) for context in reported] == ["no"]


async def test_after_closing_nothing_wakes(listener: Listener) -> None:
    source = Recording()
    sources = EventSources([source])  # type: ignore[list-item]
    sources.open(listener)
    source.push(Wake("late", "test"))
    sources.close()
    await listener.quiet()
    assert listener.wakes == []


async def test_the_shipped_sources_open_and_close_anywhere(listener: Listener) -> None:
    sources = EventSources()
    sources.open(listener)
    sources.watch([Watch("unit", "nginx.service"), Watch("pressure", "io"), Watch("path", "/etc/x"), Watch("other", "z")])
    assert set(sources.unwatched) == {"process", "path", "log", "unit", "pressure"}
    sources.close()
    await listener.quiet()
    assert listener.wakes == []


async def test_a_log_that_is_kept_open_wakes_with_each_write_and_a_watched_path_does_not(
    listener: Listener, tmp_path: Path
) -> None:
    path = str(tmp_path / "app.log")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sources = EventSources([PathEvents(), LogEvents()])
    sources.open(listener)
    try:
        sources.watch([Watch("path", path), Watch("log", path)])
        os.write(descriptor, b"one line\n")
        assert await listener.is_told(f"log:{path}")
        await listener.quiet()
        assert f"path:{path}" not in listener.subjects
    finally:
        sources.close()
        os.close(descriptor)


class Glances:
    """Answers in turn when it is asked what a log says, and counts."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers, self.asked = list(answers), 0
        self._another = threading.Condition()

    def __call__(self, _host: object, _now: object) -> bool:
        answer = self._answers.pop(0) if self._answers else False
        with self._another:
            self.asked += 1
            self._another.notify_all()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, times: int) -> None:
        def wait() -> bool:
            with self._another:
                return self._another.wait_for(lambda: self.asked >= times, GENEROUS)

        assert await asyncio.to_thread(wait)


def append(path: Path) -> None:
    with path.open("a") as log:
        log.write("one more\n")


@pytest.mark.parametrize("news", [True, OSError("away")], ids=["news", "a glance that fails"])
async def test_a_write_wakes_nobody_before_a_glance_says_that_it_is_news(
    listener: Listener, tmp_path: Path, news: bool | Exception
) -> None:
    path, beside, glances = tmp_path / "app.log", tmp_path / "other.log", Glances(False, news)
    path.touch()
    beside.touch()
    sources = EventSources([LogEvents(lambda glance: glance(None, None))])  # type: ignore[arg-type]
    sources.open(listener)
    try:
        sources.watch([Watch("log", str(path), glance=glances)])
        append(beside)
        append(path)
        await glances.until(1)
        assert listener.wakes == []
        append(path)
        assert await listener.is_told(f"log:{path}")
        assert glances.asked == 2
    finally:
        sources.close()


async def test_a_log_is_followed_under_its_name_and_each_who_reads_it_is_asked(listener: Listener, tmp_path: Path) -> None:
    path, first, second = tmp_path / "app.log", Glances(), Glances()
    sources = EventSources([LogEvents(lambda glance: glance(None, None))])  # type: ignore[arg-type]
    sources.open(listener)
    try:
        sources.watch([Watch("log", str(path), glance=first), Watch("log", str(path), glance=second)])
        path.touch()
        assert await listener.is_told(f"log:{path}"), "that it is there now"
        path.rename(tmp_path / "app.log.1")
        path.touch()
        await listener.until(lambda: len(listener.wakes) > 1)
        await listener.quiet()
        before = first.asked, second.asked
        append(path)
        await first.until(before[0] + 1)
        await second.until(before[1] + 1)
        assert set(sources.unwatched.values()) == {0}
    finally:
        sources.close()


async def test_a_log_of_another_host_is_left_to_the_looks_and_holds_up_no_glance(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far, near = tmp_path / "far" / "app.log", tmp_path / "far" / "near" / "app.log"
    near.parent.mkdir(parents=True)
    far.touch()
    near.touch()
    mounts = [Mount("/", "/dev/x", "ext4", False, 1), Mount(str(far.parent), "server:/x", "nfs4", False, 2),
              Mount(str(near.parent), "/dev/y", "ext4", False, 3)]  # fmt: skip
    monkeypatch.setattr(MountReader, "mounts", lambda _: mounts)
    at_far, at_near = Glances(), Glances()
    sources = EventSources([LogEvents(lambda glance: glance(None, None))])  # type: ignore[arg-type]
    sources.open(listener)
    try:
        sources.watch([Watch("log", str(far), glance=at_far), Watch("log", str(near), glance=at_near)])
        assert sources.unwatched == {"log": 1}
        append(far)
        append(near)
        await at_near.until(1)
        assert at_far.asked == 0
        assert sources.tells_of(Watch("log", str(near), glance=at_near))
        assert not sources.tells_of(Watch("log", str(far), glance=at_far))
    finally:
        sources.close()


async def test_a_glance_that_hangs_holds_up_neither_the_loop_nor_the_end(listener: Listener, tmp_path: Path) -> None:
    path, begun, ended, before = tmp_path / "app.log", threading.Event(), threading.Event(), open_descriptors()
    path.touch()

    def hangs(_host: object, _now: object) -> bool:
        begun.set()
        return ended.wait(GENEROUS)

    sources = EventSources([LogEvents(lambda glance: glance(None, None))])  # type: ignore[arg-type]
    sources.open(listener)
    sources.watch([Watch("log", str(path), glance=hangs)])
    append(path)
    assert await asyncio.to_thread(begun.wait, GENEROUS)
    sources.close()
    ended.set()
    await listener.quiet()
    assert listener.wakes == []
    for _ in range(round(GENEROUS / 0.002)):
        if not open_descriptors() - before:
            return
        await asyncio.sleep(0.002)
    raise AssertionError("the thread left descriptors behind")


async def test_a_log_is_told_of_once_it_is_there_and_not_where_others_may_write(listener: Listener, tmp_path: Path) -> None:
    watch, elsewhere = (
        Watch("log", str(tmp_path / "app.log"), glance=Glances()),
        Watch("log", "/proc/self/status", glance=Glances()),
    )
    sources = EventSources([LogEvents(lambda glance: glance(None, None))])  # type: ignore[arg-type]
    sources.open(listener)
    try:
        sources.watch([watch, elsewhere])
        assert not sources.tells_of(watch), "there is none whose writes could be watched"
        assert not sources.tells_of(elsewhere), "who changes a file of the kernel tells nobody"
        append(tmp_path / "app.log")
        assert await listener.is_told(f"log:{watch.name}")
        assert sources.tells_of(watch) is is_own(kinds_of([watch.name])[watch.name])
        sources.watch([])
        assert not sources.tells_of(watch)
    finally:
        sources.close()


async def test_a_new_file_of_a_pattern_wakes_and_another_one_does_not(listener: Listener, tmp_path: Path) -> None:
    watch = Watch("log", str(tmp_path / "app-*.log"))
    sources = EventSources([LogEvents(None)])
    sources.open(listener)
    try:
        sources.watch([watch])
        append(tmp_path / "web-1.log")
        await listener.quiet()
        assert listener.wakes == []
        append(tmp_path / "app-1.log")
        assert await listener.is_told(f"log:{watch.name}")
        assert sources.tells_of(watch) is is_own(kinds_of([watch.name])[watch.name])
    finally:
        sources.close()
