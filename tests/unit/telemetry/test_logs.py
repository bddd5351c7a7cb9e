"""Programs get one JSON object a line in OpenTelemetry's words, the journal gets fields, people a line they can read."""

import io
import json
import logging
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import HOSTILE
from tests.support.state import an_intent, an_outcome
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import SystemClock
from zen_agents.engine.journal import Journal
from zen_agents.model.action import OutcomeKind
from zen_agents.telemetry.journald import JournalHandler
from zen_agents.telemetry.logs import ForPeople, ForPrograms, set_up_logging

NOW = SystemClock().now()


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("zen_agents", "zen_agents.done")]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in loggers]
    yield
    for log, handlers, level, propagate in before:
        log.handlers[:], log.propagate = handlers, propagate
        log.setLevel(level)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(SqliteStore(tmp_path / "state.db"), ActionLogFile(tmp_path / "actions.log"))


def logged(formatter: logging.Formatter) -> io.StringIO:
    out = io.StringIO()
    writer = logging.StreamHandler(out)
    writer.setFormatter(formatter)
    log = logging.getLogger("zen_agents")
    log.handlers[:], log.propagate = [writer], False
    log.setLevel(logging.INFO)
    logging.getLogger("zen_agents.done").setLevel(logging.INFO)
    return out


def test_an_action_is_two_events_with_their_ids(journal: Journal) -> None:
    out = logged(ForPrograms("web-07"))
    intent = an_intent("act-aaaa11", NOW)
    journal.intended(intent)
    journal.ended(intent, an_outcome("act-aaaa11", OutcomeKind.VERIFYING, NOW))
    journal.ended(intent, an_outcome("act-aaaa11", OutcomeKind.VERIFIED, NOW))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event.name"].rpartition(".")[2] for line in lines] == ["started", "executed", "finished"]
    assert {line["zen.action.id"] for line in lines} == {"act-aaaa11"}
    last = lines[-1]
    assert (last["zen.outcome"], last["zen.target"], last["service.name"]) == ("verified", "service:web", "zen-agents")
    assert (last["host.name"], last["severity"]) == ("web-07", "info")
    assert "zen.incident.id" in last or intent.plan.request.incident is None


def test_what_is_written_about_something_never_changes_what_the_line_is(journal: Journal) -> None:
    out = logged(ForPrograms("web-07"))
    journal.engine(NOW, "reload_failed", severity="none", body="x", timestamp="never")
    (line,) = (json.loads(text) for text in out.getvalue().splitlines())
    assert (line["event.name"], line["severity"]) == ("zen_agents.engine.reload_failed", "info")
    assert (line["zen.severity"], line["zen.timestamp"]) == ("none", "never")


def test_an_error_has_its_type_and_stays_one_line() -> None:
    out = logged(ForPrograms("web-07"))
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("zen_agents.engine").exception("periodic work failed")
    (line,) = (json.loads(text) for text in out.getvalue().splitlines())
    assert (line["error.type"], line["event.name"]) == ("ValueError", "zen_agents.engine")
    assert "Traceback" in line["exception"]


def test_people_get_one_line_without_anything_that_a_terminal_obeys(journal: Journal) -> None:
    out = logged(ForPeople())
    journal.engine(NOW, "x", detail=HOSTILE)
    intent = an_intent("act-aaaa11", NOW)
    journal.intended(intent)
    first, second = out.getvalue().splitlines()
    assert first.isprintable()
    assert second.count("service:web") == 1


def read_fields(datagram: bytes) -> dict[str, str]:
    fields = {}
    while datagram:
        name, _, datagram = datagram.partition(b"\n")
        (length,) = struct.unpack("<Q", datagram[:8])
        fields[name.decode()] = datagram[8 : 8 + length].decode()
        datagram = datagram[9 + length :]
    return fields


def test_the_journal_gets_fields_and_no_value_can_begin_one(journal: Journal, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "j"))
        journald.settimeout(5.0)
        handler = JournalHandler(otherwise=ForPrograms("web-07"), path=str(tmp_path / "j"))
        logged(ForPeople())
        logging.getLogger("zen_agents").handlers[:] = [handler]
        intent = an_intent("act-aaaa11", NOW)
        journal.ended(intent, an_outcome("act-aaaa11", OutcomeKind.FAILED, NOW))
        fields = read_fields(journald.recv(65536))
        assert (fields["ZEN_ACTION"], fields["ZEN_OUTCOME"]) == ("act-aaaa11", "failed")
        assert (fields["ZEN_EVENT"], fields["PRIORITY"]) == ("zen_agents.action.finished", "6")
        logging.getLogger("zen_agents").error("x\nZEN_ACTION=act-zzzz99", extra={"zen": {"target": "a\nZEN_ACTION=b"}})
        fields = read_fields(journald.recv(65536))
        assert set(fields) == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "ZEN_EVENT", "ZEN_TARGET"}
        assert fields["ZEN_TARGET"] == "a\nZEN_ACTION=b"
        handler.close()


def test_a_journal_that_is_gone_does_not_lose_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    handler = JournalHandler(otherwise=ForPrograms("web-07"), path=str(tmp_path / "none"))
    handler.emit(logging.LogRecord("zen_agents", logging.ERROR, __file__, 1, "it broke", None, None))
    handler.close()
    assert json.loads(capsys.readouterr().err)["body"] == "it broke"


def test_only_a_stream_that_is_the_journal_is_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "err").open("w+", encoding="utf-8") as err:
        monkeypatch.setattr(sys, "stderr", err)
        state = (tmp_path / "err").stat()
        for said, kind in (("1:1", logging.StreamHandler), (f"{state.st_dev}:{state.st_ino}", JournalHandler)):
            monkeypatch.setenv("JOURNAL_STREAM", said)
            set_up_logging()
            (handler,) = logging.getLogger("zen_agents").handlers
            assert type(handler) is kind
            handler.close()
