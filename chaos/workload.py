"""What a disposable host is for: small services that start in 20 ms, and asking its systemd about them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from chaos.host import REPOSITORY, DisposableHost
from chaos.processes import catches, of_unit
from chaos.waiting import wait_until

INSIDE = REPOSITORY / "chaos" / "inside"
_STARTED_WITHIN_SECONDS = 10.0
_ENDED_WITHIN_SECONDS = 10.0


def interpreter() -> list[str]:
    """Return the start of a command that runs a program of `chaos/inside/` without site packages."""
    return [str(Path(sys.executable).resolve()), "-I", "-S"]


def program(name: str) -> list[str]:
    """Return the start of a command that runs a program of `chaos/inside/`."""
    return [*interpreter(), str(INSIDE / name)]


def program_with_libraries(name: str) -> list[str]:
    """Return the same for one that takes a library of those that are installed beside the engine."""
    return [sys.executable, str(INSIDE / name)]


def lacking(library: str) -> str:
    """Return that a library is not installed, "" if it is."""
    return "" if find_spec(library) is not None else f"{library} is not installed"


def struck(host: DisposableHost, *deeds: Sequence[str]) -> float:
    """Do what goes wrong, in this order, and return the monotonic moment just before the first deed, in seconds.

    Deeds are those of `chaos/inside/strike.py`: `("kill", "KILL", pid)`, `("chmod", "0666", path)`, `("unlink", path)` and
    so on, or `("run", *argv)`. The moment is read inside, right at the deed, so that no contender is charged with the way
    there; the clock is the same on both sides. Raises subprocess.CalledProcessError if a deed fails.
    """
    done = host.run([*program("strike.py"), json.dumps(deeds)], check=True)
    return float(done.stdout.splitlines()[-1])


def killed(host: DisposableHost, *pids: str) -> float:
    """Kill processes by their numbers inside, and return that moment as `struck` does, once all of them have ended.

    Not once nobody accepts any more: whoever repairs it sooner than anybody looks would never have been seen broken.
    """
    at = struck(host, *(("kill", "KILL", pid) for pid in pids))
    wait_until(lambda: not any(lives(host, pid) for pid in pids), "the end of the process", seconds=_ENDED_WITHIN_SECONDS)
    return at


def told_to_begin(host: DisposableHost, unit: str) -> float:
    """Send SIGUSR1 to a service's main process, once it listens to it, and return that moment as `struck` does."""
    main = unit_property(host, unit, "MainPID")
    wait_until(
        lambda: any(catches(pid, signal.SIGUSR1) for pid in of_unit(host, unit)),
        f"{unit}.service",
        seconds=_STARTED_WITHIN_SECONDS,
    )
    return struck(host, ("kill", "USR1", main))


def install(host: DisposableHost, path: str, program: str) -> None:
    """Install a program of `chaos/inside/` at a path, so that it can be named without knowing where the repository is."""
    text = (REPOSITORY / "chaos" / "inside" / program).read_text(encoding="utf-8")
    host.write_file(path, f"#!{interpreter()[0]} -IS\n{text}", mode=0o755)


def start_unit(host: DisposableHost, name: str, command: list[str], *lines: str) -> None:
    """Write `name`.service, enable and start it; `lines` are further ones of its section [Service]."""
    service = "\n".join([f"ExecStart={' '.join(command)}", *lines])
    host.write_file(
        f"/etc/systemd/system/{name}.service",
        f"[Unit]\nDescription={name}, looked after on this host\n[Service]\n{service}\n[Install]\nWantedBy=basic.target\n",
    )
    host.run(["systemctl", "daemon-reload"], check=True)
    host.run(["systemctl", "enable", "--now", f"{name}.service"], check=True)


def start_program(host: DisposableHost, unit: str, command: Sequence[str]) -> None:
    """Start what does harm by and by, as a unit that no fingerprint counts; its name begins with `chaos-`."""
    host.run(["systemd-run", "--quiet", f"--unit={unit}", "--", *command], check=True)


def start_web(host: DisposableHost, name: str, port: int, *lines: str, needs: str = "") -> None:
    """Start a web server as `name`.service and wait for it to accept; it answers 503 while it cannot read `needs`."""
    start_unit(host, name, [*program("web.py"), str(port), *filter(None, [needs])], *lines)
    wait_until(lambda: accepts(host, port), f"{name}.service", seconds=_STARTED_WITHIN_SECONDS)


def start_resolver(host: DisposableHost, name: str, hosts: Mapping[str, str], *, address: str = "127.0.0.1") -> str:
    """Start a name server as `name`.service that knows these hosts alone, and return the path of its table.

    Nobody asks it before `use_resolvers`.
    """
    table = f"/srv/{name}/hosts"
    host.write_file(table, "".join(f"{ip} {known}\n" for known, ip in hosts.items()))
    start_unit(host, name, [*program("resolver.py"), address, table], "Restart=no")
    answers = [*interpreter(), "-c", f"import socket; socket.create_connection(('{address}', 53))"]
    wait_until(lambda: host.run(answers).returncode == 0, f"{name}.service", seconds=_STARTED_WITHIN_SECONDS)
    return table


def use_resolvers(host: DisposableHost, *addresses: str) -> None:
    """Make these the host's name servers; an unanswered question is given up after a second."""
    lines = [*(f"nameserver {address}" for address in addresses), "options timeout:1 attempts:1"]
    host.write_file("/etc/resolv.conf", "\n".join(lines) + "\n")


def is_named(host: DisposableHost, name: str, address: str, *, server: str = "127.0.0.1", seconds: float = 0.5) -> bool:
    """Tell whether a name server inside has this address of a name; asked by TCP, starting no program."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    try:
        with host.connect(53, address=server, seconds=seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(len(question).to_bytes(2, "big") + question)
            return connection.makefile("rb").read().endswith(socket.inet_aton(address))
    except OSError:
        return False


def first_name_server(host: DisposableHost) -> str:
    """Return the name server that programs inside ask first, "" for none."""
    lines = (line.split() for line in file_text(host, "/etc/resolv.conf").splitlines())
    return next((words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1), "")


def resolves(host: DisposableHost, name: str, address: str) -> bool:
    """Tell whether a name leads to an address for programs inside."""
    return host.run(["getent", "hosts", name]).stdout.startswith(f"{address} ")


def start_failing_web(
    host: DisposableHost, name: str, port: int, kind: str, amount: int, *lines: str, flag: str = ""
) -> None:  # fmt: skip
    """Start a web server as `name`.service that fails after SIGUSR1 as `failing_web.py` says; wait for it to accept."""
    start_unit(host, name, [*program("failing_web.py"), str(port), kind, str(amount), *filter(None, [flag])], *lines)
    wait_until(lambda: accepts(host, port), f"{name}.service", seconds=_STARTED_WITHIN_SECONDS)


def accepts(host: DisposableHost, port: int) -> bool:
    """Tell whether somebody accepts on a port of 127.0.0.1 inside."""
    try:
        host.connect(port).close()
    except OSError:
        return False
    return True


def break_off(connection: socket.socket) -> None:
    """Have it reset when it is closed, so that its port is free at once: on, and waiting for 0 seconds (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(host: DisposableHost, port: int, ask: str, *, seconds: float = 0.5) -> bool:
    """Tell whether somebody on a port of 127.0.0.1 inside says anything to this, each character one byte, in time."""
    try:
        with host.connect(port, seconds=seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(ask.encode("latin-1"))
            return bool(connection.recv(1))
    except OSError:
        return False


def http_status(host: DisposableHost, port: int, path: str = "/", *, seconds: float = 1.0) -> int:
    """Return the status of an HTTP answer from a port of 127.0.0.1 inside, 0 if there is none in time."""
    try:
        with host.connect(port, seconds=seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            first = connection.makefile("rb").readline().split()
    except OSError:
        return 0
    return int(first[1]) if len(first) > 1 and first[1].isdigit() else 0


def file_state(host: DisposableHost, path: str) -> str:
    """Return mode and owner of a file inside as `750 65534:65534`, not following a link, "" if it is not there.

    It is read from outside in a tenth of a millisecond, so that it can be asked often.
    """
    try:
        state = Path(f"/proc/{host.pid}/root", path.lstrip("/")).lstat()
    except FileNotFoundError:
        return ""
    return f"{stat.S_IMODE(state.st_mode):o} {state.st_uid}:{state.st_gid}"


def lives(host: DisposableHost, pid: str) -> bool:
    """Tell whether a process inside runs, by the number that it has there; a zombie does not. Read like `file_state`."""
    return _process_state(host, pid) not in ("", "Z", "X")


def kernel_setting(path: str) -> str:
    """Return what a file below /proc/sys of this machine says, "" where it may not be set from here."""
    return Path(path).read_text(encoding="ascii").strip() if os.access(path, os.W_OK) else ""


def is_stopped(host: DisposableHost, pid: str) -> bool:
    """Tell whether a process inside was stopped by a signal and has not gone on; read like `file_state`."""
    return _process_state(host, pid) == "T"


def _process_state(host: DisposableHost, pid: str) -> str:
    """Return the letter of ps, "" for no process."""
    try:
        said = Path(f"/proc/{host.pid}/root/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return said.rpartition(") ")[2][:1]


def has_files(host: DisposableHost, folder: str) -> bool:
    """Tell whether there is a regular file below a directory inside, no link being followed; read from outside."""
    walked = os.walk(f"/proc/{host.pid}/root{folder}")
    try:
        return any(stat.S_ISREG(Path(place, name).lstat().st_mode) for place, _, names in walked for name in names)
    except FileNotFoundError:
        return True  # somebody is just at it


def files_below(host: DisposableHost, folder: str) -> list[str]:
    """Return the paths of all files below a directory inside, following no link; read from outside like `file_state`."""
    root = f"/proc/{host.pid}/root"
    return [f"{place.removeprefix(root)}/{name}" for place, _, names in os.walk(f"{root}{folder}") for name in names]


def file_bytes(host: DisposableHost, path: str) -> int:
    """Return how long a file inside is, 0 if it is not there; read from outside like `file_state`."""
    try:
        return Path(f"/proc/{host.pid}/root", path.lstrip("/")).lstat().st_size
    except FileNotFoundError:
        return 0


def file_text(host: DisposableHost, path: str) -> str:
    """Return what a small file inside holds, not following a link, "" if it is not there.

    Read from outside like `file_state`: nobody inside sees that it is open, which would keep it from being removed.
    """
    try:
        descriptor = os.open(f"/proc/{host.pid}/root{path}", os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read()


def disk_mib(host: DisposableHost, folder: str) -> float:
    """Return how much room the files below a directory inside take, 0 if it is not there; read from outside like `du`."""
    room = 0
    for place, _, names in os.walk(f"/proc/{host.pid}/root{folder}"):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it was removed just now
                room += Path(place, name).lstat().st_blocks * 512
    return room / (1 << 20)


def has_own_hierarchy(controller: str) -> bool:
    """Tell whether a controller of control groups has a hierarchy of its own on this machine (version 1)."""
    listed = Path("/proc/cgroups")
    rows = [line.split() for line in listed.read_text(encoding="ascii").splitlines()] if listed.exists() else []
    # Controller, its hierarchy (0: that of version 2, or none), groups, enabled.
    return any(row[0] == controller and row[1] != "0" for row in rows if len(row) > 1)


def unit_property(host: DisposableHost, unit: str, name: str) -> str:
    """Return one property of a unit as its systemd says it: MainPID, ActiveState, NRestarts and so on."""
    return host.run(["systemctl", "show", "--value", f"--property={name}", "--", unit], check=True).stdout.strip()
