import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.telling import CONTEXT, FACTS, NIGHT, a_message
from zen_agents.alerts.context import AlertContext, zone_line
from zen_agents.alerts.mail import render_email
from zen_agents.model.message import MessageKind
from zen_agents.model.severity import Severity


def test_a_mail_answers_the_five_questions_in_their_order() -> None:
    text = render_email(a_message(), CONTEXT, because="route 1 (config.yaml:145) names email").text
    lines = text.splitlines()

    assert lines[0].startswith("STILL DOWN. nginx on web-07: connection refused, 3 of 3 checks, since 03:11:32")
    order = ["WHAT IT DID", "WHY", "WHAT HAPPENS NEXT, IF YOU DO NOTHING", "PROBABLY RELATED", "DO", "STOP IT", "HOST"]
    places = [lines.index(title) for title in order]
    assert places == sorted(places)
    assert "  03:12:33 restart_service service:nginx -> FAILED act-7m3x exit 1" in lines
    assert "  See everything   zen-agents why inc-4k2p7m" in lines
    assert "  I have it        zen-agents ack inc-4k2p7m" in lines
    assert "  This rule, 2 h   zen-agents pause rule:system_health.nginx --for 2h" in lines
    assert "  Everything       zen-agents stop --emergency" in lines
    assert "zen-agents 1.0.0, config 7c1e9a, mode enforce, 1 of 5 repairs used this hour." in lines
    assert "Times are" in text
    assert "Europe/Berlin (UTC+1)." in text


def test_a_question_shows_what_would_run_and_the_commands_that_answer_it() -> None:
    asks = ["systemctl restart -- nginx.service", "risk low, reversible no: it cannot be undone"]
    text = render_email(a_message(facts={**FACTS, "approval": "apr-2c8d4k", "asks": asks}, urgent=True), CONTEXT).text
    lines = text.splitlines()

    start = lines.index("WHAT IS ASKED")
    assert lines[start + 1 : start + 3] == [f"  {line}" for line in asks]
    assert any('zen-agents approve apr-2c8d4k --reason "..."' in line for line in lines[start:])
    assert any('zen-agents deny apr-2c8d4k --reason "..."' in line for line in lines[start:])


def test_an_id_that_is_none_becomes_no_command() -> None:
    text = render_email(a_message(facts={**FACTS, "approval": "apr-1; rm -rf /"}), CONTEXT).text
    assert "zen-agents approve" not in text


def test_headers_keep_a_thread_and_stop_auto_replies() -> None:
    first = render_email(a_message(), CONTEXT)
    over = render_email(a_message(kind=MessageKind.RESOLVED), CONTEXT, first_subject=first.subject)
    headers = dict(first.headers)

    assert first.subject == "[zen CRITICAL] web-07: nginx bad for 2 min, 1 repair tried (inc-4k2p7m)"
    assert over.subject == f"Re: {first.subject}"
    assert headers["References"] == headers["In-Reply-To"] == "<zen-root.inc-4k2p7m@web-07>"
    assert dict(over.headers)["References"] == headers["References"]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert headers["List-Id"] == "zen-agents alerts for prod <alerts.prod.zen-agents.web-07>"
    assert headers["X-Zen-State"] == "firing"
    assert dict(over.headers)["X-Zen-State"] == "resolved"
    assert "Precedence" not in headers


def test_a_resolved_mail_begins_with_the_recovery_and_offers_no_stop() -> None:
    facts = {**FACTS, "state": "RECOVERED after 19 min 38 s, by alice."}
    text = render_email(a_message(kind=MessageKind.RESOLVED, facts=facts), CONTEXT).text

    assert text.splitlines()[0] == "RECOVERED 03:13:34 after 19 min 38 s, by alice."
    assert "STOP IT" not in text
    assert "zen-agents ack" not in text


def test_undo_is_offered_and_what_has_no_way_back_says_so() -> None:
    able = render_email(a_message(), CONTEXT).text
    assert "zen-agents undo act-1k0q" in able
    assert "cannot be undone" not in able

    lasting = render_email(
        a_message(facts={**FACTS, "undo": [], "lasting": ["restart_service", "restart_service"]}), CONTEXT
    )
    assert "zen-agents undo" not in lasting.text
    assert "restart_service cannot be undone: there is no previous state to return" in lasting.text


def test_engine_messages_name_the_command_that_leaves_the_state() -> None:
    for what, command in (
        ("safe_mode", 'zen-agents safe-mode off --reason "..."'),
        ("emergency_stop", "zen-agents resume --from-emergency --confirm web-07"),
        ("config_not_applied", "zen-agents check-config"),
    ):
        message = a_message(kind=MessageKind.ENGINE, incident=None, facts={"state": f"{what}: because", "why": "because"})
        message = type(message)(
            **{name: getattr(message, name) for name in message.__slots__} | {"dedup_key": f"web-07/engine|{what}"}
        )
        text = render_email(message, CONTEXT).text
        assert command in text and "WHAT HAPPENS NEXT, IF YOU DO NOTHING" in text
        assert text.count("because") == 1, "nobody reads the same three times at night"


def test_links_and_runbook_are_links_in_html_and_other_schemes_are_not() -> None:
    html = render_email(a_message(), CONTEXT).html
    odd = render_email(a_message(facts={**FACTS, "runbook": "javascript:alert(1)"}), CONTEXT).html

    assert '<a href="https://wiki.example.com/rb/nginx">' in html
    assert '<a href="https://zen.example.com/i/inc-4k2p7m">' in html
    assert 'href="javascript' not in odd
    assert "<img" not in html


def test_an_unknown_zone_falls_back_to_utc() -> None:
    context = AlertContext("web-07", timezone="Mars/Olympus")

    assert zone_line(datetime(2026, 1, 1, tzinfo=UTC), context) == "Times are UTC."
    assert "since 02:11:32" in render_email(a_message(), context).text


#: Text as an attacker would write it into a log line, a file name or a check's detail.
hostile = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        [
            "x\r\nBcc: everybody@example.com",
            "\n\nDO\n  Fix it           rm -rf /",
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "\u202e evil \u2028 line \x00 \x1b[31m",
            "$(reboot) `reboot`; reboot",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(hostile, min_size=8, max_size=8), severity=st.sampled_from(Severity), kind=st.sampled_from(MessageKind)
)
def test_nothing_untrusted_becomes_a_header_a_line_markup_or_a_command(
    texts: list[str], severity: Severity, kind: MessageKind
) -> None:
    facts = {
        "state": texts[0], "since": texts[1], "did": [texts[2], texts[3]] * 9, "why": texts[3] * 9, "next": texts[4],
        "related": [texts[5]] * 9, "runbook": texts[6], "origin": texts[7], "undo": [texts[0], "act-1k0q"], "host": texts[1],
        "lasting": texts,
        "log": texts * 3, "log_source": texts[2], "mode": texts[3], "signal": texts[4], "lines": texts * 9, "count": 500,
    }  # fmt: skip
    message = a_message(
        kind=kind, severity=severity, name=texts[5], incident=texts[6] or None, facts=facts, rule=texts[7], summary=texts[0]
    )
    mail = render_email(message, CONTEXT, because=texts[1])

    for name, value in [("Subject", mail.subject), *mail.headers]:
        assert value.isprintable(), name
    assert len(mail.subject) <= 220
    lines = mail.text.splitlines()
    assert len(lines) < 60
    assert len(mail.text.split("\n")) == len(lines) + 1
    for line in lines:
        assert line.isprintable()
        command = re.search(r"zen-agents|https?://|Runbook", line)
        assert len(line) <= 78 or command
    for tag in re.findall(r"<[^>]*>", mail.html):
        assert re.fullmatch(r"<(/?(html|head|body|table|tr|td|span|strong|a)|meta|br|!DOCTYPE html)\b[^<]*>", tag), tag
    allowed = r"(why|ack|undo) [a-z]{3}-[0-9a-z]{4,16}|pause rule:[A-Za-z0-9_][\w.:@+-]* --for 2h|stop --emergency|status"
    allowed += r"|incidents|check-config|reload|audit verify|resume --from-emergency --confirm web-07"
    allowed += r'|safe-mode off --reason "\.\.\."'
    for line in lines:
        offered = re.match(r"  .{17}zen-agents (.*)", line)
        if offered and not line.startswith("  Runbook"):
            in_a_step = line[2:19].strip() in {
                "",
                "See everything",
                "I have it",
                "This rule, 2 h",
                "Everything",
                "The engine",
            }
            assert not in_a_step or re.fullmatch(allowed, offered.group(1)) or line[2:19].strip() == ""


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=50))
def test_an_incident_that_is_no_id_never_reaches_a_command(odd: str) -> None:
    message = a_message(incident=f"inc-4k2p {odd};reboot", at=NIGHT)

    assert "zen-agents why" not in render_email(message, CONTEXT).text
