"""How fast logs are scanned: the worker beside ripgrep, grep, fail2ban, SEC, Python's `re` and `wc`, in MB per CPU second.

All read the same files, which a seed makes. What is measured of the worker is all of it: its start, the compiling of 200
patterns, the scan, and the findings with their fields.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from scripts.benchmarks import log_following, log_studies
from scripts.benchmarks.log_corpus import write_corpus, write_sshd
from scripts.benchmarks.log_patterns import PATTERNS
from scripts.benchmarks.measured import MB, Measured
from scripts.benchmarks.report import Figure, median, number, skipped
from zen_agents.jobs.log_scan import WORKER, ScanReply, ScanRequest, written
from zen_agents.logs.matching.choose import choose

_LITERALS = ("Failed password", "Out of memory", "segfault", "FATAL", *(f"ERROR {code}" for code in range(16)))
_SSHD = Path("/etc/fail2ban/filter.d/sshd.conf")


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    size = (100 if quick else 1000) * MB
    found = list(_identical(folder))
    for share in (0.01, 0.12):
        log = folder / "corpus.log"
        write_corpus(log, size, share)
        found += _bulk(folder, log, share, rounds=3)
        if share < 0.1:
            found += _others(folder, log)
        log.unlink()
    return [*found, *_sshd(folder), *log_following.figures(folder, quick), *log_studies.figures(folder, quick)]


def _identical(folder: Path) -> Iterator[Figure]:
    """Compare the very lines that are hit with those that ripgrep prints."""
    rg = shutil.which("rg")
    if rg is None:
        yield skipped("lines hit otherwise than by ripgrep", "ripgrep is not installed: apt-get install ripgrep")
        return
    log, out = folder / "small.log", folder / "hit"
    write_corpus(log, 20 * MB, 0.12)
    Measured(_ripgrep(rg, folder, log), 1, out=out)
    expected, content = out.read_bytes().splitlines(), log.read_bytes()
    for engine in _engines():
        hits = sorted({(hit.start, hit.end) for hit in choose(PATTERNS, (engine,)).matcher.hits(content)})
        lines = [content[start:end] for start, end in hits]
        differing = sum(one != other for one, other in zip(lines, expected, strict=False)) + abs(len(lines) - len(expected))
        yield Figure(f"lines hit otherwise than by ripgrep, {engine}", differing, "", 0, note=f"of {len(expected):,} lines")


def _bulk(folder: Path, log: Path, share: float, rounds: int) -> Iterator[Figure]:
    size, about = log.stat().st_size, f"{log.stat().st_size / MB:,.0f} MB, {share:.0%} of lines hit, 200 patterns"
    rg = shutil.which("rg")
    theirs: list[float] = []
    ours: dict[str, list[Measured]] = {engine: [] for engine in _engines()}
    for _ in range(rounds):
        if rg is not None:
            theirs.append(Measured(_ripgrep(rg, folder, log), size, out=folder / "out").rate)
        for engine, measured in ours.items():
            measured.append(_scan(log, engine, folder / "reply"))
    anchor = median(theirs) if theirs else None
    if anchor is None:
        yield skipped(f"ripgrep -j1, {about}", "ripgrep is not installed: apt-get install ripgrep")
    else:
        yield Figure(f"ripgrep -j1, {share:.0%} hit", anchor, "MB/CPU s", note=f"--no-unicode; {about}", samples=theirs)
    for engine, measured in ours.items():
        rates, peak = [each.rate for each in measured], max(each.peak for each in measured)
        yield Figure(f"scan by {engine}, {share:.0%} hit", median(rates), "MB/CPU s", note=about, samples=rates)
        if anchor is not None:
            goal = {"vectorscan": 1.2, "re2": 0.6}.get(engine) if share < 0.1 else None
            yield Figure(f"scan by {engine} / ripgrep, {share:.0%} hit", median(rates) / anchor, "x", goal, at_least=True)
        yield Figure(f"peak of the worker, {engine}, {share:.0%} hit", peak, "MiB", 120, note="RSS")
    if "vectorscan" not in ours:
        yield skipped("scan by vectorscan", "the extra fast-logs is not installed")


def _others(folder: Path, log: Path) -> Iterator[Figure]:
    size = log.stat().st_size
    literals = folder / "literals"
    literals.write_text("\n".join(_LITERALS) + "\n")
    for name, command in (
        ("wc -l", ["wc", "-l", str(log)]),
        ("grep -F, one", ["grep", "-cF", "Out of memory", str(log)]),
        ("grep -F, 20", ["grep", "-cFf", str(literals), str(log)]),
    ):
        # With nothing to write to, grep stops at its first match.
        yield Figure(name, Measured(command, size, out=folder / "out").rate, "MB/CPU s")
    part = folder / "part.log"
    with log.open("rb") as stream:
        part.write_bytes(stream.read(10 * MB).rpartition(b"\n")[0] + b"\n")
    program = (
        "import re,sys;"
        "found=re.compile(open(sys.argv[1]).read().strip().replace('\\n','|')).search;"
        "print(sum(found(line) is not None for line in open(sys.argv[2])))"
    )
    one_flag = folder / "patterns-re"
    one_flag.write_text("\n".join(re.sub(r"^\(\?i\)(.*)", r"(?i:\1)", pattern) for pattern in _unnamed()) + "\n")
    command = [sys.executable, "-c", program, str(one_flag), str(part)]
    yield Figure("Python re, one alternation of 200, line by line", Measured(command, part.stat().st_size).rate, "MB/CPU s")
    yield _sec(folder, part)


def _sec(folder: Path, log: Path) -> Figure:
    sec = shutil.which("sec")
    if sec is None:
        return skipped("SEC, 20 rules", "SEC is not installed: apt-get install sec")
    rules = folder / "sec.conf"
    rule = "type=Single\nptype=RegExp\npattern={}\ndesc=found {}\naction=none\n"
    rules.write_text("\n".join(rule.format(pattern, index) for index, pattern in enumerate(_unnamed()[:20])))
    command = [sec, f"--conf={rules}", f"--input={log}", "--fromstart", "--notail", "--nointevents"]
    return Figure("SEC, 20 rules", Measured(command, log.stat().st_size).rate, "MB/CPU s")


def _sshd(folder: Path) -> Iterator[Figure]:
    """Compare with fail2ban on what its filter is made for; it gets a smaller part, for it takes its time."""
    fail2ban = shutil.which("fail2ban-regex")
    if fail2ban is None or not _SSHD.is_file():
        yield skipped("fail2ban-regex", "fail2ban is not installed: apt-get install fail2ban")
        return
    small, large = folder / "sshd-small.log", folder / "sshd.log"
    write_sshd(small, 3 * MB, 0.01)
    write_sshd(large, 300 * MB, 0.01)
    theirs = Measured([fail2ban, str(small), str(_SSHD)], small.stat().st_size).rate
    yield Figure("fail2ban-regex, sshd", theirs, "MB/CPU s", note="its own filter of sshd, 1% of lines hit")
    for engine in _engines():
        ours = _scan(large, engine, folder / "reply").rate
        yield Figure(
            f"scan by {engine} / fail2ban-regex, sshd",
            ours / theirs,
            "x",
            100,
            at_least=True,
            note=f"{number(ours)} MB/CPU s",
        )


def _scan(log: Path, engine: str, reply: Path) -> Measured:
    request = ScanRequest(patterns=tuple(PATTERNS), files=(str(log),), engines=(engine,))
    measured = Measured([sys.executable, "-m", WORKER], log.stat().st_size, stdin=written(request) + "\n", out=reply)
    found = TypeAdapter(ScanReply).validate_json(reply.read_bytes())
    if found.unread or not sum(each.count for each in found.found):
        raise RuntimeError(f"{engine} found nothing in {log}: {found.unread}")
    return measured


def _ripgrep(rg: str, folder: Path, log: Path) -> Sequence[str]:
    patterns = folder / "patterns"
    # It takes a name once only.
    patterns.write_text("\n".join(_unnamed()) + "\n")
    return [rg, "-j1", "-N", "--no-unicode", "-f", str(patterns), str(log)]


def _unnamed() -> Sequence[str]:
    return [re.sub(r"\(\?P<\w+>", "(?:", pattern) for pattern in PATTERNS]


def _engines() -> Sequence[str]:
    found = []
    for engine in ("vectorscan", "re2"):
        try:
            choose(PATTERNS[:1], (engine,))
        except ValueError:  # it is not installed here; the table has no row of it
            continue
        found.append(engine)
    return found
