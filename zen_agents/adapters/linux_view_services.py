"""Which process is a service's: by the engine's own record, or by a pidfile that is judged before it is believed (R20)."""

from __future__ import annotations

import os
import re
import stat

from zen_agents.adapters.linux_view_files import user_id
from zen_agents.adapters.linux_view_processes import ENDED, ProcessReader
from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.adapters.linux_view_scripts import runs_script
from zen_agents.clock import BackSteps, SystemClock
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process

_SERVICE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}")
_RECORD = re.compile(rb"(\d{1,10}) (\d{1,20})\n?")
#: Some daemons write more on further lines.
_PID = re.compile(rb"\s*(\d{1,10})[ \t]*(?:\r?\n|\Z)")
_TICKS = os.sysconf("SC_CLK_TCK")
#: How far the times of a file and of a process may be apart by rounding.
_SLACK_SECONDS = 2.0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class ServiceReader:
    """Finds the live process of a service."""

    def __init__(self, state_dir: str, processes: ProcessReader) -> None:
        self._directory = f"{state_dir.rstrip('/')}/services"
        self._processes = processes
        self._clock = SystemClock()
        self._steps = BackSteps(self._clock.anchor())
        #: Path -> the file and the process that was believed to be the one it names, by what no clock can change.
        self._believed: dict[str, tuple[int, int, int, int]] = {}

    def started(self, name: str) -> Process | None:
        """Return the process that was last started for this service, None if it has ended or none was started.

        Raises HostError for a record that is torn, or that others could have written: starting a second copy beside a live
        one is worse than asking a person.
        """
        if not _SERVICE_NAME.fullmatch(name):
            raise HostError(f"{name!r} is not the name of a service")
        path = f"{self._directory}/{name}"
        found = read_regular_file(path, limit=128)
        if found is None:
            return None
        content, state = found
        record = _RECORD.fullmatch(content)
        if record is None or not _only_ours(state):
            raise HostError(f"{path} is damaged or can be written by others; stop the service, then remove the file")
        process = self._live(int(record[1]))
        return process if process and process.start_time == int(record[2]) else None

    def by_pidfile(self, path: str, user: str, executable: str) -> Process | None:
        """Return the live process that a pidfile names, None if it names none or another account's or program's.

        Raises HostError if the file holds no pid, if others can write it and account and executable are not both given, or
        if nothing but the number speaks for a process that began after the file was written: the number may have been given
        to another program since. Killing that one, and starting a second copy, are both worse than asking a person. A file
        and a process that were believed once stay so, however somebody sets the clock meanwhile; where it was set back, as
        far as this was seen, no time of before makes a process look older than the file.
        """
        self._steps.note(self._clock.anchor())
        found = read_regular_file(path, limit=128)
        if found is None:
            return None
        content, state = found
        number = _PID.match(content)
        if number is None:
            raise HostError(f"{path} holds no process number: {content[:40]!r}")
        if not (user and executable) and not (_only_ours(state) and _directory_is_ours(path)):
            raise HostError(f"others can write {path}, so its pid counts only with user: and executable: given")
        process = self._live(int(number[1]))
        if process is None or not self._processes.is_thread_leader(process):
            return None
        if not self._matches(process, user, executable):
            return None
        evidence = (state.st_ino, state.st_mtime_ns, process.pid, process.start_time)
        if not executable and self._believed.get(path) != evidence and (why := self._may_be_another(process, path, state)):
            raise HostError(
                f"process {process.pid} ({process.name}) {why}, so the number may be another "
                "program's by now; remove the file if the service is down, or name its program with executable:"
            )
        self._believed[path] = evidence
        return process

    def _may_be_another(self, process: Process, path: str, state: os.stat_result) -> str:
        """Return why the number may have been given to this process after the file was written, "" where it was before."""
        now, booted, written = self._clock.anchor(), process.start_time / _TICKS, state.st_mtime + _SLACK_SECONDS
        if now.wall - (now.boottime - booted) > written:
            return f"began after {path} was written"
        if self._steps.latest(booted) > written:
            return f"may have begun after {path} was written, because the clock was set back since"
        return ""

    def _live(self, pid: int) -> Process | None:
        process = self._processes.read(pid) if pid > 0 else None
        return None if process is None or process.state in ENDED else process

    def _matches(self, process: Process, user: str, executable: str) -> bool:
        if user and self._processes.owner(process) != user_id(user):
            return False
        if not executable:
            return True
        program, named = self._processes.executable(process), (executable, os.path.realpath(executable))
        return program in named or runs_script(program, self._processes.command_line(process), named)


def _only_ours(state: os.stat_result) -> bool:
    return state.st_uid in (0, os.geteuid()) and not state.st_mode & _OTHERS_MAY_WRITE


def _directory_is_ours(path: str) -> bool:
    """Tell whether nobody else can put another file in this one's place."""
    try:
        state = os.stat(os.path.dirname(path))
    except OSError as error:
        raise HostError(f"cannot look at the directory of {path}: {error.strerror}") from error
    # In a sticky directory others may add files, but not replace this one.
    others_may_replace = state.st_mode & _OTHERS_MAY_WRITE and not state.st_mode & stat.S_ISVTX
    return state.st_uid in (0, os.geteuid()) and not others_may_replace
