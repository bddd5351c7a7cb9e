"""Who else is working on this host: package managers, configuration management, cloud-init (R24).

Nothing is locked or started to find out. What cannot be told is a HostError, which makes the guard refuse.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
from collections.abc import Callable, Iterable, Sequence

from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.adapters.linux_view_table import TableLook
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process

#: Held by apt from when it opens the packages for a change to its end; an apt that does not know it (before 1.6.5) lets go
#: of dpkg's own lock between two packages.
_APT_LOCK = "/var/lib/dpkg/lock-frontend"
_PACKAGE_LOCKS = (
    ("dpkg", _APT_LOCK),
    ("dpkg", "/var/lib/dpkg/lock"),
    ("rpm", "/var/lib/rpm/.rpm.lock"),
    ("rpm", "/usr/lib/sysimage/rpm/.rpm.lock"),
)
#: Programs of whom these locks tell whether they change anything here: without them they look, or are at another root.
_TOLD_BY_LOCK = frozenset({"dpkg", "apt-get"})
#: Programs that only run during a transaction or a query; daemons such as packagekitd or unattended-upgr are not among them.
_PACKAGE_PROGRAMS = frozenset({"dpkg", "apt-get", "rpm", "dnf", "dnf5", "yum", "zypper", "pacman", "apk"})
_PUPPET_LOCKS = (
    "/opt/puppetlabs/puppet/cache/state/agent_catalog_run.lock",
    "/var/lib/puppet/state/agent_catalog_run.lock",
    "/var/cache/puppet/state/agent_catalog_run.lock",
)
#: Where systemd keeps when the host is to go down.
_SHUTDOWN = "/run/systemd/shutdown/scheduled"
_SALT_JOBS = "/var/cache/salt/minion/proc"
_ONE_SHOT = {
    "ansible": "ansible",
    "ansible-playbook": "ansible-playbook",
    "ansible-pull": "ansible-pull",
    "salt-call": "salt-call",
    "chef-client": "chef-client",
    "chef-solo": "chef-solo",
    "cinc-client": "cinc-client",
}
_DAEMON_OPTIONS = frozenset({"-d", "--daemonize", "-i", "--interval"})
_ANSIBLE_MODULE = re.compile(r"/AnsiballZ_\w+\.py$|/\.ansible/tmp/ansible-tmp-")

#: For how long a process that was there and was nobody's run is taken for one still: it could only turn into one by exec.
_ASKED_WHOLE_SECONDS = 2.0

#: struct flock of 64-bit Linux: type, whence, start, length, pid.
_FLOCK = struct.Struct("@hhqqi4x")


class OccupationReader:
    """Finds out by locks first, and by what is running where there is no lock to ask."""

    def __init__(self, root: str = "") -> None:
        #: Stands before each path; for a host that is mounted elsewhere.
        self._root = root

    def package_lock(self) -> str:
        """Return `dpkg, pid 4242` for who holds a package manager's lock, "" if nobody does."""
        for manager, path in _PACKAGE_LOCKS:
            holder = lock_holder(self._root + path)
            if holder is not None:
                return f"{manager}, pid {holder}" if holder > 0 else manager
        return ""

    def package_program(self, processes: Iterable[Process]) -> str:
        """Return `dnf, pid 4242` for a package manager that runs and has no lock that would tell, "" if none does."""
        programs = _PACKAGE_PROGRAMS - _TOLD_BY_LOCK if self._is_there(_APT_LOCK) else _PACKAGE_PROGRAMS
        # One that has ended, and that nobody asked how, holds nobody up: where pid 1 reaps nothing it stays for ever.
        running = next((one for one in processes if one.name in programs and one.state not in "ZX"), None)
        return f"{running.name}, pid {running.pid}" if running else ""

    def puppet_run(self, is_alive: Callable[[int], bool]) -> str:
        """Return `puppet agent, pid 4242` for a run whose lock names a process that lives, "" if there is none."""
        for path in _PUPPET_LOCKS:
            found = read_regular_file(self._root + path, limit=64)
            text = found[0].strip() if found else b""
            # An empty file is a person's `puppet agent --disable` of old; a dead pid is left over from a crash.
            if text.isdigit() and is_alive(int(text)):
                return f"puppet agent, pid {int(text)}"
        return ""

    def salt_works(self) -> bool:
        """Tell whether a job of salt's minion has left its file, which one that crashed leaves as well."""
        try:
            with os.scandir(self._root + _SALT_JOBS) as entries:
                return any(entry.name.isdigit() for entry in entries)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HostError(f"cannot tell whether salt is at work: {_SALT_JOBS}: {error.strerror}") from error

    def cloud_init_pending(self) -> bool:
        """Tell whether cloud-init was switched on for this boot and has not written its result."""
        run = f"{self._root}/run/cloud-init"
        # The generator of early boot leaves the mark "enabled" or "disabled"; the last stage writes result.json.
        return os.path.lexists(f"{run}/enabled") and not os.path.lexists(f"{run}/result.json")

    def leaving(self, marks: Iterable[str]) -> str:
        """Return what says that the host is drained or about to end, "" if nothing does; see `OccupationView`."""
        if self._is_there(_SHUTDOWN):
            return f"a shutdown is scheduled: {_SHUTDOWN}"
        return next((f"{mark} says to leave this host alone" for mark in marks if self._is_there(mark)), "")

    def _is_there(self, path: str) -> bool:
        try:
            os.lstat(self._root + path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise HostError(f"cannot tell whether {path} is there: {error.strerror}") from error
        return True


class OccupationLook(TableLook):
    """Part of `LinuxView`: `ports.host_occupation.OccupationView`.

    Whoever begins is seen at once: the first that an upgrade or a run does is to stop what it changes, and that wakes the
    engine. Only of processes that were there before it is remembered for a moment that they are nobody's run.
    """

    def package_transaction(self) -> str:
        """Return which package manager is at work, "" if none; locks are asked, then programs that have none."""
        occupation = self._host.occupation
        return occupation.package_lock() or self._found("package", occupation.package_program)

    def configuration_run(self) -> str:
        """Return which configuration-management run is in progress, "" if none; a waiting daemon does not count."""
        occupation = self._host.occupation
        if puppet := occupation.puppet_run(lambda pid: self.process(pid) is not None):
            return puppet
        if occupation.salt_works() and any(map(self._is_minion, self.processes().values())):
            return "salt-minion"
        return self._found("configuration", self._one_shot)

    def cloud_init_pending(self) -> bool:
        """Tell whether cloud-init has not finished on this boot."""
        return self._host.occupation.cloud_init_pending()

    def leaving(self, marks: Sequence[str]) -> str:
        """Return what says that the host is drained or about to end, "" if nothing does."""
        return self._host.occupation.leaving(marks)

    def _found(self, what: str, ask: Callable[[Iterable[Process]], str]) -> str:
        """Ask of every process, or within a moment after that only of those that have begun since."""
        known, answer = self._host.recall(
            what, _ASKED_WHOLE_SECONDS, lambda: (frozenset(self.processes()), ask(self.processes().values()))
        )
        if answer:
            return answer
        begun = map(self.process, self._host.processes.pids() - known)
        return ask(process for process in begun if process is not None)

    def _one_shot(self, processes: Iterable[Process]) -> str:
        runs = ((one_shot_run(self.command_line(process)), process.pid) for process in processes)
        return next((f"{run}, pid {pid}" for run, pid in runs if run), "")

    def _is_minion(self, process: Process) -> bool:
        return "salt-minion" in _programs(self.command_line(process))


def lock_holder(path: str) -> int | None:
    """Return the pid that holds a POSIX lock on a file, without taking it; None if nobody does or there is no such file.

    The pid is 0 or less for a holder that has none here. A file that this account may not open counts as not locked; then
    only the running programs tell.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except PermissionError:
        return None
    except OSError as error:
        # A database directory that is a link or no directory at all is somebody's repair in progress, not a free lock.
        raise HostError(f"cannot look at the lock {path}: {error.strerror}") from error
    try:
        question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
        return None if kind == fcntl.F_UNLCK else pid
    except OSError as error:
        raise HostError(f"cannot ask for the lock {path}: {errno.errorcode.get(error.errno or 0, error.errno)}") from error
    finally:
        os.close(descriptor)


def one_shot_run(argv: tuple[str, ...]) -> str:
    """Return which configuration-management run this command line is, "" if it is none or a daemon."""
    if not argv:
        return ""
    if argv[0].startswith("chef-client worker"):
        return "chef-client"
    if any(_ANSIBLE_MODULE.search(word) for word in argv[:4]):
        return "ansible"
    programs = _programs(argv)
    if "puppet" in programs and "apply" in argv[1:4]:
        return "puppet apply"
    found = next((_ONE_SHOT[program] for program in programs if program in _ONE_SHOT), "")
    return "" if found and _DAEMON_OPTIONS.intersection(argv) else found


def _programs(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the program and, behind an interpreter, of its script."""
    return tuple(os.path.basename(word) for word in argv[:2])
