"""Who is told: a mail server inside the host that writes down what it takes. Every contender tells people by mail."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chaos.host import REPOSITORY, DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts

PORT = 2525
ADDRESS = "ops@example.com"
_FILE = "/run/chaos-mail.jsonl"
_READY_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Mail:
    """One message that people got, at a moment of the wall clock."""

    at: float
    subject: str
    #: What mails of one matter have in common; "" where the sender says nothing of it.
    thread: str = ""
    #: Whether it only says that the matter is over.
    ends: bool = False
    #: The question that it says how to agree to; "" where it asks nothing.
    asks: str = ""


def start_mail(host: DisposableHost) -> None:
    """Start the server and wait until it takes mail."""
    program = [sys.executable, str(REPOSITORY / "chaos" / "inside" / "mail_sink.py"), str(PORT), _FILE]
    host.run(["systemd-run", "--quiet", "--unit=chaos-mail", "--", *program], check=True)
    wait_until(lambda: accepts(host, PORT), "the mail server", seconds=_READY_WITHIN_SECONDS)


def mails(host: DisposableHost) -> tuple[Mail, ...]:
    """Return what people were told, oldest first."""
    return tuple(_read(line) for line in host.read_file(_FILE).splitlines())


@contextmanager
def arriving(host: DisposableHost) -> Iterator[Callable[[float], Sequence[Mail]]]:
    """Yield what waits at most so many seconds for mail, and returns what came as soon as it is there; from the first on."""
    with host.popen(["tail", "--lines=+1", "--follow", _FILE], stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None  # noqa: S101 - it was asked for
        box, begun = tail.stdout.fileno(), b""

        def take(seconds: float) -> Sequence[Mail]:
            nonlocal begun
            if not select.select([box], [], [], seconds)[0]:
                return ()
            *lines, begun = (begun + os.read(box, 65536)).split(b"\n")
            return [_read(line) for line in lines]

        try:
            yield take
        finally:
            tail.kill()


def _read(line: str | bytes) -> Mail:
    row = json.loads(line)
    return Mail(row["at"], row["subject"], row["thread"], row["ends"], row["asks"])


def news(told: Sequence[Mail]) -> tuple[Mail, ...]:
    """Return the mails without those that close what an earlier one had opened.

    Whether a matter that is soon over is told in one mail or in two depends on when the sender gets to it; that it is told
    once does not.
    """
    opened: set[str] = set()
    found = []
    for mail in told:
        if mail.ends and mail.thread in opened:
            opened.discard(mail.thread)
            continue
        found.append(mail)
        if not mail.ends:
            opened.add(mail.thread)
    return tuple(found)


def refuse_mail(host: DisposableHost) -> None:
    """Let the server refuse all mail for now."""
    host.write_file(f"{_FILE}.refuse", "")


def take_mail(host: DisposableHost) -> None:
    """Let the server take mail again."""
    host.run(["rm", "--force", f"{_FILE}.refuse"], check=True)


def refused_mails(host: DisposableHost) -> int:
    """Return how many were refused."""
    return len(host.run(["cat", f"{_FILE}.refused"]).stdout.splitlines())
