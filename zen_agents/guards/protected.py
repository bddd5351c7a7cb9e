"""The protected set (R11): things whose loss is the host's, or the engine's own."""

from __future__ import annotations

import posixpath
from functools import lru_cache

from zen_agents.errors import StalePlanError
from zen_agents.guards import protected_names, touched
from zen_agents.guards.base import Guard, Question
from zen_agents.guards.patterns import matches
from zen_agents.guards.wording import one_line
from zen_agents.model.action import ResourceKind
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process


class Protected(Guard):
    """Refuses everyone where init, a way in, the network, a package manager, a live session or the engine itself is hit."""

    name = "protected"
    why = "Some things are never touched, whatever is listed; one protected member refuses the whole action."

    def assess(self, question: Question) -> Answer:
        try:
            hit = _unit(question) or _service(question) or _process(question) or _account(question) or _path(question)
        except StalePlanError as error:
            return self.deny(Reason.STALE_PLAN, str(error))
        origin = question.policy.origin("protected.units", "protected.paths")
        if hit:
            return self.deny(Reason.PROTECTED, one_line(hit), origin=origin)
        return self.allow("nothing protected is touched", origin=origin)


#: Actions that change what lies below the path they name, not only the path itself.
_REACH_BELOW = frozenset({"clean_temp_files", "clear_cache"})


def _unit(question: Question) -> str:
    policy = question.policy
    patterns = (*protected_names.UNITS, *policy.protected_units, *policy.own_units)
    direct = touched.units(question)
    for name, unit in touched.units_with_all_taken_along(question).items():
        if matches(name, patterns):
            return f"{name} is protected" if name in direct else f"it takes {name} along, which is protected"
        if unit is not None and unit.main_pid == policy.own_pid:
            # Whatever it is called here.
            return f"{name} is the engine itself"
    return ""


def _service(question: Question) -> str:
    """Judge a service by its name too: while it is down there is no process to know it by."""
    patterns = (*protected_names.UNITS, *question.policy.protected_units, *question.policy.own_units)
    for name in touched.names(question, ResourceKind.SERVICE):
        if matches(f"{name}.service", patterns):
            return f"service {name} has a protected name"
    return ""


def _process(question: Question) -> str:
    host, own = question.host, question.policy.own_pid
    engine = host.process(own)
    above_engine = {process.pid for process in touched.ancestors(host, engine)} if engine else set()
    for process in touched.processes(question):
        label = f"process {process.pid} ({process.name})"
        if process.pid == own or process.pid in above_engine:
            return f"{label} is the engine itself, or what it runs under"
        if process.pid == 1 or _is_kernel_thread(host, process) or matches(process.name, protected_names.PROCESSES):
            return f"{label} is protected"
        if not _is_ours(question, process) and (session := _session_host(host, process)):
            return f"{label} belongs to a live session ({session})"
    return ""


def _account(question: Question) -> str:
    """Judge an account by its name: whoever locks the last way to root is not let in to take it back."""
    return "account root is protected" if "root" in touched.names(question, ResourceKind.ACCOUNT) else ""


def _is_kernel_thread(host: HostView, process: Process) -> bool:
    """Tell a kernel thread by its parent: in a container pid 2 is a process like any other."""
    above = process if process.pid == 2 else host.process(2) if process.parent == 2 else None
    return above is not None and above.name == "kthreadd"


def _is_ours(question: Question, process: Process) -> bool:
    """Tell whether the engine started it itself: in a person's terminal, such a service is still the engine's."""
    for name in touched.names(question, ResourceKind.SERVICE):
        started = question.host.service_process(name)
        if started is not None and started.fingerprint == process.fingerprint:
            return True
    return False


def _session_host(host: HostView, process: Process) -> str:
    line = (process, *touched.ancestors(host, process))
    return next((each.name for each in line if matches(each.name, protected_names.SESSION_HOSTS)), "")


def _path(question: Question) -> str:
    policy = question.policy
    whole = _whole(policy.own_paths, policy.protected_paths)
    for path in touched.names(question, ResourceKind.PATH):
        if path != _plain(path):
            return f"{path} is not a plain absolute path"
        if (_within(path, protected_names.TREES) or _is_path(path) or "/.ssh/" in f"{path}/") and not _exempt(
            question, path
        ):
            return f"{path} is protected"
        for kept in whole:
            if _within(path, (kept,)) or _within(kept, (path,)):
                return f"{path} is, holds or lies in {kept}, which is protected"
        if question.request.action in _REACH_BELOW and (inner := _held_below(path)):
            return f"{path} holds {inner}, which is protected; list the directories in it one by one"
        if link := _link(question.host, path):
            return f"{path} leads through the link {link}; name the real path"
    return ""


def _exempt(question: Question, path: str) -> bool:
    """Tell whether a person wrote exactly this path into the action's allow-list, and the action may put it right."""
    policy, action = question.policy, question.request.listed_as
    allowance = policy.allowed.get(action)
    if allowance is None or not protected_names.is_exempt(action, path) or not allowance.names(path):
        return False
    units = (*protected_names.UNITS, *policy.protected_units, *policy.own_units)
    return not matches(protected_names.unit_of(path), units)


@lru_cache(maxsize=8)
def _whole(own: frozenset[str], listed: frozenset[str]) -> frozenset[str]:
    """Return the paths that are protected with all below them, as they are compared."""
    return frozenset(_kept(path) for path in (*own, *listed))


def _is_path(path: str) -> bool:
    """Compare with patterns whose `*` stays within one component."""
    return matches(path, _patterns_with(path.count("/")))


@lru_cache(maxsize=64)
def _patterns_with(slashes: int) -> tuple[str, ...]:
    return tuple(each for each in protected_names.PATHS if each.count("/") == slashes)


def _held_below(path: str) -> str:
    """Return what of the protected set lies below a path, "" if nothing does."""
    return next((each for each in (*protected_names.TREES, *protected_names.PATHS) if _within(each, (path,))), "")


def _kept(path: str) -> str:
    """Return an own or listed path as it is compared; nobody can tell where a relative one lies."""
    if not path.startswith("/"):
        raise ValueError(f"the protected path {path!r} is not absolute")
    return _plain(path)


def _plain(path: str) -> str:
    """Return what a path means, absolute; a relative one is never plain."""
    # normpath keeps two leading slashes, which POSIX leaves open; here they are one.
    return "/" + posixpath.normpath(path).lstrip("/")


def _within(path: str, trees: tuple[str, ...]) -> bool:
    return f"{path}/".startswith(_with_slash(trees))


@lru_cache(maxsize=256)
def _with_slash(trees: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tree.rstrip("/") + "/" for tree in trees)


def _link(host: HostView, path: str) -> str:
    """Return the first component that is a symbolic link, "" if none is: behind one may lie anything."""
    so_far = ""
    for part in path.strip("/").split("/"):
        so_far += f"/{part}"
        state = host.file(so_far)
        if state is None:
            return ""
        if state.kind == "link":
            return so_far
    return ""
