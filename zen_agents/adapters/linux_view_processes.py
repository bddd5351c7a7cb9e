"""The process table, read from /proc without a detour: one short read a process."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Mapping

from zen_agents.adapters.linux_view_reading import GONE, raise_unless_gone, read_kernel_file
from zen_agents.errors import HostError, ProcessGoneError
from zen_agents.ports.host_processes import Process

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Where the kernel tells of the processes that its calls are about.
_OWN_PROC = "/proc"
_NO_LIMIT = 2**63 - 1
_DELETED = " (deleted)"
#: How many command lines are remembered, and up to which length in bytes: a longer one is read again at each look.
_REMEMBERED_COMMAND_LINES = 20_000
_LONGEST_REMEMBERED = 1024
#: How many processes that were asked for one by one are remembered as they were last.
_REMEMBERED_PROCESSES = 20_000
#: States of a process that has ended: zombie and dead.
ENDED = frozenset("ZXx")

_UID = re.compile(rb"^Uid:\t\d+\t(\d{1,10})\t", re.MULTILINE)
_THREAD_GROUP = re.compile(rb"^Tgid:\t(\d{1,10})$", re.MULTILINE)
_SLEEPS = re.compile(rb"^voluntary_ctxt_switches:\t(\d{1,20})$", re.MULTILINE)
_OPEN_FILES = re.compile(rb"^Max open files +(\d{1,20}|unlimited) ", re.MULTILINE)


class ProcessReader:
    """Reads processes, and remembers command lines, and what was asked for alone, from one look to the next.

    What a method asks of a `Process` is answered for that very process or not at all: after reading, the start time is
    compared, so a reused pid never lends its answers to the process that had the number before (R20).
    """

    def __init__(self, proc_root: str) -> None:
        self._root = proc_root
        #: The name is in the key because exec changes command line and name but not the start time.
        self._command_lines: dict[tuple[int, int, str], tuple[str, ...]] = {}
        #: By pid: a line of stat and what it says. While a process sleeps it stays the same; parsing it is most of the work.
        self._last_read: dict[int, tuple[bytes, Process]] = {}
        #: By pid: start time, and which directory in /proc was seen to be that process's.
        self._directories: dict[int, tuple[int, int, int]] = {}

    def read(self, pid: int) -> Process | None:
        """Return a process by one read of its stat, None if it is gone; HostError if /proc holds nonsense."""
        content, last = self._stat(pid), self._last_read.get(pid)
        if last is not None and last[0] == content:
            return last[1]
        process = parse_stat(content)
        if process is None:
            self._last_read.pop(pid, None)
            return None
        if len(self._last_read) >= _REMEMBERED_PROCESSES:
            # Most of them ended unasked long ago.
            self._last_read.clear()
        self._last_read[pid] = content, process
        return process

    def _stat(self, pid: int) -> bytes:
        """Return the line of a process, b"" if it is gone."""
        try:
            descriptor = os.open(f"{self._root}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise_unless_gone(f"process {pid}", error)
            return b""
        try:
            return os.read(descriptor, 4096)
        except OSError as error:
            raise_unless_gone(f"process {pid}", error)
            return b""
        finally:
            os.close(descriptor)

    def pids(self) -> set[int]:
        """Return the number of every process; HostError if they cannot be listed."""
        try:
            return {int(name) for name in os.listdir(self._root) if name.isdigit()}
        except OSError as error:
            raise HostError(f"cannot list {self._root}: {error.strerror}; is /proc mounted here?") from error

    def read_all(self) -> dict[int, Process]:
        """Return every process, and forget the command lines of those that are gone."""
        table = {}
        for pid in self.pids():
            process = parse_stat(self._stat(pid))
            if process is not None:
                table[process.pid] = process
        self._forget(table)
        return table

    def command_line(self, process: Process) -> tuple[str, ...]:
        """Return argv; () for a kernel thread, a zombie or a process that is gone."""
        if process.state in "ZX":
            # There is nothing left to read, and of some programs hundreds stay.
            return ()
        key = (process.pid, process.start_time, process.name)
        known = self._command_lines.get(key)
        if known is None:
            content = read_kernel_file(f"{self._root}/{process.pid}/cmdline") or b""
            known = split_command_line(content) if self.is_same(process) else ()
            has_room = len(self._command_lines) < _REMEMBERED_COMMAND_LINES and len(content) <= _LONGEST_REMEMBERED
            # A process caught between fork and exec, or ending, shows nothing yet: that is not worth remembering.
            if known and has_room:
                self._command_lines[key] = known
        return known

    def executable(self, process: Process) -> str:
        """Return the path of the program, without the mark of a replaced one; "" for a kernel thread or if it is gone."""
        try:
            path = os.readlink(f"{self._root}/{process.pid}/exe")
        except OSError as error:
            if error.errno in GONE:
                return ""
            raise HostError(f"cannot tell the program of process {process.pid}: {error.strerror}") from error
        return path.removesuffix(_DELETED) if self.is_same(process) else ""

    def owner(self, process: Process) -> int:
        """Return the effective uid; HostError if the process is gone."""
        return int(self._field(process, "status", _UID))

    def niceness(self, process: Process) -> int:
        """Return the niceness of its first thread; HostError if the process is gone."""
        fields = self._file(process, "stat").rpartition(b")")[2].split(None, 17)
        try:
            return int(fields[16])
        except (ValueError, IndexError) as error:
            raise HostError(f"{self._root}/{process.pid}/stat is not as expected") from error

    def sleeps(self, process: Process) -> int:
        """Return how often its first thread has gone to sleep by itself; HostError if the process is gone."""
        return int(self._field(process, "status", _SLEEPS))

    def is_thread_leader(self, process: Process) -> bool:
        """Tell whether this is a process, not a mere thread that /proc also answers for."""
        return int(self._field(process, "status", _THREAD_GROUP)) == process.pid

    def cgroup(self, process: Process) -> str:
        """Return the cgroup's path (v2, else systemd's or the longest of v1); HostError if the process is gone."""
        content = self._file(process, "cgroup").decode("utf-8", "replace")
        rows = [line.split(":", 2) for line in content.splitlines() if line.count(":") >= 2]
        paths = {controllers: path for _, controllers, path in rows}
        candidates = [paths.get("", "/"), paths.get("name=systemd", "/"), *sorted(paths.values(), key=len, reverse=True)]
        return next((path for path in candidates if path != "/"), "/")

    def descriptors(self, process: Process) -> tuple[int, int]:
        """Return (open descriptors, soft limit); HostError if the process is gone or may not be looked into."""
        limit = self._most_open(process.pid)
        directory = f"{self._root}/{process.pid}/fd"
        try:
            state = os.stat(directory)
            # Since Linux 6.2 the directory's size is the number of its entries; before it is 0.
            count = state.st_size or len(os.listdir(directory))
        except OSError as error:
            raise HostError(f"cannot count the descriptors of process {process.pid}: {error.strerror}") from error
        # Once for both: whose limits and descriptors these are is known only afterwards.
        self._require_own(process, state)
        if limit is None:
            raise HostError(f"{self._root}/{process.pid}/limits is not as expected")
        return count, limit

    def _most_open(self, pid: int) -> int | None:
        """Return how many files a process may have open, None if that cannot be read."""
        if self._root == _OWN_PROC and pid > 0:
            # A call is a tenth of the work of a table of all limits, which is for everybody to read.
            try:
                soft = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
            except OSError:
                pass  # it is gone or another's: the table tells, or says which
            else:
                return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft
        found = _OPEN_FILES.search(read_kernel_file(f"{self._root}/{pid}/limits") or b"")
        return None if found is None else _NO_LIMIT if found[1] == b"unlimited" else int(found[1])

    def is_same(self, process: Process) -> bool:
        """Tell whether the pid still belongs to this process."""
        # Asked of whole process tables, of which nothing need be remembered.
        return _start_time(self._stat(process.pid)) == process.start_time

    def _field(self, process: Process, file: str, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.search(self._file(process, file))
        if found is None:
            raise HostError(f"{self._root}/{process.pid}/{file} is not as expected")
        return found[1]

    def _file(self, process: Process, file: str) -> bytes:
        content = read_kernel_file(f"{self._root}/{process.pid}/{file}")
        self._require_same(process)
        return content or b""

    def _require_same(self, process: Process) -> None:
        if not self.is_same(process):
            raise ProcessGoneError(f"process {process.fingerprint} ({process.name}) is gone")

    def _require_own(self, process: Process, directory: os.stat_result) -> None:
        """Require what `_require_same` does of the process whose directory in /proc this is.

        Once it is known whose it is, the directory tells it: who gets the same number later gets another one.
        """
        seen = process.start_time, directory.st_ino, directory.st_ctime_ns
        if self._root == _OWN_PROC and self._directories.get(process.pid) == seen:
            return
        self._require_same(process)
        if len(self._directories) >= _REMEMBERED_PROCESSES:
            self._directories.clear()
        self._directories[process.pid] = seen

    def _forget(self, table: Mapping[int, Process]) -> None:
        # A second thread may be remembering meanwhile, so the dict is copied before it is walked.
        for key in list(self._command_lines):
            process = table.get(key[0])
            if process is None or process.start_time != key[1] or process.name != key[2]:
                self._command_lines.pop(key, None)


def parse_stat(content: bytes) -> Process | None:
    """Return what a line of /proc/PID/stat says; None for an empty one, HostError for nonsense.

    The name may hold anything, spaces, line ends and brackets too; the last closing bracket ends it.
    """
    if not content:
        return None
    try:
        head, _, tail = content.rpartition(b")")
        number, _, name = head.partition(b" (")
        fields = tail.split(None, 22)
        return Process(
            int(number),
            int(fields[19]),
            int(fields[1]),
            name.decode("utf-8", "replace"),
            fields[0].decode("ascii"),
            (int(fields[11]) + int(fields[12])) / _TICKS,
            int(fields[21]) * _PAGE,
            int(fields[3]),
        )
    except (ValueError, IndexError, OverflowError) as error:
        raise HostError(f"a line of /proc/PID/stat is not as expected: {content[:80]!r}") from error


def _start_time(content: bytes) -> int | None:
    """Return the start time in a line of stat, None for an empty one; a fifth of the work of reading all of it."""
    if not content:
        return None
    try:
        return int(content[content.rindex(b")") + 1 :].split(None, 20)[19])
    except (ValueError, IndexError) as error:
        raise HostError(f"a line of /proc/PID/stat is not as expected: {content[:80]!r}") from error


def split_command_line(content: bytes) -> tuple[str, ...]:
    """Return argv of the bytes of /proc/PID/cmdline; a program that rewrote its title gives one long argument."""
    if not content:
        return ()
    return tuple(content.removesuffix(b"\0").decode("utf-8", "replace").split("\0"))
