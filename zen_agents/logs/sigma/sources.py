"""Which lines a rule is about (`logsource`), and what its fields are called there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.record import MESSAGE, PROGRAM, LogRecord
from zen_agents.logs.sigma.refused import SigmaRefusedError


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of lines. A field that a rule names and this one has not cannot be looked for."""

    name: str
    #: Its fields: how Sigma calls them, and which of ours, joined by spaces, they are.
    fields: Mapping[str, Sequence[str]]
    #: Which programs write them; empty for all.
    programs: frozenset[str] = frozenset()
    #: Lines of it have these fields.
    needs: Sequence[str] = ()

    def has(self, record: LogRecord) -> bool:
        """Tell whether a line is one of these."""
        fields = record.fields
        if any(name not in fields for name in self.needs):
            return False
        return not self.programs or fields.get(PROGRAM, "").rpartition("/")[2] in self.programs


_SYSLOG: Final = {"message": (MESSAGE,), "program": (PROGRAM,), "host": ("host",), "hostname": ("host",), "pid": ("pid",)}
_REQUEST: Final = {
    "cs-method": ("method",), "cs-uri": ("path",), "c-uri": ("path",), "cs-uri-stem": ("path.stem",),
    "c-uri-stem": ("path.stem",), "cs-uri-query": ("path.query",), "c-uri-query": ("path.query",), "cs-username": ("user",),
    "sc-status": ("status",), "sc-bytes": ("bytes",), "cs-user-agent": ("agent",), "c-useragent": ("agent",),
    "cs-referer": ("referer",), "cs-referrer": ("referer",), "c-ip": ("client",), "src_ip": ("client",),
    "cs-version": ("protocol",), "cs-host": ("site",), "request": (MESSAGE,),
}  # fmt: skip
_WEB: Final = Source("webserver", _REQUEST, needs=("client", "status"))
_LINUX: Final = Source("linux", _SYSLOG)
#: `service` of a rule for Linux: who writes it. What is no log of text (auditd) is not here.
_SERVICES: Final[Mapping[str, frozenset[str]]] = {
    "sshd": frozenset({"sshd", "sshd-session", "sshd-auth"}), "sudo": frozenset({"sudo"}), "su": frozenset({"su", "su-l"}),
    "cron": frozenset({"cron", "CRON", "crond", "crontab", "anacron"}),
    "clamav": frozenset({"clamd", "clamscan", "freshclam"}),
    "vsftpd": frozenset({"vsftpd"}), "guacamole": frozenset({"guacd", "tomcat", "tomcat9", "guacamole"}),
    "syslog": frozenset(), "auth": frozenset(), "apache": frozenset(), "nginx": frozenset(),
}  # fmt: skip


def source_of(logsource: Any) -> Source:
    """Return the kind of lines that a rule is about; SigmaRefusedError if no log that is read here has them."""
    if not isinstance(logsource, Mapping):
        raise SigmaRefusedError("logsource", "is missing")
    category, product, service = (str(logsource.get(key, "") or "") for key in ("category", "product", "service"))
    if category in {"webserver", "web"}:
        return _WEB
    if category:
        raise SigmaRefusedError("logsource.category", f"{category} is no log of text that is read here")
    if product not in {"", "linux", "apache", "nginx"} or (not product and not service):
        raise SigmaRefusedError("logsource.product", f"{product or 'nothing'} is not read here; linux is")
    if not service:
        return _LINUX
    if service not in _SERVICES:
        raise SigmaRefusedError("logsource.service", f"{service} is no log of text that is read here")
    return Source(service, _SYSLOG, _SERVICES[service])


def value_of(record: LogRecord, name: str) -> str | None:
    """Return what a line says in a field of ours, None if it says nothing there."""
    if name.startswith("path."):
        path = record.fields.get("path")
        stem, mark, query = (path or "").partition("?")
        if path is None:
            return None
        return stem if name == "path.stem" else (query if mark else "")
    return record.message if name == MESSAGE else record.fields.get(name)
