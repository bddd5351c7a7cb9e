"""The language of rules: a condition, or an error with its column; a condition never raises on any measurement."""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, datetime, timedelta

from chaos.fuzz.given import joined, sections
from chaos.fuzz.promise import promise
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.rules.expression import ExpressionError, compile_expression
from zen_agents.rules.window import RecentObservations

_KNOWN = ("cpu.percent", "load1", "cpus", "disk-used", "net.rx-bytes")
_BEGAN = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
_EVERY_SECONDS = 15.0
SEEDS = (
    joined(b"avg(load1, 5m) > cpus * 2", struct.pack("<8d", *range(8))),
    joined(b"cpu.percent > 90% and not (disk-used - load1 < 512MiB or rate(net.rx-bytes, 2m) == 0)", b""),
    joined(b"slope(load1, 1h) / 0.5 >= -3 and load1 < cpus < 10", struct.pack("<4d", 1e308, -1e308, 0.0, 5e-324)),
    b"load1 > " + b"(" * 40 + b"1" + b")" * 40,
    b"load1 ** 2 > 1",
    b"__import__('os').system('x')",
    b"load1 > 1 && cpus",
)
WORDS = (
    *(name.encode() for name in _KNOWN),
    b"avg(",
    b"rate(",
    b"slope(",
    b" and ",
    b" or ",
    b"not ",
    b"5m",
    b"1.5h",
    b"90%",
    b"MiB",
)


def fuzz(data: bytes) -> None:
    """Compile one condition and evaluate it over the samples that the input gives."""
    written, raw = sections(data, 2)
    text = written.decode("utf-8", "replace")
    try:
        condition = compile_expression(
            text, resolve=lambda name: "host" if name in _KNOWN else None, known=_KNOWN, sample_seconds=_EVERY_SECONDS
        )
    except ExpressionError as error:
        promise(0 <= error.column <= len(text), f"{text!r} is wrong at column {error.column}, outside of it")
        promise(bool(error.message), f"{text!r} is refused without a word")
        return
    window = RecentObservations()
    window.require_all(condition)
    now = Instant(_BEGAN, 0.0)
    for number, value in enumerate(_numbers(raw)):
        now = Instant(_BEGAN + timedelta(seconds=number * _EVERY_SECONDS), number * _EVERY_SECONDS)
        for name in _KNOWN:
            window.add(Observation(name, "host", Status.OK, now, value))
    holds, found = condition.holds(window, now), condition.evaluate(window, now)
    promise((holds is None) == (found.status is Status.UNKNOWN), f"{text!r} is told and not told at once")


def _numbers(raw: bytes) -> list[float]:
    with contextlib.suppress(struct.error):
        return [number for (number,) in struct.iter_unpack("<d", raw[: len(raw) // 8 * 8])][:64]
    return []
