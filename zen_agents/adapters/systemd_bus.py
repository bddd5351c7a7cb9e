"""systemd asked over D-Bus, without a child: what `systemctl show` tells in twelve milliseconds costs one here.

The system bus is asked, over a connection that is kept: making one costs as much as an answer. Where there is no bus, root
asks systemd itself through its private socket, each time anew, for systemd sends all its signals to whoever stays there.
Whatever goes wrong is a `BusError`; the caller asks `systemctl` then.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from zen_agents.adapters.dbus_values import ValueReader, encode_values
from zen_agents.adapters.event_systemd import BUS, CALL, ERROR, RETURN, SYSTEMD, BusMessage, unit_path
from zen_agents.errors import HostError
from zen_agents.ports.host_units import Unit

_Answer = TypeVar("_Answer")
#: The system bus lets a client wait for 128 replies, and refuses the rest.
_CALLS_AT_ONCE = 100
#: So many threads look at the same time at most without making a connection anew.
_MOST_IDLE = 2
_MANAGER_PATH, _MANAGER = "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager"
_PROPERTIES = f"{BUS}.Properties"
_LONGEST_MESSAGE = 4 << 20
_INFINITE = 2**64 - 1
_TAKES_ALONG = ("RequiredBy", "BoundBy", "ConsistsOf", "PropagatesStopTo")
#: Of what every unit has.
_WANTED = {
    "Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "InvocationID", "StateChangeTimestampMonotonic", "Job",
    "StartLimitBurst", "StartLimitIntervalUSec", "ActiveExitTimestampMonotonic", *_TAKES_ALONG,
}  # fmt: skip
#: Of what only units of a kind have. Each is asked by itself: for all of them systemd reads the unit's control group, twice
#: as long as everything else takes.
_WANTED_OF_KIND = {
    "service": ("Result", "MainPID", "NRestarts", "Slice", "ExecMainExitTimestampMonotonic"),
    "slice": ("Slice",),
    **dict.fromkeys(("socket", "mount", "swap", "scope"), ("Result", "Slice")),
    **dict.fromkeys(("automount", "timer", "path"), ("Result",)),
}


class BusError(HostError):
    """systemd could not be asked over D-Bus; look at: systemctl status dbus."""


class BusGoneError(BusError):
    """The connection has ended; look at: systemctl status dbus."""


class SystemdBus:
    """Asks systemd for the state of units and of the whole host; may be used from several threads."""

    def __init__(
        self,
        *,
        private: str = "/run/systemd/private",
        bus: str = "/run/dbus/system_bus_socket",
        timeout_seconds: float = 0.8,
    ) -> None:
        self._private, self._bus, self._timeout_seconds = private, bus, timeout_seconds
        #: Connections to the bus that nobody uses now; whoever takes one has it alone.
        self._idle: deque[_Connection] = deque(maxlen=_MOST_IDLE)

    def units(self, names: Sequence[str]) -> tuple[Mapping[str, Unit | None], str]:
        """Return the units by the names they were asked by, None for one that systemd does not know, and the system's state.

        BusError if they cannot be told.
        """
        return self._ask(lambda connection: _units(names, connection))

    def system_state(self) -> str:
        """Return what `systemctl is-system-running` says; else BusError."""
        return self._ask(_system_state)

    def _ask(self, question: Callable[[_Connection], _Answer]) -> _Answer:
        try:
            # One that has ended meanwhile (the bus was started anew) is no answer yet.
            with contextlib.suppress(BusGoneError):
                return self._ask_over(self._idle.pop().renewed(self._timeout_seconds), question)
        except IndexError:
            pass  # no connection is idle
        return self._ask_over(self._connected(), question)

    def _ask_over(self, connection: _Connection, question: Callable[[_Connection], _Answer]) -> _Answer:
        keep = False
        try:
            answer = question(connection)
            keep = connection.is_of_bus
        finally:
            # After an error nobody knows what still comes.
            if keep:
                self._idle.append(connection)
            else:
                connection.close()
        return answer

    def _connected(self) -> _Connection:
        try:
            return _Connection(self._bus, self._timeout_seconds)
        except BusError:
            if os.geteuid() != 0:
                raise
            return _Connection(self._private, self._timeout_seconds)


class _Connection:
    """A conversation with systemd, by way of the bus or without it; BusError if it cannot be begun."""

    def __init__(self, address: str, timeout_seconds: float) -> None:
        self._deadline = time.monotonic() + timeout_seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._serial, self._received = 0, b""
        #: Calls that were not sent yet, by serial.
        self._prepared: dict[int, bytes] = {}
        self.is_of_bus = not address.endswith("/private")
        try:
            self._patience()
            self._socket.connect(address)
            self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
            while b"\r\n" not in self._received:
                self._receive()
            word, _, self._received = self._received.partition(b"\r\n")
            if not word.startswith(b"OK "):
                raise BusError("the bus did not accept this account")
            if self.is_of_bus:
                self.send("/org/freedesktop/DBus", BUS, "Hello", destination=BUS)
                self.replies()
        except BaseException as error:
            self.close()
            raise _bus_error(error) from error

    def __del__(self) -> None:
        # One that is kept ends with whoever kept it.
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def renewed(self, timeout_seconds: float) -> _Connection:
        """Return it with new time for all that is asked from now on."""
        self._deadline = time.monotonic() + timeout_seconds
        return self

    def send(self, path: str, interface: str, member: str, *texts: str, destination: str = SYSTEMD) -> int:
        """Prepare a call, to be sent with the others, and return its serial."""
        self._serial += 1
        signature = "s" * len(texts)
        body = encode_values(signature, texts)
        call = BusMessage(CALL, self._serial, path, interface, member, destination, 0, signature, body)
        self._prepared[self._serial] = call.encode()
        return self._serial

    def replies(self) -> dict[int, Any]:
        """Return the first value of the reply to each prepared call; BusError if one was refused or does not come."""
        found: dict[int, Any] = {}
        prepared, self._prepared = self._prepared, {}
        try:
            serials = list(prepared)
            for start in range(0, len(serials), _CALLS_AT_ONCE):
                portion = serials[start : start + _CALLS_AT_ONCE]
                self._patience()
                self._socket.sendall(b"".join(prepared[serial] for serial in portion))
                self._collect(set(portion), found)
        except (OSError, ValueError, struct.error, IndexError) as error:
            raise _bus_error(error) from error
        return found

    def _collect(self, wanted: set[int], found: dict[int, Any]) -> None:
        while wanted:
            kind, reply_to, value = self._message()
            if reply_to in wanted and kind == ERROR:
                raise BusError(f"systemd refused to answer: {value}")
            if reply_to in wanted and kind == RETURN:
                found[reply_to] = value
                wanted.discard(reply_to)

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
        signature, reply_to = str(fields.get(8, "")), fields.get(5, 0)
        reader, value = ValueReader(body, order, 0), None
        if signature.startswith("a{sv}"):
            value = reader.entries(_WANTED)
        elif signature and head[1] in (RETURN, ERROR):
            value = reader.value(signature)
        return head[1], reply_to if isinstance(reply_to, int) else 0, value

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


def _units(names: Sequence[str], connection: _Connection) -> tuple[Mapping[str, Unit | None], str]:
    asked = {name: _ask_for(name, connection) for name in names}
    system = connection.send(_MANAGER_PATH, _PROPERTIES, "Get", _MANAGER, "SystemState")
    answers = connection.replies()
    return {name: unit_of(_told(serials, answers)) for name, serials in asked.items()}, str(answers[system])


def _system_state(connection: _Connection) -> str:
    serial = connection.send(_MANAGER_PATH, _PROPERTIES, "Get", _MANAGER, "SystemState")
    state = connection.replies()[serial]
    if not isinstance(state, str):
        raise BusError("systemd did not say how it is")
    return state


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
            invocation=memoryview(said.get("InvocationID", b"")).hex(),
            changed_us=int(said.get("StateChangeTimestampMonotonic", 0)),
            busy=said.get("Job", (0, "/"))[0] != 0,
            takes_along=tuple(dict.fromkeys(unit for along in alongs for unit in along)),
            start_limit_burst=int(said.get("StartLimitBurst", 0)),
            start_limit_interval_seconds=float("inf") if interval == _INFINITE else interval / 1e6,
            slice=said.get("Slice", ""),
            left_active_us=int(said.get("ActiveExitTimestampMonotonic", 0)),
            main_exit_us=int(said.get("ExecMainExitTimestampMonotonic", 0)),
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise BusError(f"systemd did not tell {error} of a unit") from error


def _bus_error(error: BaseException) -> BaseException:
    if isinstance(error, BusError) or not isinstance(error, (OSError, ValueError, struct.error, IndexError)):
        return error
    kind = BusGoneError if isinstance(error, ConnectionError) else BusError
    return kind(f"systemd could not be asked over D-Bus: {error}")
