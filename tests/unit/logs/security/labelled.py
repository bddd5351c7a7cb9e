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
    ("User U from A not allowed because not listed in AllowUsers", "refused"),
    ("User U from A not allowed because listed in DenyUsers", "refused"),
    ("User U from A not allowed because a group is listed in DenyGroups", "refused"),
    ("User U from A not allowed because none of user's groups are listed in AllowGroups", "refused"),
    ("error: maximum authentication attempts exceeded for U from A port 61000 ssh2 [preauth]", "refused"),
    ("Disconnecting authenticating user U A port 65535: Too many authentication failures [preauth]", "refused"),
    (
        "Authentication tried for U with correct key but not from a permitted host "
        "(host=h.example, ip=A, required=192.0.2.0/28).", "refused",
    ),
)  # fmt: skip
#: Single lines: another account, no account, no address, or another program.
SINGLE = (
    Labelled("ROOT LOGIN REFUSED FROM 192.0.2.9 port 40022 [preauth]", "refused", "root", "192.0.2.9"),
    Labelled("Received disconnect from 192.0.2.9 port 5:14: No supported authentication methods available [preauth]",
             "failed", "", "192.0.2.9"),
    Labelled("User backup not allowed because account is locked", "refused", "backup"),
    Labelled("User web not allowed because shell /bin/zsh does not exist", "refused", "web"),
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
)  # fmt: skip


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
    yield from SINGLE
    yield from (Labelled(message) for message in NOTHING)


def _filled(form: str, name: str, address: str) -> str:
    return "".join({"\0": name, "\1": address}.get(letter, letter) for letter in _marked(form))


def _marked(form: str) -> str:
    words = form.split(" ")
    marks = {"U": "\0", "A": "\1", "rhost=A": "rhost=\1", "user=U": "user=\0", "ip=A,": "ip=\1,"}
    return " ".join(marks.get(word, word) for word in words)
