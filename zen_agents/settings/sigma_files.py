"""Published Sigma rules by the file or directory: each becomes a pattern of the source that names them.

They are laid below what the configuration itself says, so that a pattern of the same name there changes one (`by:`,
`severity:`), and one that is nothing there (`NAME: null`) leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.sigma.collection import Published, RefusedRule, TakenRule, collected, unlike
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Document, Entry, Node, Origin, Place, merge, placed, written
from zen_agents.settings.reader import read
from zen_agents.settings.secrets_in_text import refuse_secrets
from zen_agents.settings.trust import distrust

_SOURCES: Final = ("agents", "log_analysis", "sources")
_PATTERNS: Final = ("agents", "log_analysis", "patterns")
_ENDINGS: Final = frozenset({".yml", ".yaml"})
#: So many files are read, and of each so much (bytes).
MOST_FILES, _MOST_BYTES = 5000, 1 << 18
#: So many refused rules are named where they are only counted.
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """The rules of some files and directories."""

    taken: Sequence[TakenRule]
    refused: Sequence[RefusedRule]


def read_rules(paths: Sequence[str], form: str = "") -> RuleFiles:
    """Read and compile the rules of files and directories; with the name of a format, those about lines that it reads.

    Raises:
        OSError: a path cannot be read.
        ValueError: there are more than `MOST_FILES`.
    """
    files = [file for path in paths for file in _files(Path(path))]
    if len(files) > MOST_FILES:
        raise ValueError(f"there are {len(files):,} files, and {MOST_FILES:,} are read")
    published: list[Published] = []
    unread: list[RefusedRule] = []
    for file in files:
        documents, why = _documents(file)
        if why:
            unread.append(RefusedRule(str(file), "", why))
        else:
            published.append(Published(str(file), documents))
    taken, refused = collected(published, form)
    return RuleFiles(taken, [*unread, *refused])


def import_rules(root: Node, euid: int, report: Report) -> Node:
    """Return the tree with the rules that its sources name as patterns; what is refused is told where they are named."""
    sources = root.get(*_SOURCES)
    below: dict[str, Entry] = {}
    for name, entry in sources.value.items() if sources is not None and sources.is_map else ():
        if (named := entry.node.get("sigma")) is not None:
            for rule in _imported(entry.node, named, euid, report):
                below.setdefault(unlike(rule.name, below), Entry(named.place, _pattern(rule, name)))
    if not below:
        return root
    own = root.get(*_PATTERNS) or Node(root.place, {})
    merged = merge(Node(own.place, below), own).root
    kept = {name: entry for name, entry in merged.value.items() if name not in below or entry.node.value is not None}
    return placed(root, _PATTERNS, Node(merged.place, kept))


def _imported(source: Node, named: Node, euid: int, report: Report) -> Sequence[TakenRule]:
    paths = [item.value for item in (named.value if named.is_list else [named]) if isinstance(item.value, str)]
    if not all(path.startswith("/") for path in paths):
        return ()  # told where the settings are read
    if why := next((why for path in paths if (why := _distrusted(path, euid))), ""):
        report.error("ZC403", f"rules are not trusted: {why}", named, help="chown root and chmod go-w what is named")
        return ()
    try:
        found = read_rules(paths, _format_of(source))
    except (OSError, ValueError) as error:
        report.error("ZC006", f"rules cannot be read: {error}", named)
        return ()
    if found.refused:
        _tell(found, paths, named, report)
    return found.taken


def _distrusted(path: str, euid: int) -> str:
    """Return why the rules at a path are not to be trusted: whoever writes them says what people are told."""
    return next((why for file in (path, *map(str, _files(Path(path)))) if (why := distrust(file, euid))), "")


def _tell(found: RuleFiles, paths: Sequence[str], named: Node, report: Report) -> None:
    count, total = len(found.refused), len(found.refused) + len(found.taken)
    each = "; ".join(f"{Path(rule.file).name}: {rule.why}" for rule in found.refused[:_MOST_NAMED])
    more = f"; and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
    message = f"{count} of {total} Sigma rules are not taken: {each}{more}"
    report.warning("ZC218", message, named, help=f"see each with its reason: zen-agents logs sigma {' '.join(paths)}")


def _format_of(source: Node) -> str:
    written = source.get("format")
    return "syslog" if source.get("journal") is not None or written is None else str(written.value)


def _pattern(rule: TakenRule, source: str) -> Node:
    said: dict[str, Any] = {"source": source, "severity": rule.rule.severity, "sigma": list(rule.documents)}
    if page := _page(rule.documents[-1].get("references")):
        said["runbook"] = page
    return written(said, Place(Document(rule.file, Origin.PACK), 1, 1))


def _page(references: Any) -> str:
    found = (each for each in (references if isinstance(references, list) else [references]) if isinstance(each, str))
    return next((each for each in found if each.startswith("https://") and each.isprintable()), "")


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(file for file in path.rglob("*") if file.suffix in _ENDINGS and file.is_file())


def _documents(file: Path) -> tuple[Sequence[Any], str]:
    """Return what one file holds, or why nothing of it is taken."""
    with file.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return (), f"is larger than {_MOST_BYTES >> 10} KiB"
    report, found = Report(), []
    for text in _parts(content):
        node = refuse_secrets(read(text, str(file), report), report)
        found.append(node.plain())
    if report.found:
        first = report.found[0]
        return (), f"line {first.place.line}: {first.message}"
    return [document for document in found if document], ""


def _parts(content: bytes) -> Iterator[bytes]:
    """Yield the documents of a file, each after as many empty lines as stand before it."""
    lines, begun = content.splitlines(keepends=True), 0
    for number, line in enumerate([*lines, b"---"]):
        if line.rstrip() == b"---":
            yield b"\n" * begun + b"".join(lines[begun:number])
            begun = number + 1
