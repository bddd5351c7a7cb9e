"""What applications say of log-ins that failed: databases, vaults, desktops, telephones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.logs.security.event import Result
from zen_agents.logs.security.places import PEER
from zen_agents.logs.security.server_form import USER, ServerForm, form

#: The server ends each with the client's address, which is therefore the last one, whatever the name holds.
_CLIENT_OF_SQL_SERVER: Final = r" \[CLIENT: (?P<peer>[0-9A-Fa-f.:]+)\]"
_STAMP_OF_SQL_SERVER: Final = r"(?:[0-9-]{10} [0-9:.]{8,11} )?(?:Logon +)?"
_SQL_SERVER: Final = (
    form(rf"{_STAMP_OF_SQL_SERVER}Login failed for user '{USER}'\. Reason: .*{_CLIENT_OF_SQL_SERVER}"),
    form(rf"{_STAMP_OF_SQL_SERVER}Login failed\. The login is from .*{_CLIENT_OF_SQL_SERVER}", Result.REFUSED),
)
_BITWARDEN: Final = (
    form(rf"(?:[+-][0-9]{{2}}:[0-9]{{2}} )?(?:\[[A-Za-z.]+\] )?Failed login attempt(?:, 2FA invalid)?\. {PEER}"),
)
_GITLAB: Final = (form(rf"Failed Login: username={USER} ip={PEER}"),)
_OF_MONIT: Final = r"(?:\[[A-Z]{2,5} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}\] )?(?:error +: )?(?:HttpRequest|Warning): "
_DENIED_BY_MONIT: Final = rf"{_OF_MONIT}access denied -- client \[?(?P<peer>[0-9A-Fa-f.:]+)\]?: "
_MONIT: Final = (
    form(rf"{_DENIED_BY_MONIT}(?:unknown user|wrong password for user) '{USER}'"),
    form(rf"{_DENIED_BY_MONIT}empty password"),
    form(
        rf"{_OF_MONIT}Client '(?P<peer>[0-9A-Fa-f.:]+)' supplied (?:unknown user|wrong password for user) '{USER}' "
        r"accessing monit httpd"
    ),
)
#: Several addresses are what a client says of the way it came: nobody knows which of them is its own.
_GUACAMOLE: Final = (
    form(
        r"(?:(?:[0-9:.]{12} )?\[[^\[\] ]+\] WARN +[A-Za-z.]+ - |WARNING: )?"
        rf'Authentication attempt from \[?(?P<peer>[0-9A-Fa-f.:]+)\]? for user "{USER}" failed\.'
    ),
)
_SOGO: Final = (
    form(
        rf"(?:sogod \[[0-9]+\]: )?(?:<[^<> ]+>)?SOGoRootPage Login from '(?P<peer>[0-9A-Fa-f.:]+)' for user '{USER}' "
        r"might not have worked(?: - password policy: [0-9]+  grace: -?[0-9]+  expire: -?[0-9]+  bound: -?[0-9]+)?"
    ),
)
_ZNC: Final = (form(rf"\[{USER}\] failed to login from (?P<peer>[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+?)(?::[0-9]{{4,5}})?"),)
_OF_FREESWITCH: Final = r"(?:[0-9-]{10} [0-9:.]{15} )?(?:[0-9.]+% )?\[WARNING\] sofia_reg\.c:[0-9]+ "
_FREESWITCH: Final = (
    form(rf"{_OF_FREESWITCH}SIP auth failure \([A-Z]+\) on sofia profile '[^']*' for \[{USER}\] from ip {PEER}"),
    form(rf"{_OF_FREESWITCH}Can't find user \[{USER}\] from {PEER}"),
)

FORMS: Final[Mapping[str, Sequence[ServerForm]]] = {
    "sqlservr": _SQL_SERVER,
    "Bitwarden-Identity": _BITWARDEN,
    "gitlab": _GITLAB,
    "monit": _MONIT,
    "guacd": _GUACAMOLE, "guacamole": _GUACAMOLE, "tomcat": _GUACAMOLE,
    "sogod": _SOGO,
    "znc": _ZNC,
    "freeswitch": _FREESWITCH,
}  # fmt: skip
