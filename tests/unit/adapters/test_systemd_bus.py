"""Asking systemd over D-Bus: an answer is read, and whatever else comes is one kind of error, soon."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zen_agents.adapters.event_systemd import ERROR, RETURN, BusMessage, encode_text
from zen_agents.adapters.systemd_bus import BusError, SystemdBus, unit_of

Answer = Callable[[bytes], bytes]


def padded(content: bytes, to: int) -> bytes:
    return content + b"\0" * (-len(content) % to)


def with_state(message: bytes) -> bytes:
    """Return a message with all behind it that is asked for along with what every unit has."""
    own = reply(2, "v", text("success")) + reply(3, "v", b"\x01u\0\0" + struct.pack("<I", 4242))
    own += reply(4, "v", b"\x01u\0\0" + struct.pack("<I", 0)) + reply(5, "v", text("system.slice"))
    own += reply(6, "v", b"\x01t\0\0\0\0\0\0" + struct.pack("<Q", 70_000_000))
    return message + own + reply(7, "v", text("running"))


def text(value: str) -> bytes:
    return padded(b"\x01s\0", 4) + encode_text(value)


def reply(serial: int, signature: str, body: bytes, kind: int = RETURN) -> bytes:
    return BusMessage(kind, 1, reply_to=serial, signature=signature, body=body).encode()


def properties(**values: str | int) -> bytes:
    """Return an `a{sv}` of texts and 32-bit numbers, with one nested value that nobody wants in front."""
    body = b""
    nested = padded(encode_text("Condition") + b"\x05a(sb)\0", 4)
    inner = padded(encode_text("x"), 4) + struct.pack("<I", 1)
    body += nested + struct.pack("<I", len(inner)) + (b"" if (len(nested) + 4 + 8) % 8 == 0 else b"\0" * 4) + inner
    for name, value in values.items():
        body = padded(body, 8) + encode_text(name)
        if isinstance(value, str):
            body = padded(body + b"\x01s\0", 4) + encode_text(value)
        else:
            body = padded(body + b"\x01u\0", 4) + struct.pack("<I", value)
    return struct.pack("<II", len(body), 0) + body


WEB = {"Id": "web.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Answer], SystemdBus]]:
    """Start a systemd that answers everything after the greeting with what a function makes of it."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "private"))
    listener.listen(8)
    threads: list[threading.Thread] = []

    def begin(answer: Answer) -> SystemdBus:
        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    try:
                        greeted = b""
                        while b"BEGIN\r\n" not in greeted:
                            greeted += peer.recv(4096)
                        question = greeted.partition(b"BEGIN\r\n")[2]
                        peer.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                        peer.sendall(answer(question or peer.recv(65536)))
                    except OSError:
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        threads.append(thread)
        # Not root: the system bus's address is used, which greets with Hello; so it is named `private` as well.
        return SystemdBus(private=str(tmp_path / "private"), bus=str(tmp_path / "private"), timeout_seconds=0.5)

    yield begin
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(5)


def test_the_properties_of_a_unit_are_read_and_the_others_passed_over(serve: Callable[[Answer], SystemdBus]) -> None:
    unit = serve(lambda _: with_state(reply(1, "a{sv}", properties(**WEB)))).units(["web.service"])[0]["web.service"]
    assert unit is not None
    assert (unit.id, unit.active_state, unit.main_pid, unit.busy) == ("web.service", "active", 4242, False)


def test_a_unit_that_is_not_found_is_none(serve: Callable[[Answer], SystemdBus]) -> None:
    gone = WEB | {"LoadState": "not-found", "ActiveState": "inactive"}
    answer = with_state(reply(1, "a{sv}", properties(**gone)))
    assert serve(lambda _: answer).units(["web.service"]) == ({"web.service": None}, "running")


def test_an_answer_to_somebody_else_is_not_taken(serve: Callable[[Answer], SystemdBus]) -> None:
    both = reply(7, "a{sv}", properties(**(WEB | {"Id": "other.service"}))) + reply(1, "a{sv}", properties(**WEB))
    unit = serve(lambda _: with_state(both)).units(["web.service"])[0]["web.service"]
    assert unit is not None and unit.id == "web.service"


def test_a_refusal_says_why(serve: Callable[[Answer], SystemdBus]) -> None:
    refusal = reply(1, "s", encode_text("Access denied"), kind=ERROR)
    with pytest.raises(BusError, match="Access denied"):
        serve(lambda _: refusal).units(["web.service"])


def test_silence_ends_in_time(serve: Callable[[Answer], SystemdBus]) -> None:
    asked_for_ever = threading.Event()

    def silent(_: bytes) -> bytes:
        asked_for_ever.wait(20)
        return b""

    bus = serve(silent)
    with pytest.raises(BusError, match=r"in time|timed out"):
        bus.units(["web.service"])
    asked_for_ever.set()


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BusError):
        SystemdBus(private=str(tmp_path / "none"), bus=str(tmp_path / "none")).system_state()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_is_an_answer_or_one_kind_of_error(serve: Callable[[Answer], SystemdBus], seed: int) -> None:
    chance = random.Random(seed)

    def broken(_: bytes) -> bytes:
        message = bytearray(reply(1, "a{sv}", properties(**WEB)))
        for _ in range(chance.randrange(1, 6)):
            message[chance.randrange(len(message))] = chance.randrange(256)
        return bytes(message[: chance.randrange(1, len(message) + 1)]) + chance.randbytes(chance.randrange(40))

    bus = serve(broken)
    ended = 0
    for _ in range(60):
        try:
            bus.units(["web.service"])
        except BusError:
            ended += 1
    assert ended > 0


class Bus:
    """A bus that answers one call after the other, as long as it likes, and counts who came."""

    def __init__(self, path: Path, answers: int, kind: int = RETURN) -> None:
        self.path, self.met, self._answers, self._kind = path, 0, answers, kind
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.met += 1
            with peer:
                peer.recv(4096)
                peer.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                peer.sendall(reply(serial_of(peer.recv(4096)), "s", encode_text(":1.7")))
                for _ in range(self._answers):
                    if not (call := peer.recv(4096)):
                        break
                    body = text("running") if self._kind == RETURN else encode_text("no")
                    peer.sendall(reply(serial_of(call), "v" if self._kind == RETURN else "s", body, self._kind))


def serial_of(call: bytes) -> int:
    return int.from_bytes(call[8:12], "little")


@pytest.mark.parametrize(("answers", "met"), [(9, 1), (1, 3)])
def test_a_connection_to_the_bus_is_kept_and_made_anew_when_it_has_ended(tmp_path: Path, answers: int, met: int) -> None:
    bus = Bus(tmp_path / "bus", answers)
    asking = SystemdBus(private=str(tmp_path / "none"), bus=str(bus.path))
    assert [asking.system_state() for _ in range(3)] == ["running"] * 3
    assert bus.met == met
    del asking
    bus.close()


def test_a_connection_that_refused_is_not_kept(tmp_path: Path) -> None:
    bus = Bus(tmp_path / "bus", 1, kind=ERROR)
    asking = SystemdBus(private=str(tmp_path / "none"), bus=str(bus.path))
    for met in (1, 2):
        with pytest.raises(BusError, match="no"):
            asking.system_state()
        assert bus.met == met
    bus.close()


def unit_with(name: str, signature: bytes, value: bytes) -> bytes:
    """Return an answer about a unit that has one property of any kind; `value` begins where its signature ends."""
    entry = encode_text(name) + bytes([len(signature)]) + signature + b"\0" + value
    return with_state(reply(1, "a{sv}", struct.pack("<II", len(entry), 0) + entry))


@pytest.mark.parametrize("signature", [b"a()", b"a(a())", b"a{}"])
def test_an_array_of_values_without_a_size_ends(serve: Callable[[Answer], SystemdBus], signature: bytes) -> None:
    answer = unit_with("Job", signature, b"\0\0\0" + struct.pack("<II", 64, 0) + b"\0" * 64)
    with pytest.raises(BusError):
        serve(lambda _: answer).units(["web.service"])


def test_a_dictionary_whose_keys_are_lists_is_an_error(serve: Callable[[Answer], SystemdBus]) -> None:
    answer = unit_with("Job", b"a{ass}", struct.pack("<II", 32, 0) + b"\0" * 40)
    with pytest.raises(BusError):
        serve(lambda _: answer).units(["web.service"])


def test_a_number_is_no_invocation_of_so_many_bytes() -> None:
    with pytest.raises(BusError):
        unit_of({**WEB, "InvocationID": 1 << 62})
