import asyncio
import os
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.authority import Authority, needs_openssl
from tests.support.engine_process import wait_for
from tests.support.telling import event_server, mail_server
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.jobs.alert_delivery import (
    WORKER,
    AppriseItem,
    DeliveryReply,
    DeliveryRequest,
    EmailItem,
    EventItem,
    PingItem,
)


def a_mail(port: int, ref: str = "mail") -> EmailItem:
    return EmailItem(
        ref=ref, host="127.0.0.1", port=port, encryption="never", sender_name="zen", sender="zen@example.com",
        recipients=("ops@example.com",), subject="down", text="text\n", html="<p>text</p>", message_id=f"{ref}@web-07",
        sent_at=1.0, timeout_seconds=1.0,
    )  # fmt: skip


async def ask(*items: EmailItem | EventItem | AppriseItem | PingItem, within_seconds: float = 20.0) -> dict[str, str]:
    request = DeliveryRequest(items, within_seconds)
    reply = DeliveryReply.from_json(await run_worker(WORKER, request.to_json(), timeout_seconds=30.0))
    return {result.ref: f"{result.outcome.value} {result.detail}" for result in reply.results}


async def test_a_real_worker_sends_each_kind_and_answers_for_each() -> None:
    with mail_server() as box, event_server() as events:
        events.statuses = [202, 429]
        answers = await ask(
            a_mail(box.port),
            EventItem("page", f"{events.url}/v2/enqueue", {"event_action": "trigger"}, routing_key="R" * 32),
            EventItem("later", f"{events.url}/v2/enqueue", {"event_action": "trigger"}, routing_key="R" * 32),
            EventItem("not-tried", f"{events.url}/v2/enqueue", {"event_action": "trigger"}, routing_key="R" * 32),
            PingItem("ping", url=f"{events.url}/ping"),
            PingItem("no-secret", url_file="/nonexistent/url"),
        )

    assert answers["mail"] == "ok taken"
    assert answers["page"].startswith("ok 202")
    assert answers["later"].startswith("retry 429")
    assert answers["not-tried"].startswith("retry not tried")
    assert answers["ping"].startswith("ok 202")
    assert answers["no-secret"].startswith("retry /nonexistent/url")
    assert [mail["Subject"] for mail in box.mails] == ["down"]


@needs_openssl
@pytest.mark.parametrize(("encryption", "taken"), [("auto", True), ("always", False)])
async def test_tls_is_whole_in_a_worker_that_loads_it_only_where_it_begins(
    tmp_path: Path, encryption: str, *, taken: bool
) -> None:
    issued = Authority(tmp_path / "authority").issue("relay", days=9)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.file, issued.key)
    with mail_server(tls_context=context, require_starttls=False) as box:
        answers = await ask(replace(a_mail(box.port), encryption=encryption))

    assert (answers["mail"] == "ok taken") is taken
    assert len(box.mails) == taken
    assert taken or "certificate verify failed" in answers["mail"].lower()


def test_a_worker_that_sends_mail_loads_neither_tls_nor_what_inspects_source() -> None:
    argv = [sys.executable, "-X", "importtime", "-m", "zen_agents.workers", str(os.getpid()), WORKER]
    done = subprocess.run(argv, input="no request", capture_output=True, text=True, check=False)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 2
    assert "smtplib" in loaded
    assert not loaded & {"_ssl", "_hashlib", "ast", "tokenize", "locale", "ipaddress"}


async def test_further_urls_go_through_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with event_server() as events:
        events.statuses = [200, 500]
        address = events.url.removeprefix("http://")
        answers = await ask(
            AppriseItem("good", "a title", "a body", "failure", url=f"json://{address}/hook"),
            AppriseItem("bad", "a title", "a body", "failure", url=f"json://{address}/hook"),
            AppriseItem("odd", "a title", "a body", "info", url="nothing-known://x"),
        )

    assert answers["good"] == "ok taken"
    assert answers["bad"].startswith("retry")
    assert answers["odd"].startswith("reject")
    assert events.bodies("/hook")[0]["title"] == "a title"


async def test_what_is_not_begun_in_time_is_retried() -> None:
    with event_server(hangs=True) as events:
        hanging = EventItem("1", f"{events.url}/a", {}, routing_key="R", timeout_seconds=0.5)
        answers = await ask(hanging, a_mail(9, "2"), within_seconds=0.3)

    assert "timed out" in answers["1"]
    assert answers["2"] == "retry not begun in time"


async def test_a_request_that_is_none_ends_the_worker_with_a_reason() -> None:
    with pytest.raises(WorkerError, match="not JSON"):
        await run_worker(WORKER, "{", timeout_seconds=30.0)


async def test_a_worker_loads_before_its_request_is_there() -> None:
    promised: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with mail_server() as box:
        asking = asyncio.create_task(run_worker(WORKER, promised, timeout_seconds=60.0))
        await asyncio.to_thread(wait_for, lambda: _children_of(os.getpid()), "a child")
        promised.set_result(DeliveryRequest((a_mail(box.port),)).to_json())
        reply = DeliveryReply.from_json(await asking)

    assert [result.detail for result in reply.results] == ["taken"]


async def test_only_workers_are_started() -> None:
    for module in ("os", "zen_agents.cli", "zen_agents.workers_of_others"):
        with pytest.raises(WorkerError, match="no worker"):
            await run_worker(module, "{}", timeout_seconds=5.0)


async def test_a_worker_that_hangs_is_killed_and_the_loop_goes_on_meanwhile() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    with event_server(hangs=True) as events:
        ticking = asyncio.create_task(turn())
        request = DeliveryRequest((PingItem("1", url=events.url, timeout_seconds=60.0),), 60.0)
        with pytest.raises(WorkerError, match="killed"):
            await run_worker(WORKER, request.to_json(), timeout_seconds=1.5)
        ticking.cancel()

    assert turns > 2, "a loop that stands still takes one"
    assert _children_of(os.getpid()) == []


async def test_a_cancelled_caller_leaves_no_worker_behind() -> None:
    with event_server(hangs=True) as events:
        request = DeliveryRequest((PingItem("1", url=events.url, timeout_seconds=60.0),), 60.0)
        asking = asyncio.create_task(run_worker(WORKER, request.to_json(), timeout_seconds=60.0))
        assert await asyncio.to_thread(events.arrived.wait, 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert _children_of(os.getpid()) == []


async def test_too_little_memory_fails_the_worker_and_nothing_else() -> None:
    with pytest.raises(WorkerError):
        await run_worker(WORKER, DeliveryRequest(()).to_json(), timeout_seconds=30.0, memory_bytes=8 * 1024 * 1024)


async def test_a_worker_that_cannot_be_started_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")

    with pytest.raises(WorkerError, match="could not be started"):
        await run_worker(WORKER, DeliveryRequest(()).to_json(), timeout_seconds=5.0)


async def test_an_empty_request_has_an_empty_reply() -> None:
    assert await ask() == {}


def _children_of(pid: int) -> list[str]:
    return [
        text
        for task in Path(f"/proc/{pid}/task").iterdir()
        for text in (task / "children").read_text(encoding="ascii").split()
        if WORKER in Path(f"/proc/{text}/cmdline").read_text(encoding="utf-8", errors="replace")
    ]
