"""Servers other than OpenSSH's: who failed, and from where, in a log of syslog and in one of the server's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.logs.security.labelled import ADDRESSES, HOSTILE, USUAL, Labelled
from tests.unit.logs.security.labelled_servers import AUDIT, OF_A_NAME, OF_NOBODY, OF_NOTHING
from tests.unit.logs.security.test_recognition import BAD, FORGED, bare, said
from zen_agents.logs.security import servers
from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.recognition import SERVERS


def _corpus() -> Iterator[Labelled]:
    turn = cycle((written, address) for written, address in ADDRESSES if "%" not in written)
    for form, result, program in OF_A_NAME:
        for name in USUAL:
            written, address = next(turn)
            yield Labelled(form.format(U=name, A=written), result, name, address, program)
    for form, result, program in OF_NOBODY:
        for written, address in ADDRESSES[:2]:
            yield Labelled(form.format(A=written), result, "", address, program)
    yield from (Labelled(message, program=program) for message, program in OF_NOTHING)


def _figures(events: Iterator[tuple[Labelled, SecurityEvent | None]]) -> tuple[float, float, list[Labelled]]:
    """Return recall, precision, and what is not as it should be."""
    failed = told = right = 0
    wrong = []
    for label, event in events:
        is_told = event is not None and event.result in BAD
        is_right = event is not None and (event.result, event.user, event.address) == (
            label.result,
            label.user,
            label.address,
        )
        failed, told, right = failed + bool(label.result), told + is_told, right + (is_told and is_right)
        wrong += [label] if is_told != bool(label.result) or (is_told and not is_right) else []
    return right / failed, right / told, wrong


def test_log_ins_that_failed_are_found_in_lines_of_syslog() -> None:
    recall, precision, wrong = _figures((label, said(label.message, label.program)) for label in _corpus())
    assert recall >= 0.99, wrong[:5]
    assert precision >= 0.995, wrong[:5]


def test_log_ins_that_failed_are_found_in_logs_of_the_servers_themselves() -> None:
    recall, precision, wrong = _figures((label, bare(f"2026-11-27 11:59:58 {label.message}")) for label in _corpus())
    assert recall >= 0.99, wrong[:5]
    assert precision >= 0.995, wrong[:5]


def test_the_servers_are_those_of_which_there_are_forms() -> None:
    assert frozenset(servers.FORMS) == SERVERS


#: Pieces of all of the forms around a forged address.
_PIECES = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from([form.format(U="x", A=FORGED) for form, _, _ in OF_A_NAME]),
        st.sampled_from([
            f", client: {FORGED}, server: h", f" from {FORGED}", f" IP: {FORGED}.", f"'@'{FORGED}'",
            f"' failed for '{FORGED}' - ",
            f"[{FORGED}]", f", relay=[{FORGED}]", f" ip={FORGED} time=1", '"', "'", ")", "]", " (using password: NO)",
            ' was not found in "', ": password mismatch", f'RemoteAddress="IPV4/UDP/{FORGED}/1"', " SASL(-13): ", "FATAL:  ",
            f" [CLIENT: {FORGED}]", "'. Reason: ", f"] failed to login from {FORGED}", f"] from ip {FORGED}",
            f" ip={FORGED}",
            ". Username: ", "|", f"|1|user|{FORGED}|a|b|0||", f"] to x [{FORGED}] to ", f" from client {FORGED}:1 ;",
            " auth=", " host=h ", " in session ", ": ",
        ]),
    ),
    max_size=4,
).map("".join).map(lambda name: name.replace("\n", "")[:300])  # fmt: skip


#: A whole line of Drupal's as a name at Exim, in a log that does not say whose lines it has.
_AT_EXIM = (
    "LOGIN authenticator failed for (client) [{A}]: 535 Incorrect authentication data (set_id={U})",
    "failed",
    "exim",
)
_OF_DRUPAL = (
    f"https://h.example|1795867198|user|{FORGED}|https://h.example/user|https://h.example/|0||Login attempt failed for x."
)


@given(form=st.sampled_from(OF_A_NAME), name=_PIECES, alone=st.booleans())
@example(form=_AT_EXIM, name=_OF_DRUPAL, alone=True)
@settings(max_examples=200, deadline=None)
def test_no_name_forges_an_address_at_any_server(form: tuple[str, str, str], name: str, alone: bool) -> None:
    message, _, program = form
    line = message.format(U=name, A="192.0.2.7")
    event = bare(line) if alone else said(line, program)
    assert event is None or event.address in {"192.0.2.7", ""}


_KEYCLOAK = "[org.keycloak.events] (default task-3) type=LOGIN_ERROR, realmId=m, clientId=x, userId=null, "


@pytest.mark.parametrize(
    ("program", "message", "expected"),
    [
        ("postgres", '2026-11-28 10:00:00 UTC:192.0.2.7(41424):app@shop:[12]:FATAL:  password authentication failed '
         'for user "app"',
         ("app", "192.0.2.7")),
        ("postgres", f'192.0.2.7(41424):x {FORGED}(1):x@shop:[12]:FATAL:  password authentication failed for user "x"',
         ("x", "192.0.2.7")),
        ("asterisk", "NOTICE[7]: chan_sip.c:9 handle: Registration from '\"x\" <sip:alice@h>' failed for '192.0.2.7:5060' - "
         "Wrong password", ("alice", "192.0.2.7")),
        ("asterisk", "NOTICE[7]: res_pjsip/pjsip_distributor.c:9 log_failed: Request 'REGISTER' from '<sip:alice@h>' "
         "failed for '192.0.2.7:5060' (callid: 1a) - Failed to authenticate", ("alice", "192.0.2.7")),
        ("asterisk", f"NOTICE[7]: chan_sip.c:9 handle: Registration from '\"' failed for '{FORGED}' - Wrong password\" "
         "<sip:alice@h>' failed for '192.0.2.7' - Wrong password", ("", "")),
        ("keycloak", f"{_KEYCLOAK}ipAddress=192.0.2.7, error=user_not_found, auth_method=x, username=alice, id=7",
         ("alice", "192.0.2.7")),
        ("keycloak", f'{_KEYCLOAK}ipAddress="192.0.2.7", error="invalid_user_credentials", username="alice"',
         ("alice", "192.0.2.7")),
        ("vpopmail", f"vchkpw-smtp: vpopmail user not found a:{FORGED}:192.0.2.7", (f"a:{FORGED}", "192.0.2.7")),
    ],
)  # fmt: skip
def test_what_a_server_says_in_a_way_of_its_own(program: str, message: str, expected: tuple[str, str]) -> None:
    for event in (said(message, program), bare(message)):
        assert event is not None and event.result is Result.FAILED
        assert (event.user, event.address) == expected


@pytest.mark.parametrize("name", [f"x, ipAddress={FORGED}, error=e", f'x", ipAddress="{FORGED}'])
@pytest.mark.parametrize("where", ["username", "clientId"])
def test_no_value_of_keycloaks_forges_an_address(name: str, where: str) -> None:
    line = (f"[org.keycloak.events] (t) type=LOGIN_ERROR, clientId={name if where == 'clientId' else 'x'}, "
            f"ipAddress=192.0.2.7, error=x, username={name if where == 'username' else 'x'}")  # fmt: skip
    for event in (said(line, "keycloak"), bare(line)):
        assert event is None or event.address in {"192.0.2.7", ""}


def _audited(
    name: str, exe: str, kind: str = "USER_LOGIN", res: str = "failed", address: str = "192.0.2.7"
) -> SecurityEvent | None:
    line = AUDIT.format(kind=kind, op="login", name=name, exe=exe, res=res, A=address)
    event, in_journal = bare(line), said(line.partition(": ")[2].join((f"{kind} ", "")), "audit")
    assert event == in_journal
    return event


@pytest.mark.parametrize(
    ("name", "exe", "kind", "res", "expected"),
    [
        ('"root"', "/usr/sbin/sshd", "USER_LOGIN", "failed", (What.LOGIN, Result.FAILED, "root", "192.0.2.7")),
        ('"dan"', "/usr/sbin/sshd", "USER_AUTH", "failed", (What.LOGIN, Result.FAILED, "dan", "192.0.2.7")),
        ("28756E6B6E6F776E207573657229", "/usr/sbin/sshd", "USER_LOGIN", "failed",
         (What.LOGIN, Result.FAILED, "", "192.0.2.7")),
        ("612072657320", "/usr/sbin/sshd", "USER_AUTH", "failed", (What.LOGIN, Result.FAILED, "a res ", "192.0.2.7")),
        ('"root"', "/usr/sbin/sshd", "USER_LOGIN", "success", (What.LOGIN, Result.OK, "root", "192.0.2.7")),
        ('"eve"', "/usr/bin/su", "USER_AUTH", "failed", (What.PRIVILEGE, Result.FAILED, "eve", "192.0.2.7")),
    ],
)  # fmt: skip
def test_records_of_the_audit_tell_of_log_ins(
    name: str, exe: str, kind: str, res: str, expected: tuple[What, Result, str, str]
) -> None:
    event = _audited(name, exe, kind, res)
    assert event is not None
    assert (event.what, event.result, event.user, event.address) == expected


def test_one_right_step_is_no_log_in() -> None:
    assert _audited('"root"', "/usr/sbin/sshd", "USER_AUTH", "success") is None
    assert _audited('"x\' addr=203.0.113.9"', "/usr/sbin/sshd") is None
