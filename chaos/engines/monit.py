"""Debian's monit at its shortest cycle; what it did and when, it says in its log, to the second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from chaos import mail
from chaos.engines.base import AS_ALWAYS, Contender, Cost, Launch, Performed, Timeline
from chaos.engines.unit_cost import unit_cost
from chaos.scenario import Scenario
from chaos.waiting import wait_until

UNIT, CONFIG, LOG, _PLACE = "chaos-monit.service", "/etc/monitrc", "/var/log/monit.log", "/run/chaos-monit"
_READY_WITHIN_SECONDS = 30.0
_BEGINNING = f"""set daemon 1
set log {LOG}
set pidfile {_PLACE}/pid
set idfile {_PLACE}/id
set statefile {_PLACE}/state
set httpd unixsocket {_PLACE}/socket
  allow bench:bench
set mailserver 127.0.0.1 port {mail.PORT}
"""
#: `[2026-11-26T16:20:18+0000] error    : 'web' process is not running`
_LINE = re.compile(r"^\[(?P<at>[^\]]+)\] (?P<level>\w+)\s*: (?P<said>.*)$")
#: What a person asks for by its command is none of its own doing.
_ACTED = re.compile(r"^'(?P<target>[^']+)' (?P<action>start|stop|restart|exec|unmonitor)\b(?! on user request| action done)")
_WELL = re.compile(r"^'[^']+' .*(is running|succeeded|passed|is OK)")


class Monit(Contender):
    """Monit, from its own package."""

    name = "monit"

    @classmethod
    def why_not(cls, scenario: Scenario) -> str:
        return scenario.monit.why_not

    def start(self, launch: Launch = AS_ALWAYS) -> None:  # noqa: ARG002 - it takes no variants
        self.host.write_file(CONFIG, _BEGINNING + self.scenario.monit.monitrc, mode=0o600)
        self.host.run(["mkdir", "-p", _PLACE], check=True)
        run = ["systemd-run", f"--unit={UNIT}", "--quiet", "--", "monit", "-I", "-c", CONFIG]
        self.host.run(run, check=True)
        wait_until(self._watches, "the start of monit", seconds=_READY_WITHIN_SECONDS, every=0.02)

    def stop(self) -> None:
        self.host.run(["systemctl", "stop", UNIT])

    def operate(self, words: Sequence[str]) -> None:
        if words:
            self.host.run(["monit", "-c", CONFIG, *words], check=True)

    def timeline(self) -> Timeline:
        lines = list(self._lines())
        detected = next((at for at, level, _ in lines if level == "error"), None)
        acted = next((at for at, _, said in lines if _ACTED.match(said)), None)
        well = (at for at, _, said in lines if acted is not None and at >= acted and _WELL.match(said))
        return Timeline(detected, acted, next(well, None))

    def actions(self) -> Sequence[Performed]:
        found: list[Performed] = []
        for match in (_ACTED.match(said) for _, _, said in self._lines()):
            if match and match["action"] == "start" and found[-1:] == [Performed("stop", match["target"])]:
                # Of one restart it says that it stops and that it starts.
                found[-1] = Performed("restart", match["target"])
            elif match:
                found.append(Performed(match["action"], match["target"]))
        return tuple(found)

    def cost(self) -> Cost:
        return unit_cost(self.host, UNIT)

    def _lines(self) -> Iterator[tuple[float, str, str]]:
        for line in self.host.read_file(LOG).splitlines():
            if match := _LINE.match(line):
                yield datetime.fromisoformat(match["at"]).timestamp(), match["level"], match["said"]

    def _watches(self) -> bool:
        return "Starting Monit" in self.host.run(["cat", LOG]).stdout
