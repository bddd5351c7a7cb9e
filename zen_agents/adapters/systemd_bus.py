"""systemd asked over D-Bus, without a child: what `systemctl show` tells in twelve milliseconds costs one here.

A connection is made for each look and closed again, so nothing is shared between threads and nothing is left to break. root
asks systemd itself through its private socket, others by way of the system bus. Whatever goes wrong is a `BusError`; the
caller asks `systemctl` then.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zen_agents.adapters.dbus_values import ValueReader
from zen_agents.adapters.event_systemd import BUS, CALL, ERROR, RETURN, SYSTEMD, BusMessage, encode_text, unit_path
from zen_agents.errors import HostError
from zen_agents.ports.host import Unit

_MANAGER_PATH, _MANAGER = "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager"
_PROPERTIES = f"{BUS}.Properties"
_LONGEST_MESSAGE = 4 << 20
_INFINITE = 2**64 - 1
_TAKES_ALONG = ("RequiredBy", "BoundBy", "ConsistsOf", "PropagatesStopTo")
#: Of what every unit has.
_WANTED = {
    "Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "InvocationID", "StateChangeTimestampMonotonic", "Job",
    "StartLimitBurst", "StartLimitIntervalUSec", *_TAKES_ALONG,
}  # fmt: skip
#: Of what only units of a kind have. Each is asked by itself: for all of them systemd reads the unit's control group, twice
#: as long as everything else takes.
_WANTED_OF_KIND = {
    "service": ("Result", "MainPID", "NRestarts", "Slice"),
    "slice": ("Slice",),
    **dict.fromkeys(("socket", "mount", "swap", "scope"), ("Result", "Slice")),
    **dict.fromkeys(("automount", "timer", "path"), ("Result",)),
}


class BusError(HostError):
    """systemd could not be asked over D-Bus; look at: systemctl status dbus."""


class SystemdBus:
    """Asks systemd for the state of units and of the whole host."""

    def __init__(
        self,
        *,
        private: str = "/run/systemd/private",
        bus: str = "/run/dbus/system_bus_socket",
        timeout_seconds: float = 0.8,
    ) -> None:
        self._private, self._bus, self._timeout_seconds = private, bus, timeout_seconds

    def units(self, names: Sequence[str]) -> tuple[Mapping[str, Unit | None], str]:
        """Return the units by the names they were asked by, None for one that systemd does not know, and the system's state.

        BusError if they cannot be told.
        """
        with _Connection(self._address(), self._timeout_seconds) as connection:
            asked = {name: _ask_for(name, connection) for name in names}
            system = connection.send(_MANAGER_PATH, _PROPERTIES, "Get", _MANAGER, "SystemState")
            answers = connection.replies([*(serial for serials in asked.values() for serial in serials.values()), system])
        return {name: unit_of(_told(serials, answers)) for name, serials in asked.items()}, str(answers[system])

    def system_state(self) -> str:
        """Return what `systemctl is-system-running` says; else BusError."""
        with _Connection(self._address(), self._timeout_seconds) as connection:
            serial = connection.send(_MANAGER_PATH, _PROPERTIES, "Get", _MANAGER, "SystemState")
            state = connection.replies([serial])[serial]
        if not isinstance(state, str):
            raise BusError("systemd did not say how it is")
        return state

    def _address(self) -> str:
        return self._private if os.geteuid() == 0 and Path(self._private).is_socket() else self._bus


class _Connection:
    """One conversation, with one deadline for all of it."""

    def __init__(self, address: str, timeout_seconds: float) -> None:
        self._address, self._deadline = address, time.monotonic() + timeout_seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._serial, self._prepared, self._received = 0, b"", b""

    def __enter__(self) -> _Connection:
        try:
            self._patience()
            self._socket.connect(self._address)
            self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
            while b"\r\n" not in self._received:
                self._receive()
            word, _, self._received = self._received.partition(b"\r\n")
            if not word.startswith(b"OK "):
                raise BusError("the bus did not accept this account")
            if not self._address.endswith("/private"):
                hello = self.send("/org/freedesktop/DBus", BUS, "Hello", destination=BUS)
                self.replies([hello])
        except BaseException as error:
            self._socket.close()
            raise _bus_error(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, path: str, interface: str, member: str, *texts: str, destination: str = SYSTEMD) -> int:
        """Prepare a call, to be sent with the others, and return its serial."""
        self._serial += 1
        body = b""
        for text in texts:
            body += b"\0" * (-len(body) % 4) + encode_text(text)
        call = BusMessage(CALL, self._serial, path, interface, member, destination, 0, "s" * len(texts), body)
        self._prepared += call.encode()
        return self._serial

    def replies(self, serials: Sequence[int]) -> dict[int, Any]:
        """Return the first value of the reply to each of these calls; BusError if one was refused or does not come."""
        wanted, found = set(serials), {}
        try:
            self._patience()
            self._socket.sendall(self._prepared)
            self._prepared = b""
            while wanted:
                kind, reply_to, value = self._message()
                if reply_to in wanted and kind == ERROR:
                    raise BusError(f"systemd refused to answer: {value}")
                if reply_to in wanted and kind == RETURN:
                    found[reply_to] = value
                    wanted.discard(reply_to)
        except (OSError, ValueError, struct.error, IndexError) as error:
            raise _bus_error(error) from error
        return found

    def _message(self) -> tuple[int, int, Any]:
        """Return kind, serial of the call it answers, and first value of the next message."""
        head = self._take(16)
        order = {b"l": "<", b"B": ">"}.get(head[:1], "")
        if not order:
            raise ValueError("not a D-Bus message")
        body_length, _, fields_length = struct.unpack(f"{order}III", head[4:])
        padded = (fields_length + 7) // 8 * 8
        if padded + body_length > _LONGEST_MESSAGE:
            raise ValueError("a D-Bus message is too long")
        block, body = head + self._take(padded), self._take(body_length)
        fields = dict(ValueReader(block[: 16 + fields_length], order, 12).value("a(yv)"))
        signature = str(fields.get(8, ""))
        reader, value = ValueReader(body, order, 0), None
        if signature.startswith("a{sv}"):
            value = reader.entries(_WANTED)
        elif signature and head[1] in (RETURN, ERROR):
            value = reader.value(signature)
        return head[1], int(fields.get(5, 0)), value

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._receive()
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _receive(self) -> None:
        self._patience()
        piece = self._socket.recv(65536)
        if not piece:
            raise ConnectionError("systemd hung up")
        self._received += piece

    def _patience(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("systemd did not answer in time")
        self._socket.settimeout(left)


def _ask_for(name: str, connection: _Connection) -> dict[str, int]:
    """Prepare the calls that tell of a unit; return their serials, "" for what every unit has, else by property."""
    # Naming the path of a unit loads it, as `systemctl show` does.
    path, kind = unit_path(name), name.rpartition(".")[2]
    own = f"{SYSTEMD}.{kind.capitalize()}"
    serials = {"": connection.send(path, _PROPERTIES, "GetAll", f"{SYSTEMD}.Unit")}
    return serials | {key: connection.send(path, _PROPERTIES, "Get", own, key) for key in _WANTED_OF_KIND.get(kind, ())}


def _told(serials: Mapping[str, int], answers: Mapping[int, Any]) -> dict[str, Any]:
    common = answers[serials[""]]
    if not isinstance(common, dict):
        raise BusError("systemd told no properties of a unit")
    return common | {key: answers[serial] for key, serial in serials.items() if key}


def unit_of(said: Any) -> Unit | None:
    """Return what all properties of a unit say; None for a unit that is not found, BusError for what is no unit."""
    try:
        if said["LoadState"] == "not-found" and said["ActiveState"] == "inactive":
            return None
        interval = int(said.get("StartLimitIntervalUSec", 0))
        alongs = (said.get(key, ()) for key in _TAKES_ALONG)
        return Unit(
            id=said["Id"],
            load_state=said["LoadState"],
            active_state=said["ActiveState"],
            sub_state=said["SubState"],
            result=said.get("Result", ""),
            unit_file_state=said.get("UnitFileState", ""),
            main_pid=int(said.get("MainPID", 0)),
            restarts=int(said.get("NRestarts", 0)),
            invocation=bytes(said.get("InvocationID", b"")).hex(),
            changed_us=int(said.get("StateChangeTimestampMonotonic", 0)),
            busy=said.get("Job", (0, "/"))[0] != 0,
            takes_along=tuple(dict.fromkeys(unit for along in alongs for unit in along)),
            start_limit_burst=int(said.get("StartLimitBurst", 0)),
            start_limit_interval_seconds=float("inf") if interval == _INFINITE else interval / 1e6,
            slice=said.get("Slice", ""),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BusError(f"systemd did not tell {error} of a unit") from error


def _bus_error(error: BaseException) -> BaseException:
    if isinstance(error, BusError) or not isinstance(error, (OSError, ValueError, struct.error, IndexError)):
        return error
    return BusError(f"systemd could not be asked over D-Bus: {error}")
