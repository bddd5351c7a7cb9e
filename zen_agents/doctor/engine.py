"""The engine: whether it runs, whether it is alone, what holds it, and what it could not tell anybody."""

from __future__ import annotations

from pathlib import Path

from zen_agents.doctor.examination import Finding, Site, State, fine

#: An engine that works has looked within this (seconds), whatever its intervals.
_LATE = 900.0
#: In the environment of an engine whose memory the C library lays in huge pages (see scripts/engine.env).
_HUGE_PAGES = b"glibc.malloc.hugetlb="
_HUGE_PAGES_OF_HOST = "/sys/kernel/mm/transparent_hugepage/enabled"


def running(site: Site) -> Finding:
    """Does it run, and look?"""
    if site.status is None and site.engine_pid is None:
        return Finding(State.FAILED, "no engine runs on this state: nobody watches this host", "zen-agents run")
    if site.status is None:
        return Finding(
            State.FAILED, f"the engine (process {site.engine_pid}) does not answer",
            f"look: zen-agents status; end it: kill -KILL {site.engine_pid}",
        )  # fmt: skip
    last = site.status["last_tick_seconds_ago"]
    if last is not None and last > _LATE:
        return Finding(State.FAILED, f"the engine has not looked for {last:.0f} s", "zen-agents stop, then start it again")
    return fine(f"runs, mode {site.status['mode']}" + (", DRY RUN" if site.status["dry_run"] else ""))


def alone(site: Site) -> Finding:
    """Is it the only engine of this host? Two undo each other's work."""
    others = [pid for pid in _engines(site.path("/proc")) if pid != site.engine_pid]
    if not others:
        return fine("no other engine runs on this host")
    text = f"other engines run on this host: {', '.join(f'process {pid}' for pid in others)}"
    return Finding(State.WARNING, text, "let one engine watch a target; end the others: kill -TERM PID")


def _engines(proc: Path) -> list[int]:
    """Return the processes that run an engine, by what they were started with."""
    return sorted(int(folder.name) for folder in proc.iterdir() if folder.name.isdecimal() and _is_engine(folder))


def _is_engine(folder: Path) -> bool:
    try:
        words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return False  # it has ended, or belongs to somebody else
    named = [index for index, word in enumerate(words) if _is_program(words, index, word)]
    return bool(named) and "run" in words[named[0] + 1 :]


def _is_program(words: list[str], index: int, word: str) -> bool:
    return word.endswith("/zen-agents") or (word == "zen_agents" and words[index - 1] == "-m")


def heap(site: Site) -> Finding:
    """Does it take as little CPU at rest as it can here?"""
    if site.engine_pid is None:
        return fine("no engine runs")
    if _HUGE_PAGES in site.path(f"/proc/{site.engine_pid}/environ").read_bytes():
        return fine("its memory is in huge pages where the host has them")
    host = site.path(_HUGE_PAGES_OF_HOST)
    if not host.exists() or "[never]" in host.read_text("ascii"):
        return fine("this host has no huge pages for it")
    how = "start it by scripts/start.sh, or give its unit EnvironmentFile= with scripts/engine.env of a checkout"
    return Finding(State.OK, "its memory is not in huge pages: at rest it may take several times the CPU", how)


def holds(site: Site) -> Finding:
    """Does anything keep it from acting?"""
    flag = site.state_dir / "EMERGENCY_STOP"
    if flag.exists():
        return Finding(State.FAILED, "the EMERGENCY STOP is set: nothing will be changed", "zen-agents resume --help")
    if site.status is None:
        return Finding(State.UNKNOWN, "only the running engine tells what holds it", "zen-agents status")
    if lines := site.status["abnormal"]:
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        return Finding(State.WARNING, f"{lines[0]}{more}", "zen-agents status")
    return fine("nothing keeps it from acting")


def told(site: Site) -> Finding:
    """Did everything reach its people?"""
    if site.status is None:
        return Finding(State.UNKNOWN, "only the running engine tells what it could not deliver", "zen-agents status")
    if lost := site.status["pages_undelivered"]:
        return Finding(State.FAILED, f"{len(lost)} not delivered: {lost[0]}", "correct alerts: in the configuration")
    return fine("every message was delivered, or is on its way")
