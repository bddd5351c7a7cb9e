"""What Prometheus is told is what happened, in a file that is always whole and at an address of this host alone."""

import asyncio
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from tests.support.settings import loaded
from zen_agents.adapters.durable_file import replace_at_once
from zen_agents.adapters.metrics_export import MetricsExport
from zen_agents.engine.measurements import METRICS
from zen_agents.errors import SettingsError, StoreError


def values(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every number by its name and the values of its labels."""
    families = text_string_to_metric_families(text)
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def config(tmp_path: Path, **metrics: str) -> str:
    paths = {"key": {"path": str(tmp_path / "key"), "mode": "0600", "owner": str(os.geteuid()), "group": str(os.getegid())}}
    return own_config({"paths": paths}, ["restore_permissions"], metrics=metrics)


async def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def ask(port: int, head: bytes) -> tuple[str, str]:
    """Return the status line and the body that a request gets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    answer = (await reader.read()).decode()
    writer.close()
    before, _, body = answer.partition("\r\n\r\n")
    return before.split("\r\n")[0], body


async def test_a_repair_is_counted_where_it_ended_and_the_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "zen.prom"
    (tmp_path / "key").write_text("secret", encoding="utf-8")
    (tmp_path / "key").chmod(0o644)
    async with EngineHere(tmp_path, config(tmp_path, textfile=str(target), every="20ms")) as engine:
        await engine.runtime.exposition.open()
        await engine.settle()
        repaired = ("zen_agents_actions_total", ("system_health", "restore_permissions", "verified"))
        await until(lambda: target.exists() and values(target.read_text()).get(repaired) == 1.0)
        found = values(target.read_text())
        assert stat.S_IMODE(target.stat().st_mode) == 0o644
        row = engine.action("restore_permissions")
        assert found["zen_agents_action_duration_seconds_count", ("restore_permissions",)] == 1.0
        assert found["zen_agents_action_duration_seconds_sum", ("restore_permissions",)] == pytest.approx(row.took_seconds)
        acted = [key for key in found if key[0] == "zen_agents_decisions_total" and "act" in key[1]]
        assert [found[key] for key in acted] == [1.0]
        assert found["zen_agents_mode", ("enforce",)] == 1.0
        assert found["zen_agents_approvals_pending", ()] == 0.0
        assert found["zen_agents_config_last_reload_successful", ()] == 1.0
        assert found["zen_agents_check_duration_seconds_count", ("system_health",)] > 0
        assert time.time() - found["zen_agents_last_tick_timestamp_seconds", ()] < 60
        told = {line.split()[2]: line.split()[3] for line in target.read_text().splitlines() if line.startswith("# TYPE ")}
        assert told == {f"zen_agents_{name}": kind for name, (kind, _, _) in METRICS.items()}
        # Asked again, nothing is counted twice.
        assert values(await engine.runtime.exposition.measurements.text())[repaired] == 1.0
        # A brake that is set is what holds.
        (engine.state / "EMERGENCY_STOP").write_text("by a test", encoding="utf-8")
        found = values(await engine.runtime.exposition.measurements.text())
        assert (found["zen_agents_mode", ("emergency_stop",)], found["zen_agents_mode", ("enforce",)]) == (1.0, 0.0)
        (engine.state / "EMERGENCY_STOP").unlink()


async def test_a_reload_begins_and_ends_it_and_without_a_word_nothing_is_measured(tmp_path: Path) -> None:
    target = tmp_path / "zen.prom"
    (tmp_path / "key").write_text("secret", encoding="utf-8")
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        await engine.runtime.exposition.open()
        assert not target.exists()
        engine.write(config(tmp_path, textfile=str(target)))
        await engine.runtime.upkeep.reload()
        await until(target.exists)
        target.unlink()
        engine.write(config(tmp_path))
        await engine.runtime.upkeep.reload()
        assert not target.exists()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (b"\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", ""),
        (b"", ""),
    ],
)
async def test_the_endpoint_answers_one_question_and_survives_all_others(
    head: bytes, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.adapters.metrics_export._WITHIN", 0.2)

    async def measure() -> str:
        return "zen_agents_up 1\n"

    export = MetricsExport(measure)
    await export.open(file=None, every_seconds=1.0, listen=("127.0.0.1", 0))
    assert export.port is not None
    try:
        got, body = await ask(export.port, head)
    except ConnectionResetError:
        got, body = "", ""
    assert got == status
    assert (body == "zen_agents_up 1\n") is (status == "HTTP/1.1 200 OK")
    assert (await ask(export.port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 200 OK"
    port = export.port
    await export.close()
    with pytest.raises(ConnectionRefusedError):
        await ask(port, b"")


async def test_a_state_that_cannot_be_read_is_no_metrics_and_no_end(tmp_path: Path) -> None:
    broken = True

    async def measure() -> str:
        if broken:
            raise StoreError("the disk is gone")
        return "zen_agents_up 1\n"

    export = MetricsExport(measure)
    await export.open(file=tmp_path / "zen.prom", every_seconds=0.01, listen=("127.0.0.1", 0))
    assert export.port is not None
    assert await ask(export.port, b"GET /metrics HTTP/1.1\r\n\r\n") == (
        "HTTP/1.1 503 Service Unavailable",
        "the disk is gone\n",
    )
    assert not (tmp_path / "zen.prom").exists()
    broken = False
    await until((tmp_path / "zen.prom").exists)
    await export.close()


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    kept, target = tmp_path / "kept", tmp_path / "zen.prom"
    kept.write_text("mine", encoding="utf-8")
    target.symlink_to(kept)
    replace_at_once(target, b"x 1\n")
    assert (kept.read_text(), target.read_text(), target.is_symlink()) == ("mine", "x 1\n", False)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "[::]:9464", "web-07:9464", "127.evil.example:80", "10.0.0.1:9464"])
def test_it_listens_on_this_host_alone(listen: str) -> None:
    with pytest.raises(SettingsError, match="of this host alone"):
        loaded(f"metrics: {{listen: '{listen}'}}\n").require()


@pytest.mark.parametrize("listen", ["127.0.0.1:9464", "localhost:9464", "[::1]:9464"])
def test_an_address_of_this_host_is_taken(listen: str) -> None:
    assert loaded(f"metrics: {{listen: '{listen}'}}\n").require().metrics.listen == listen


def test_a_file_that_nobody_would_collect_is_refused() -> None:
    with pytest.raises(SettingsError, match="prom"):
        loaded("metrics: {textfile: /var/lib/zen.txt}\n").require()
