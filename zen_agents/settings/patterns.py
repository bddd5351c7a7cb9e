"""The regular expressions of a configuration, by the name under which people know them: for `zen-agents test pattern`.

A configuration that is refused for other reasons still has its patterns. Only what is wrong with the pattern itself is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zen_agents.agents.log_analysis.patterns import LogPattern
from zen_agents.agents.log_analysis.sources import LogSource
from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.settings.diagnostics import Diagnostic, Level, Report
from zen_agents.settings.models import Settings
from zen_agents.settings.nearest import nearest
from zen_agents.settings.nodes import Node, Place
from zen_agents.settings.shape import Shape
from zen_agents.settings.validation import validate

REDACT = "redact"
_PATTERNS = ("agents", "log_analysis", "patterns")
_PREFIX = ".".join(_PATTERNS) + "."


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of `samples:`, and whether it has to match."""

    text: str
    matches: bool
    place: Place


@dataclass(frozen=True, slots=True)
class NamedPattern:
    """What one name stands for."""

    #: As in the configuration: `agents.log_analysis.patterns.oom_kill`, or `redact`.
    name: str
    #: Each with its place, as `config.yaml:12`.
    expressions: Sequence[tuple[str, str]]
    samples: Sequence[Sample] = ()
    #: What a match leads to, and where its lines come from; None for `redact:`.
    effect: LogPattern | None = None
    source: LogSource | None = None
    #: Actions of `on_match:` that the allow-list does not name.
    not_allowed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern, or why there is none."""

    pattern: NamedPattern | None
    diagnostics: Sequence[Diagnostic] = ()


def named_pattern(root: Node, name: str) -> Found:
    """Return the pattern of this name: `redact`, or one of `agents.log_analysis.patterns`, by its name or its whole path.

    Raises:
        UsageError: there is none of this name; what was probably meant is named.
    """
    report = Report()
    if name == REDACT and root.entry(REDACT) is not None:
        return Found(_redaction(root, report), report.sorted())
    node = root.get(*_PATTERNS)
    written: Mapping[str, object] = node.value if node is not None and node.is_map else {}
    short = name.removeprefix(_PREFIX)
    if short not in written:
        known = (*written, *((REDACT,) if root.entry(REDACT) is not None else ()))
        raise UsageError(f"{root.place.document.name} has no pattern {name!r}{_meant(short, known)}")
    return Found(_log_pattern(root, short, report), report.sorted())


def sampled_patterns(root: Node) -> Sequence[NamedPattern]:
    """Return the patterns of `agents.log_analysis` that have samples; of a configuration that is right."""
    node = root.get(*_PATTERNS)
    written: Mapping[str, object] = node.value if node is not None and node.is_map else {}
    found = (_log_pattern(root, name, Report()) for name in written)
    return [pattern for pattern in found if pattern is not None and pattern.samples]


def sample_fault(sample: Sample, name: str, partial_end: int | None, why: str) -> Diagnostic:
    """Return what is to be told of a sample that does not do what it has to."""
    if why:
        message, help_ = f"sample cannot be tried: it {why}", "shorten it to what matters"
    elif not sample.matches:
        message, help_ = "sample matches, and must not", ""
    else:
        message = "sample does not match its own pattern"
        rest = sample.text[partial_end or 0 :][:40]
        got = f'the longest partial match ends before "{rest}"' if partial_end else "not even its beginning matches"
        help_ = f"{got}; test it: zen-agents test pattern {name.removeprefix(_PREFIX)} -"
    return Diagnostic("ZC208", Level.ERROR, message, sample.place, help=help_)


def _meant(name: str, known: Sequence[str]) -> str:
    if not known:
        return ": there is neither `redact:` nor agents.log_analysis.patterns in it; a bare expression: -e REGEX"
    suggest = nearest(name, known)
    return f"; did you mean {suggest!r}?" if suggest else f"; there are: {', '.join(known)}; a bare expression: -e REGEX"


def _redaction(root: Node, report: Report) -> NamedPattern | None:
    entry = root.value[REDACT]
    settings = validate(Settings, Node(root.place, {REDACT: entry}), (), Shape(Settings), report, root)
    if settings is None:
        return None
    items = entry.node.value if entry.node.is_list else []
    places = [item.place.short for item in items]
    return NamedPattern(REDACT, tuple(zip(settings.redact, places, strict=True)))


def _log_pattern(root: Node, name: str, report: Report) -> NamedPattern | None:
    entry = root.get(*_PATTERNS).value[name]  # type: ignore[union-attr]
    path = (*_PATTERNS, name)
    node = Node(entry.node.place, {}) if entry.node.value is None else entry.node
    pattern = validate(LogPattern, node, path, Shape(LogPattern), report, root)
    if pattern is None:
        return None
    source = _source(root, pattern.source, report)
    samples, not_allowed = tuple(_samples(node)), _not_allowed(pattern, root)
    return NamedPattern(f"{_PREFIX}{name}", tuple(_expressions(node, pattern)), samples, pattern, source, not_allowed)


def _source(root: Node, name: str, report: Report) -> LogSource | None:
    """Return the source that a pattern names; None if there is none, or it is wrong, which is told."""
    path = ("agents", "log_analysis", "sources", name)
    node = root.get(*path)
    return validate(LogSource, node, path, Shape(LogSource), report, root) if node is not None else None


def _expressions(node: Node, pattern: LogPattern) -> Iterator[tuple[str, str]]:
    """Yield what each step looks for, with its place: an expression, or else the fields that it looks at."""
    if pattern.sigma:
        at = (node.get("sigma") or node).place.short
        yield from ((f"sigma: {step.sigma['title']}", at) for step in pattern.rule("").steps if step.sigma is not None)
        return
    written = node.get("sequence")
    nodes = written.value if pattern.sequence and written is not None else [node]
    for step, at in zip(pattern.sequence or (pattern,), nodes, strict=True):
        match = at.get("match")
        yield step.match or f"where: {', '.join(step.where)}", (match or at).place.short


def _not_allowed(pattern: LogPattern, root: Node) -> Sequence[str]:
    allow = root.get("actions", "allow")
    if root.entry("actions") is None:
        return ()  # the built-in list has what is not dangerous
    allowed = allow.value if allow is not None and allow.is_map else {}
    return tuple(step for step in pattern.on_match if step.partition(":")[0] not in allowed)


def _samples(node: Node) -> list[Sample]:
    found = []
    for key, matches in (("match", True), ("no_match", False)):
        lines = node.get("samples", key)
        items = lines.value if lines is not None and lines.is_list else []
        found += [Sample(str(item.value), matches, item.place) for item in items]
    return found
