"""What applications say of log-ins that failed: databases, vaults, desktops, telephones, sites, who logs in for others."""

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
#: The plug-in that writes to syslog what WordPress itself keeps to itself: the address stands last, behind any name.
_FAILED_AT_WORDPRESS: Final = (
    r"(?:(?:XML-RPC )?[Aa]uthentication (?:failure|attempt) for (?:unknown user )?|Empty username"
    r"|XML-RPC multicall authentication failure)"
)
_FROM_WORDPRESS: Final = r"(?P<user>.*?) ?from (?P<peer>[0-9A-Fa-f.:]+)"
_WORDPRESS: Final = (
    form(rf"{_FAILED_AT_WORDPRESS}{_FROM_WORDPRESS}"),
    form(rf"Blocked authentication attempt for {_FROM_WORDPRESS}", Result.REFUSED),
)
#: `base_url|timestamp|type|ip|…|message`: all but the message is the site's, or has its bars escaped.
_DRUPAL: Final = (
    form(
        r"https?://[^|\s]*\|[0-9]+\|user\|(?P<peer>[0-9A-Fa-f.:]+)\|(?:[^|]*\|){4}Login attempt failed for (?P<user>.*?)\.?"
    ),
    form(
        r"https?://[^|\s]*\|[0-9]+\|user\|(?P<peer>[0-9A-Fa-f.:]+)\|(?:[^|]*\|){4}Login attempt failed from [0-9A-Fa-f.:]+"
    ),
)
#: `name=value`, or `name="value"` since 22; a value with a comma in it would look like two, and then nobody can tell.
_OTHERS_OF_KEYCLOAK: Final = r'(?:, (?!ipAddress=|username=)[A-Za-z_]+="?[^,"]*"?)*'
_KEYCLOAK: Final = (
    form(
        r"(?:[0-9-]{10} [0-9:,]{12} )?(?:WARN +)?\[org\.keycloak\.events\] (?:\([^()]*\) )?"
        rf'type="?LOGIN_ERROR"?{_OTHERS_OF_KEYCLOAK}, ipAddress="?(?P<peer>[^ ,"]+)"?{_OTHERS_OF_KEYCLOAK}'
        rf'(?:, username="?(?P<user>[^,"]*)"?)?{_OTHERS_OF_KEYCLOAK}'
    ),
)
#: Until 4.2; later ones write JSON.
_MONGODB: Final = (
    form(
        r"(?:I +(?:ACCESS|NETWORK) +\[conn[0-9]+\] )?(?:SASL )?[A-Z0-9-]+ authentication failed for "
        rf"{USER} on [^ ]+ from client \[?(?P<peer>[0-9A-Fa-f.:]+?)\]?:[0-9]{{1,5}} ?;.*",
        once=" from client ",
    ),
)
_EJABBERD: Final = (
    form(
        r"(?:[0-9-]{10} [0-9:.]{8,15}(?:[+-][0-9:]{5})? )?(?:\[(?:info|warning)\] )?"
        r"(?:<[0-9.]+>@ejabberd_c2s:[a-z_]+:[0-9]+ )?"
        rf"(?:\([^()]*\) )?Failed (?:c2s [A-Z0-9-]+ )?authentication for {USER} from (?:IP )?(?P<peer>[0-9A-Fa-f.:]+?)"
        r"(?:: [A-Z].*)?",
        once=" from ",
    ),
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
    "wordpress": _WORDPRESS,
    "drupal": _DRUPAL,
    "keycloak": _KEYCLOAK, "kc.sh": _KEYCLOAK,
    "mongod": _MONGODB,
    "ejabberd": _EJABBERD,
}  # fmt: skip
