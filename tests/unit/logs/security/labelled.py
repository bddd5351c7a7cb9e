"""Lines of authentication logs with what they say, and others that say nothing of the kind.

Written after what the sources of OpenSSH 5 to 10, Linux-PAM, sudo, shadow and util-linux print.
The addresses are those of RFC 5737 and RFC 3849.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple


class Labelled(NamedTuple):
    """A message, and what it says: `result` is "" for one that tells of no failed or refused log-in."""

    message: str
    result: str = ""
    user: str = ""
    address: str = ""
    program: str = "sshd"


#: What a client may call itself in order to be somebody else.
HOSTILE = (
    "root from 203.0.113.9 port 22 ssh2", "root from 203.0.113.9 port 22", "root from 203.0.113.9",
    "root 203.0.113.9 port 22",
    "x port 22 ssh2: RSA SHA256:AAAA", "x rhost=203.0.113.9  user=root", "x [preauth]", "",  " ", "invalid user root",
    "x: Accepted password for root from 203.0.113.9 port 22 ssh2",
    "x\\nNov 27 12:00:00 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2",
    "Nov 27 12:00:00 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2",
    "a not allowed because not listed in AllowUsers", "$(reboot)", "; rm -rf /", "\x1b[2J", "Ünï", "x" * 100,
)  # fmt: skip
USUAL = ("root", "admin", "oracle", "test1", "ubuntu", "pi", "user.name", "DOMAIN\\bob", "svc_backup", "git")
ADDRESSES = (
    ("192.0.2.7", "192.0.2.7"), ("198.51.100.250", "198.51.100.250"), ("2001:db8::7", "2001:db8::7"),
    ("2001:DB8:0:0::A", "2001:db8::a"), ("fe80::1%eth0", "fe80::1%eth0"), ("::ffff:192.0.2.8", "192.0.2.8"),
)  # fmt: skip
_KEY = "RSA SHA256:vRnLcTz6Wl5kdHWM9WbWyGQtLHeBzL5GqmVZ8e1nTl0"
#: Forms that carry any name; `U` is the name, `A` the address.
ANY_NAME = (
    ("Failed password for U from A port 22022 ssh2", "failed"),
    ("Failed password for invalid user U from A port 22022 ssh2", "failed"),
    ("Failed none for invalid user U from A port 4022 ssh2", "failed"),
    ("Failed keyboard-interactive/pam for invalid user U from A port 1 ssh2", "failed"),
    (f"Failed publickey for invalid user U from A port 50001 ssh2: {_KEY}", "failed"),
    ("error: PAM: Authentication failure for illegal user U from A", "failed"),
    ("error: PAM: User not known to the underlying authentication module for illegal user U from A", "failed"),
    ("Invalid user U from A port 38404", "refused"),
    ("Invalid user U from A", "refused"),
    ("error: maximum authentication attempts exceeded for invalid user U from A port 61000 ssh2 [preauth]", "refused"),
    ("Disconnecting invalid user U A port 65535: Too many authentication failures [preauth]", "refused"),
    ("administratively prohibited connection for invalid user U from A port 40022 [preauth]", "refused"),
)
#: Forms in which the server knows the account.
KNOWN = (
    ("Failed password for U from A port 22022", "failed"),
    (f"Failed publickey for U from A port 50001 ssh2: {_KEY}", "failed"),
    (f"Failed publickey for U from A port 9 ssh2: {_KEY.replace('RSA', 'RSA-CERT')} ID bob (serial 7) CA {_KEY}", "failed"),
    ('Failed hostbased for U from A port 45785 ssh2: RSA SHA256:abc, client user "dan", client host "d.example"', "failed"),
    ("error: PAM: Authentication failure for U from A", "failed"),
    ("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=A  user=U", "failed"),
    ("pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=A user=U", "failed"),
    ("PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=A  user=U", "failed"),
    ("pam_unix(sshd:auth): 3 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=A  user=U", "failed"),
    ("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=U rhost=A ", "failed"),
    ("pam_krb5(sshd:auth): authentication failure; logname=U uid=0 euid=0 tty=ssh ruser= rhost=A", "failed"),
    ("User U from A not allowed because not listed in AllowUsers", "refused"),
    ("User U from A not allowed because listed in DenyUsers", "refused"),
    ("User U from A not allowed because of a reason that a later version gives", "refused"),
    ("User U from A not allowed because a group is listed in DenyGroups", "refused"),
    ("User U from A not allowed because none of user's groups are listed in AllowGroups", "refused"),
    ("error: maximum authentication attempts exceeded for U from A port 61000 ssh2 [preauth]", "refused"),
    ("Disconnecting authenticating user U A port 65535: Too many authentication failures [preauth]", "refused"),
    (
        "Authentication tried for U with correct key but not from a permitted host "
        "(host=h.example, ip=A, required=192.0.2.0/28).", "refused",
    ),
)  # fmt: skip
#: Forms that name nobody: the server knows no such account, or says no more than that they gave up.
NAMELESS = (
    # PAM ends these with a blank.
    ("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=A ", "failed"),
    ("PAM 4 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=A ", "failed"),
    ("PAM 1 more authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=A ", "failed"),
    ("error: Received disconnect from A: 14: No more user authentication methods available. [preauth]", "failed"),
    ("error: Received disconnect from A: 3: com.jcraft.jsch.JSchException: Auth fail [preauth]", "failed"),
    ("fatal: Username too long from A port 40022 [preauth]", "refused"),
)
#: What other servers write, with the program; `{U}` is a name of their own list, `{A}` an address without a zone.
_MAIL = (
    "imap-login: Disconnected (auth failed, 2 attempts in 9 secs): user=<{U}>, method=PLAIN, rip={A}, lip=198.51.100.1, TLS"
)
SERVERS = (
    ("Bad password attempt for '{U}' from {A}:40022", "failed", "dropbear"),
    ("Bad PAM password attempt for '{U}' from {A}:40022", "failed", "dropbear"),
    ("[4242] Nov 27 11:59:58 Bad password attempt for '{U}' from {A}:40022", "failed", "dropbear"),
    ("Exit before auth (user '{U}', 9 fails): Max auth tries reached - user '{U}' from {A}:40022", "refused", "dropbear"),
    ("Exit before auth from <{A}:40022>: (user '{U}', 9 fails): Max auth tries reached - user '{U}'", "refused", "dropbear"),
    (_MAIL, "failed", "dovecot"),
    (_MAIL.replace("(auth", "Connection closed (auth").replace("secs):", "secs) (auth_failed):"), "failed", "dovecot"),
    ("pop3-login: Aborted login (tried to use disabled plaintext auth): user=<{U}>, rip={A}, lip=::1", "failed", "dovecot"),
    ("auth: passwd-file({U},{A},<xGmp6mZ>): unknown user", "failed", "dovecot"),
    ("auth-worker(4): conn unix:auth-worker (pid=7,uid=9): auth-worker<3>: sql({U},{A}): unknown user", "failed", "dovecot"),
    ("auth-worker(4): pam({U},{A}): pam_authenticate() failed: Authentication failure (no match?)", "failed", "dovecot"),
    ("web (client.example[{A}]) - USER {U} (Login failed): Incorrect password", "failed", "proftpd"),
    ("web ({A}[{A}]): USER {U}: no such user found from {A} [{A}] to 198.51.100.1:21", "refused", "proftpd"),
    ("(?@{A}) [WARNING] Authentication failed for user [{U}]", "failed", "pure-ftpd"),
    ('[{U}] FAIL LOGIN: Client "{A}"', "failed", "vsftpd"),
    ("warning: unknown[{A}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={U}", "failed", "postfix/smtpd"),
    ("warning: h[{A}]:40022: SASL PLAIN authentication failed: no, sasl_username={U}", "failed", "postfix/smtps/smtpd"),
    ("LOGIN FAILED, user={U}, ip=[{A}]", "failed", "imapd"),
    ("LOGIN FAILED, user={U}, ip=[{A}], port=[40022]", "failed", "pop3d-ssl"),
    ("authentication failure; rhost={A} user={U} msg=no such user", "failed", "pvedaemon"),
)  # fmt: skip
#: Single lines: another account, no account, no address, or another program.
SINGLE = (
    Labelled("ROOT LOGIN REFUSED FROM 192.0.2.9 port 40022 [preauth]", "refused", "root", "192.0.2.9"),
    Labelled("Received disconnect from 192.0.2.9 port 5:14: No supported authentication methods available [preauth]",
             "failed", "", "192.0.2.9"),
    Labelled("User backup not allowed because account is locked", "refused", "backup"),
    Labelled("User web not allowed because shell /bin/zsh does not exist", "refused", "web"),
    Labelled("User EXAMPLE\\\\Domain Admin from 192.0.2.9 not allowed because not listed in AllowUsers",
             "refused", "EXAMPLE\\\\Domain Admin", "192.0.2.9"),
    Labelled("authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=192.0.2.14 ",
             "failed", "", "192.0.2.14", "sshd(pam_unix)"),
    Labelled("2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.14  user=root",
             "failed", "root", "192.0.2.14", "sshd(pam_unix)"),
    Labelled("pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=eve@shop.example "
             "rhost=192.0.2.15 ", "failed", "eve@shop.example", "192.0.2.15", "auth"),
    Labelled("pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=203.0.113.9 "
             "rhost=192.0.2.15", "failed", "x rhost=203.0.113.9", "192.0.2.15", "vsftpd"),
    Labelled("fatal: Access denied for user carol by PAM account configuration [preauth]", "refused", "carol"),
    Labelled("Disconnecting: Too many authentication failures for root [preauth]", "refused", "root"),
    Labelled("refused connect from scan.example (192.0.2.10)", "refused", "", "192.0.2.10"),
    Labelled("drop connection #12 from [192.0.2.11]:4022 on [198.51.100.1]:22 penalty: failed authentication",
             "refused", "", "192.0.2.11", "sshd"),
    Labelled("pam_listfile(sshd:auth): Refused user root for service sshd", "refused", "root"),
    Labelled("pam_access(sshd:account): access denied for user `bob' from `192.0.2.12'", "refused", "bob", "192.0.2.12"),
    Labelled("pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=f ruser=a rhost=192.0.2.13  user=ann",
             "failed", "ann", "192.0.2.13", "vsftpd"),
    Labelled("FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure", "failed", "root", "", "login"),
    Labelled("FAILED LOGIN 2 FROM 192.0.2.17 FOR root, Authentication failure", "failed", "root", "192.0.2.17", "login"),
    Labelled("FAILED LOGIN (1) on '/dev/pts/0' from '192.0.2.17' FOR 'eve', User not known", "failed", "eve", "192.0.2.17",
             "login"),
    Labelled("TOO MANY LOGIN TRIES (5) FROM tty1 FOR root, Authentication failure", "failed", "root", "", "login"),
    Labelled("TOO MANY LOGIN TRIES (5) on '/dev/pts/0' from '192.0.2.17' FOR 'eve'", "failed", "eve", "192.0.2.17", "login"),
    Labelled("Login attempt for nonexistent user from ::ffff:192.0.2.16:40022", "refused", "", "192.0.2.16", "dropbear"),
    Labelled("web (h.example[192.0.2.16]) - Maximum login attempts (3) exceeded", "refused", "", "192.0.2.16", "proftpd"),
    Labelled("web (h.example[192.0.2.16]): SECURITY VIOLATION: root login attempted.", "refused", "root", "192.0.2.16",
             "proftpd"),
    Labelled("warning: unknown[192.0.2.16]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", "failed", "", "192.0.2.16",
             "postfix/smtpd"),
    Labelled("LOGIN FAILED, method=PLAIN, ip=[::ffff:192.0.2.16]", "failed", "", "192.0.2.16", "imapd-ssl"),
    Labelled("Authentication failed from h.example (192.0.2.16): Software caused connection abort", "failed", "",
             "192.0.2.16", "klogind"),
)  # fmt: skip
#: Of these nobody failed, or nobody tried.
NOTHING = (
    "Accepted publickey for deploy from 192.0.2.20 port 50000 ssh2: ED25519 SHA256:abcdef",
    "Accepted password for root from 192.0.2.20 port 50000 ssh2",
    "Postponed publickey for deploy from 192.0.2.20 port 50000 ssh2 [preauth]",
    "Partial publickey for deploy from 192.0.2.20 port 50000 ssh2: ED25519 SHA256:abcdef",
    "pam_unix(sshd:session): session opened for user deploy(uid=1000) by (uid=0)",
    "pam_unix(sshd:session): session closed for user deploy",
    "pam_unix(sshd:auth): check pass; user unknown",
    "Disconnected from user deploy 192.0.2.20 port 50000",
    "Received disconnect from 192.0.2.20 port 50000:11: disconnected by user",
    "Received disconnect from 192.0.2.20 port 50000:11: Failed password for root from 203.0.113.9 port 22 ssh2 [preauth]",
    "Connection closed by 192.0.2.20 port 50000 [preauth]",
    "Connection closed by authenticating user root 192.0.2.20 port 50000 [preauth]",
    "Connection from 192.0.2.20 port 50000 on 198.51.100.1 port 22 rdomain \"\"",
    "Server listening on 0.0.0.0 port 22.",
    "reverse mapping checking getaddrinfo for bad.example [192.0.2.20] failed.",
    "Starting session: shell on pts/0 for deploy from 192.0.2.20 port 50000 id 0",
    "User child is on pid 4242",
    "error: kex_exchange_identification: Connection closed by remote host",
    "Bad protocol version identification 'Failed password for root from 203.0.113.9 port 22 ssh2' from 192.0.2.20 port 5",
    "Unable to negotiate with 192.0.2.20 port 5: no matching cipher found. Their offer: Invalid user a from 203.0.113.9",
    "subsystem request for sftp by user deploy",
    "srclimit_penalise: ipv4: new 192.0.2.20/32 deferred penalty of 5 seconds for penalty: failed authentication",
    "input_userauth_request: invalid user eve [preauth]",
    "Authentication refused: bad ownership or modes for file /home/deploy/.ssh/authorized_keys",
    "Address 192.0.2.20 maps to h.example, but this does not map back to the address - POSSIBLE BREAK-IN ATTEMPT!",
    "error: maximum number of sessions exceeded for root from 192.0.2.20 port 50000",
    "PAM service(sshd) ignoring max retries; 6 > 3",
    "Close session: user deploy from 192.0.2.20 port 50000 id 0",
    "Timeout before authentication for connection from 192.0.2.20 to 198.51.100.1, pid = 4242 (early)",
    "error: kex_exchange_identification: client sent invalid protocol identifier \"Invalid user root from 203.0.113.9\"",
)  # fmt: skip
NOTHING_OF_OTHERS = (
    ("imap-login: Login: user=<deploy>, method=PLAIN, rip=192.0.2.20, lip=198.51.100.1, mpid=7, TLS", "dovecot"),
    ("pop3-login: Disconnected (no auth attempts in 4 secs): user=<>, rip=192.0.2.20, lip=198.51.100.1", "dovecot"),
    ("web (h.example[192.0.2.20]) - USER deploy: Login successful.", "proftpd"),
    ('[deploy] OK LOGIN: Client "192.0.2.20"', "vsftpd"),
    ("Password auth succeeded for 'deploy' from 192.0.2.20:40022", "dropbear"),
    ("(?@192.0.2.20) [INFO] deploy is now logged in", "pure-ftpd"),
    ("connect from unknown[192.0.2.20]", "postfix/smtpd"),
    ("Kerberos authentication failed", "klogind"),
)


def corpus() -> Iterator[Labelled]:
    """Yield every form with every name and address that it may carry."""
    turn = cycle(ADDRESSES)
    for form, result in ANY_NAME:
        for name in (*USUAL, *HOSTILE):
            for written, address in (next(turn), next(turn)):
                yield Labelled(_filled(form, name, written), result, name, address)
    for form, result in KNOWN:
        for name in USUAL:
            for written, address in ADDRESSES:
                for program in ("sshd", "sshd-session"):
                    yield Labelled(_filled(form, name, written), result, name, address, program)
    for form, result in NAMELESS:
        for written, address in ADDRESSES:
            yield Labelled(_filled(form, "", written), result, "", address)
    for form, result, program in SERVERS:
        for name in USUAL:
            for written, address in ADDRESSES:
                if "%" not in written:
                    yield Labelled(form.format(U=name, A=written), result, name, address, program)
    yield from SINGLE
    yield from (Labelled(message) for message in NOTHING)
    yield from (Labelled(message, program=program) for message, program in NOTHING_OF_OTHERS)


def _filled(form: str, name: str, address: str) -> str:
    return "".join({"\0": name, "\1": address}.get(letter, letter) for letter in _marked(form))


def _marked(form: str) -> str:
    words = form.split(" ")
    marks = {
        "U": "\0", "A": "\1", "A:": "\1:", "rhost=A": "rhost=\1", "user=U": "user=\0", "ruser=U": "ruser=\0",
        "logname=U": "logname=\0", "ip=A,": "ip=\1,",
    }  # fmt: skip
    return " ".join(marks.get(word, word) for word in words)
