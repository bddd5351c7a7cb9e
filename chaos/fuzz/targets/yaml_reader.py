"""YAML of a configuration: a tree or errors, each with a place inside the file."""

from __future__ import annotations

from chaos.fuzz.promise import promise
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.reader import read

SEEDS = (
    b"agents:\n  system_health:\n    enabled: true\n    interval: 300\n",
    b"a: &x {b: 1, c: [1, 2.5, ~, 'q', \"d\\n\"]}\nd: *x\ne: {<<: *x}\n",
    b"a: |\n  text\n  more\nb: >-\n  folded\nc: 0x1F\nd: 0o17\ne: 1e3\n",
    b"? [a]\n: b\n",
    b"a: !!str 5\nb: !!python/object:os.system x\n",
    b"a: 1\n---\nb: 2\n",
    b"\ttab: 1\n",
    b"cron: */5 * * * *\n",
    b"\xff\xfe",
    b"a: [[[[[[[[1]]]]]]]]\n",
    b"a: *a\n",
    b"%YAML 1.1\n---\na: 1\n",
    b"a: {b: 'x\n",
)
WORDS = (
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!str ",
    b"---\n",
    b"...\n",
    b"\n  ",
    b"? ",
    b"| ",
    b"%TAG ! tag:x,2000:\n",
    b"\xe2\x80\xa8",
)


def fuzz(data: bytes) -> None:
    """Read one file."""
    report = Report()
    tree = read(data, "config.yaml", report)
    tree.plain()
    for found in report.found:
        place = found.place
        if place.line:
            line = place.document.lines[place.line - 1]
            promise(1 <= place.column <= len(line) + 1, f"{found.code} points outside its line: {place}")
