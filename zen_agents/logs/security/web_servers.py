"""What web servers, applications behind them, and databases say of log-ins that failed, in words of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.logs.security.event import Result, What
from zen_agents.logs.security.places import PEER
from zen_agents.logs.security.server_form import USER, ServerForm, form

_OF_NGINX: Final = r"\[error\] [0-9]+#[0-9]+: (?:\*[0-9]+ )?"
_NOT_NGINXS: Final = r'(?:: password mismatch| was not found in "[^"]*")'
_CLIENT_OF_NGINX: Final = r", client: (?P<peer>[^ ,]+), server: .*"
_NGINX: Final = (
    # Without a quotation mark in it a name ends for certain, and what a client asked for comes after its address.
    form(rf'{_OF_NGINX}user "(?P<user>[^"]*)"{_NOT_NGINXS}{_CLIENT_OF_NGINX}'),
    form(rf'{_OF_NGINX}user "{USER}"{_NOT_NGINXS}{_CLIENT_OF_NGINX}', once=r", client: "),
    form(rf"{_OF_NGINX}PAM: user '{USER}' - not authenticated: [A-Z][^,]*{_CLIENT_OF_NGINX}", once=r", client: "),
)
#: Since 2.4 the port stands behind the address, also behind one of IPv6 without brackets.
_OF_APACHE: Final = (
    r"\[(?:[a-z0-9_]+)?:?error\] (?:\[pid [0-9]+(?::tid [0-9]+)?\] \[(?:client|remote) \[?(?P<peer>[^ \]]+)\]?:[0-9]{1,5}\] "
    r"|\[client (?P<peer2>[^ \]]+)\] )(?:AH[0-9]{5}: )?(?:Digest: )?"
)
_NOT_APACHES: Final = r'(?:: (?:authentication|authorization) failure for "|: password mismatch: | not found(?:: |$))'
_APACHE: Final = (
    form(rf"{_OF_APACHE}user [`']{USER}' in realm [`'].*' not found: .*"),
    form(rf"{_OF_APACHE}user {USER}{_NOT_APACHES}.*"),
    form(rf"{_OF_APACHE}client used wrong authentication scheme: .*", Result.REFUSED),
    form(rf"{_OF_APACHE}Authorization of user {USER} to access .* failed, reason: .*", Result.REFUSED, once=" to access "),
)
_OF_LIGHTTPD: Final = r"\(?(?:http_auth|mod_auth)\.c\.[0-9]+\) "
_LIGHTTPD: Final = (
    form(rf"{_OF_LIGHTTPD}password doesn't match for .* username: {USER},? IP: {PEER}", once=" username: "),
    form(rf"{_OF_LIGHTTPD}get_password failed, IP: {PEER}"),
    form(rf"{_OF_LIGHTTPD}digest: auth failed for +{USER} : wrong password, IP: {PEER}"),
)
_ROUNDCUBE: Final = (
    form(
        r"(?:<[0-9a-z]+> )?(?:IMAP Error: Login failed|FAILED login|Failed login) for (?P<user>.*?)(?: against [^ ]+)? from "
        r"(?P<peer>[0-9A-Fa-f.:]+[0-9A-Fa-f])(?:\(X-[^()]*\))?(?:\. .*| in session .*)?",
        once=" from ",
    ),
)
_OF_VAULTWARDEN: Final = r"\[vaultwarden::api::[a-z0-9_:]+\]\[ERROR\] "
_VAULTWARDEN: Final = (
    form(
        rf"{_OF_VAULTWARDEN}(?:Username or password is incorrect\. Try again|Invalid admin token|Token is invalid)[.!] "
        rf"IP: (?P<peer>[0-9A-Fa-f.:]+?)\.?(?: Username: (?P<user>.*?)\.?)?"
    ),
    form(rf"{_OF_VAULTWARDEN}Invalid TOTP code! Server time: [0-9: UTC-]+ IP: (?P<peer>[0-9A-Fa-f.:]+)"),
)
_GITEA: Final = (
    form(
        rf"(?:(?:[^ ]+ )?\[[IW]\] (?:\[[0-9a-f]+\] )?)?Failed authentication attempt for {USER} from "
        r"(?:\[(?P<peer>[^ \[\]]+)\]|(?P<peer2>[0-9.]+))(?::[0-9]+)?(?:: .*)?",
        once=" from ",
    ),
)
_XRDP: Final = (form(rf"(?:\[[0-9]{{8}}-[0-9:]{{8}}\] )?\[INFO \] AUTHFAIL: user={USER} ip={PEER} time=[0-9]+"),)
_CLIENT_OF_OPENVPN: Final = r"\[?(?P<peer>[0-9A-Fa-f.:]+)\]?:[0-9]{1,5}"
_OF_OPENVPN: Final = rf"{_CLIENT_OF_OPENVPN} TLS "
_OPENVPN: Final = (
    form(rf"{_OF_OPENVPN}Auth Error: Auth Username/Password verification failed for peer"),
    form(rf"{_OF_OPENVPN}Error: TLS handshake failed", Result.ENDED, what=What.CONNECTION),
    form(rf"{_CLIENT_OF_OPENVPN} VERIFY ERROR: depth=[0-9]+, error=.*", Result.REFUSED),
)
_WRITTEN_AT: Final = r"(?:[0-9]+ (?:in )?[a-z_]+:)?"
_OF_ASTERISK: Final = (
    rf"(?:NOTICE\[[0-9]+\](?:\[C-[0-9a-f]+\])?:? )?(?:chan_sip|chan_iax2|res_pjsip[a-z_/]*)\.c:{_WRITTEN_AT} +"
)
_EVENT_OF_ASTERISK: Final = rf"(?:SECURITY\[[0-9]+\](?:\[C-[0-9a-f]+\])?:? res_security_log\.c:{_WRITTEN_AT} )?"
#: What a telephone says of itself is a name for show and its address at the server: the account is what stands in that.
_OF_A_TELEPHONE: Final = r'(?:"[^"<>]*" ?)?<sips?:(?P<user>[^@<>;:]+)(?:@[^<>]*)?>(?:;[^ \']*)?'
_ASTERISK: Final = (
    form(
        rf"{_OF_ASTERISK}Registration from '{_OF_A_TELEPHONE}' failed for '(?P<peer>[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
        r"(?::[0-9]+)?' - [A-Z].*",
        once=" failed for '",
    ),
    form(
        rf"{_OF_ASTERISK}Request (?:'[A-Z]+' )?from '{_OF_A_TELEPHONE}' failed for "
        r"'(?P<peer>[0-9.]+|\[[0-9A-Fa-f:]+\]):[0-9]+' \(callid: .*\) - .*",
        once=" failed for '",
    ),
    form(
        rf"{_OF_ASTERISK}Registration from '{USER}' failed for '(?P<peer>[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
        r"(?::[0-9]+)?' - (?:Wrong password|No matching peer found|Username/auth name mismatch|Device does not match ACL|"
        r"Peer is not supposed to register|ACL error \(permit/deny\)|Not a local domain)"
    ),
    form(rf"{_OF_ASTERISK}Host (?P<peer>[^ ]+) failed (?:to authenticate as|MD5 authentication for) '{USER}'(?: \(.*\))?"),
    form(
        rf"{_OF_ASTERISK}Request (?:'[A-Z]+' )?from '{USER}' failed for '(?P<peer>[0-9.]+|\[[0-9A-Fa-f:]+\]):[0-9]+' "
        r"\(callid: .*\) - .*",
        once=" failed for '",
    ),
    form(
        rf'{_EVENT_OF_ASTERISK}SecurityEvent="(?:InvalidAccountID|InvalidPassword|ChallengeResponseFailed|FailedACL)",'
        rf'.*AccountID="{USER}",SessionID=.*,RemoteAddress="IPV[46]/[A-Z]+/(?P<peer>[^/"]+)/[0-9]+".*',
        once='RemoteAddress="',
    ),
)
#: Where no syslog stamps its lines: a number or two, how bad it is, and where in the server.
_OF_MYSQL: Final = (
    r"(?:[0-9][0-9:.TZ -]{0,48})?(?:[0-9]{1,20} Connect[ \t]+)?(?:\[(?:Warning|Note)\] )?(?:\[MY-[0-9]+\] \[Server\] )?"
)
_MYSQL: Final = (
    form(rf"{_OF_MYSQL}Access denied for user '{USER}'@'(?P<peer>[^ ']+)'(?: \(using password: (?:YES|NO)\))?"),
)
#: The usual `log_line_prefix`, which holds what a client calls itself.
_OF_POSTGRESQL: Final = (
    r"(?:\[[0-9]+-[0-9]+\] )?(?:[0-9-]{10} [0-9:.]{8,16} )?(?:[A-Z]{2,5} )?(?:\[[0-9]+\] )?(?:[^ ]*@[^ ]* )?FATAL: +"
)
#: `%t:%r:%u@%d:[%p]:`, as those use it who run it for others: the address stands before whatever a client calls itself.
_FROM_POSTGRESQL: Final = (
    r"(?:(?:[0-9-]{10} [0-9:.]{8,16} )?[A-Z]{2,5}:)?(?P<peer>[0-9A-Fa-f.:]+)\([0-9]{1,5}\):.*@.*:\[[0-9]+\]: ?FATAL: +"
)
_POSTGRESQL: Final = (
    form(
        rf'{_OF_POSTGRESQL}(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host "(?P<peer>[^ "]+)", '
        rf'user "{USER}", database ".*',
        Result.REFUSED,
        once="FATAL: ",
    ),
    form(rf'{_OF_POSTGRESQL}[A-Za-z0-9]+ authentication failed for user "{USER}"', once="FATAL: "),
    form(rf'{_FROM_POSTGRESQL}[A-Za-z0-9]+ authentication failed for user "{USER}"', once="FATAL: "),
)

FORMS: Final[Mapping[str, Sequence[ServerForm]]] = {
    "nginx": _NGINX,
    "apache2": _APACHE, "httpd": _APACHE,
    "lighttpd": _LIGHTTPD,
    "webmin": (form(rf"(?:Invalid|Non-existent) login as {USER} from {PEER}"),),
    "php-fpm": (form(rf"/[^ ]*: webConfigurator authentication error for user '{USER}' from: {PEER}"),),
    "phpMyAdmin": (form(rf"user denied: {USER} \([a-z-]+\) from {PEER}"),),
    "roundcube": _ROUNDCUBE,
    "vaultwarden": _VAULTWARDEN,
    "gitea": _GITEA, "forgejo": _GITEA,
    "xrdp": _XRDP, "xrdp-sesman": _XRDP,
    "openvpn": _OPENVPN, "ovpn-server": _OPENVPN,
    "asterisk": _ASTERISK,
    "mysql": _MYSQL, "mysqld": _MYSQL, "mariadbd": _MYSQL,
    "postgres": _POSTGRESQL, "postgresql": _POSTGRESQL,
}  # fmt: skip
