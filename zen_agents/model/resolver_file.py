"""A resolv.conf: which name servers it names, and how other ones stand in for them for a while.

What stood there before stays in the file as comments, so that anybody who reads it sees what happened, and so that it can be
given back whatever became of the engine and its state since.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.dataclass import dataclass

#: The C library asks no more than these.
_MOST_SERVERS = 3
_NOTE = "# zen-agents: the name servers of this file did not answer; until they do, others stand in:"
_BEFORE = "#zen-agents before: "


@dataclass(frozen=True, slots=True)
class ResolverFile:
    """What a resolv.conf says."""

    #: In the order in which they are asked.
    servers: tuple[str, ...]
    #: While others stand in: those that the file named before; else ().
    former: tuple[str, ...] = ()

    @property
    def is_switched(self) -> bool:
        """Whether others stand in for the file's own name servers."""
        return bool(self.former)


def read_resolver_file(text: str) -> ResolverFile:
    """Return what a resolv.conf says.

    Name servers that somebody wrote there after it was switched are theirs: then nothing counts as switched any more.
    """
    lines = text.split("\n")
    servers = _servers(lines)
    former = _servers([line.removeprefix(_BEFORE) for line in lines if line.startswith(_BEFORE)])
    noted = next((line.removeprefix(_NOTE).split() for line in lines if line.startswith(_NOTE)), [])
    return ResolverFile(tuple(servers[:_MOST_SERVERS]), tuple(former[:_MOST_SERVERS]) if noted == servers else ())


def switched(text: str, servers: Sequence[str]) -> str:
    """Return a resolv.conf in which these name servers stand in for its own; everything else stays as it is.

    ValueError, with the reason, if there would be nothing to come back to.
    """
    lines = given_back(text).split("\n")
    if any(line.startswith((_NOTE, _BEFORE)) for line in lines):
        raise ValueError("somebody changed the file while others stood in; take the lines with zen-agents out by hand")
    first = next((at for at, line in enumerate(lines) if _server_of(line)), None)
    if first is None:
        raise ValueError("the file names no name server")
    kept = [f"{_BEFORE}{line}" if _server_of(line) else line for line in lines]
    kept[first:first] = [f"{_NOTE} {' '.join(servers)}", *(f"nameserver {server}" for server in servers)]
    return "\n".join(kept)


def given_back(text: str) -> str:
    """Return a resolv.conf with its own name servers again; the same text if no others stand in."""
    if not read_resolver_file(text).is_switched:
        return text
    lines = [line for line in text.split("\n") if not line.startswith(_NOTE) and not _server_of(line)]
    return "\n".join(line.removeprefix(_BEFORE) for line in lines)


def _servers(lines: Sequence[str]) -> list[str]:
    return [server for line in lines if (server := _server_of(line))]


def _server_of(line: str) -> str:
    """Return the name server that a line names, "" if it names none."""
    words = line.split()
    # The C library wants the word at the beginning of its line.
    return words[1] if len(words) > 1 and line.startswith("nameserver") and words[0] == "nameserver" else ""
