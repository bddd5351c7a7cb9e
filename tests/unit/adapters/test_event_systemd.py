"""Unit changes over D-Bus: against a real bus with a systemd of ours on it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.adapters.event_systemd import (
    BUS,
    CALL,
    RETURN,
    SIGNAL,
    SYSTEMD,
    BusMessage,
    UnitEvents,
    encode_text,
    greet,
    read_message,
    unit_path,
)
from zen_agents.ports.events import Wake, Watch

GENEROUS = 20.0
needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"""


class FakeSystemd:
    """Owns systemd's name on a bus, answers Subscribe, and says that units changed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._serial = 10
        self.subscribers: list[str] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._answer())

    @classmethod
    async def on(cls, bus: str) -> FakeSystemd:
        reader, writer = await asyncio.open_unix_connection(bus)
        async with asyncio.timeout(GENEROUS):
            await greet(reader, writer)
        body = encode_text(SYSTEMD)
        body += b"\0" * (-len(body) % 4) + b"\0\0\0\0"
        writer.write(
            BusMessage(CALL, 5, "/org/freedesktop/DBus", BUS, "RequestName", BUS, signature="su", body=body).encode()
        )
        return cls(reader, writer)

    async def _answer(self) -> None:
        while True:
            message = await read_message(self._reader)
            if message.kind == CALL and message.member == "Subscribe":
                self.subscribers.append(message.path)
                # The second to come onto the bus is ours.
                self.send(BusMessage(RETURN, 0, reply_to=message.serial, destination=":1.1"))
                self._news.set()

    def send(self, message: BusMessage) -> None:
        self._serial += 1
        fields = {name: getattr(message, name) for name in ("path", "interface", "member", "destination", "reply_to")}
        self._writer.write(
            BusMessage(message.kind, self._serial, signature=message.signature, body=message.body, **fields).encode()
        )

    def tell(self, unit: str, *, member: str = "PropertiesChanged", to: str = "") -> None:
        self.send(BusMessage(SIGNAL, 0, unit_path(unit), f"{BUS}.Properties", member, to))

    async def until_subscribed(self) -> None:
        async with asyncio.timeout(GENEROUS):
            await self._news.wait()

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "bus"
    (tmp_path / "bus.conf").write_text(BUS_CONFIG.format(path=path))
    argv = ["dbus-daemon", f"--config-file={tmp_path}/bus.conf", "--nofork", "--print-address"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        yield str(path)
        daemon.kill()


@pytest_asyncio.fixture
async def systemd(bus: str) -> AsyncIterator[FakeSystemd]:
    fake = await FakeSystemd.on(bus)
    yield fake
    await fake.leave()


class Waiter:
    def __init__(self) -> None:
        self.wakes: list[Wake] = []
        self._news = asyncio.Event()

    def __call__(self, wake: Wake) -> None:
        self.wakes.append(wake)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(GENEROUS):
            while not condition():
                self._news.clear()
                await self._news.wait()


@needs_bus
async def test_a_change_of_a_watched_unit_wakes(bus: str, systemd: FakeSystemd, tmp_path: Path) -> None:
    waiter, events = Waiter(), UnitEvents(bus, str(tmp_path))
    events.open(asyncio.get_running_loop(), waiter)
    assert events.unwatched == 0
    events.watch([Watch("unit", "web-1.service"), Watch("unit", "db")])
    await systemd.until_subscribed()
    # Once connected everything is looked at, for it may have changed before.
    await waiter.until(lambda: len(waiter.wakes) == 2)
    assert events.unwatched == 0
    waiter.wakes.clear()
    systemd.tell("other.service")
    systemd.tell("db.service", member="SomethingElse")
    systemd.tell("web-1.service", to=":1.1")
    systemd.tell("web-1.service")
    systemd.tell("db.service")
    await waiter.until(lambda: len(waiter.wakes) >= 2)
    assert waiter.wakes == [Wake("unit:web-1.service", "systemd"), Wake("unit:db", "systemd")]
    events.close()
    await asyncio.sleep(0)


async def test_without_systemd_or_a_bus_it_only_counts(tmp_path: Path) -> None:
    waiter = Waiter()
    for mark in (tmp_path / "nothing", tmp_path):
        events = UnitEvents(str(tmp_path / "no-bus"), str(mark))
        events.open(asyncio.get_running_loop(), waiter)
        events.watch([Watch("unit", "web.service")])
        for _ in range(10):
            await asyncio.sleep(0)
        assert events.unwatched == 1
        events.close()
        await asyncio.sleep(0)
    assert waiter.wakes == []


@pytest.mark.parametrize(
    "answer", [b"", b"REJECTED EXTERNAL\r\n", b"OK 12\r\n" + b"\xff" * 64, b"OK 12\r\nl\2\1\1" + b"\xff" * 64]
)
async def test_a_bus_that_talks_nonsense_is_left(tmp_path: Path, answer: bytes) -> None:
    met = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.write_eof()
        await reader.read()
        writer.close()
        met.set()

    server = await asyncio.start_unix_server(serve, tmp_path / "bus")
    waiter, events = Waiter(), UnitEvents(str(tmp_path / "bus"), str(tmp_path))
    events.open(asyncio.get_running_loop(), waiter)
    events.watch([Watch("unit", "web.service")])
    async with asyncio.timeout(GENEROUS):
        await met.wait()
    assert events.unwatched == 1
    assert waiter.wakes == []
    events.close()
    server.close()
    await asyncio.sleep(0)


def test_a_unit_path_is_spelt_as_systemd_does() -> None:
    assert unit_path("nginx.service") == "/org/freedesktop/systemd1/unit/nginx_2eservice"
    assert unit_path("getty@tty1").endswith("/getty_40tty1_2eservice")
    assert unit_path("1a-b.socket").endswith("/_31a_2db_2esocket")


@given(
    st.builds(
        BusMessage,
        kind=st.sampled_from([CALL, RETURN, SIGNAL]),
        serial=st.integers(1, 2**32 - 1),
        path=st.text("abc/_", max_size=40),
        interface=st.text("abc.", max_size=40),
        member=st.text("abcX", max_size=40),
        destination=st.text("a.:1", max_size=20),
        reply_to=st.integers(0, 2**32 - 1),
        signature=st.text("su", max_size=8),
        body=st.binary(max_size=100),
    )
)
def test_a_message_comes_back_as_it_went(message: BusMessage) -> None:
    assert asyncio.run(_read(message.encode())) == message


@given(st.binary(max_size=300))
def test_what_is_no_message_is_an_error(content: bytes) -> None:
    with pytest.raises((ValueError, EOFError)):
        asyncio.run(_read(b"x" + content))


@given(st.binary(min_size=16, max_size=300))
def test_a_damaged_message_never_hangs(content: bytes) -> None:
    try:
        asyncio.run(_read(b"l" + content))
    except Exception as error:
        assert isinstance(error, ValueError | EOFError | IndexError)


async def _read(content: bytes) -> BusMessage:
    reader = asyncio.StreamReader()
    reader.feed_data(content)
    reader.feed_eof()
    return await read_message(reader)
