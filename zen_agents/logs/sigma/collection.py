"""Many rules of many files at once: those that are taken, each with a name of its own, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.sigma.refused import SigmaRefusedError
from zen_agents.logs.sigma.rules import SigmaRule, called_by, is_correlation, rules_of

_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_NAME: Final = 60
#: What a rule about requests needs; the others are about lines of syslog.
_ACCESS: Final = "access"


@dataclass(frozen=True, slots=True)
class Published:
    """One file as it was published."""

    file: str
    documents: Sequence[Any]


@dataclass(frozen=True, slots=True)
class TakenRule:
    """A rule that can be told. Its texts are untrusted."""

    file: str
    #: Of letters, digits and `_`, from the file's: unlike that of every other rule.
    name: str
    #: The documents that it is made of: its own last, before it those of the rules that it calls.
    documents: Sequence[Mapping[str, Any]]
    rule: SigmaRule


@dataclass(frozen=True, slots=True)
class RefusedRule:
    """A rule that cannot be told, or a file that has none."""

    file: str
    title: str
    why: str


def collected(files: Sequence[Published], form: str = "") -> tuple[Sequence[TakenRule], Sequence[RefusedRule]]:
    """Compile every rule. With the name of a format, only those that are about lines which it reads are taken.

    A correlation may call rules of other files; a rule that only a correlation calls is not taken by itself.
    """
    taken: list[TakenRule] = []
    refused: list[RefusedRule] = []
    known = _by_name(files)
    only_called = set(_only_called(files))
    names: set[str] = set()
    for published in files:
        if not published.documents:
            refused.append(RefusedRule(published.file, "", "has no rule"))
        for document in published.documents:
            if isinstance(document, Mapping) and only_called & {document.get("name"), document.get("id")}:
                continue
            try:
                taken.append(_taken(published.file, document, known, form, names))
            except SigmaRefusedError as error:
                title = str(document.get("title", "")) if isinstance(document, Mapping) else ""
                refused.append(RefusedRule(published.file, title, str(error)))
    return taken, refused


def _taken(file: str, document: Any, known: Mapping[str, Any], form: str, names: set[str]) -> TakenRule:
    documents: list[Any] = [document]
    if is_correlation(document) and isinstance(said := document["correlation"], Mapping):
        # What it calls is taken by itself, if at all.
        calls = [known[name] for name in called_by(document) if name in known]
        documents = [*calls, {**document, "correlation": {**said, "generate": False}}]
    rule = rules_of(documents)[-1]
    wanted = _ACCESS if rule.source.needs else "syslog"
    if form and (form == _ACCESS) != (wanted == _ACCESS):
        raise SigmaRefusedError("logsource", f"is about lines of format {wanted}, and those of this source are {form}")
    name = _name(file, names)
    names.add(name)
    return TakenRule(file, name, documents, rule)


def _by_name(files: Sequence[Published]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for document in _documents(files):
        for key in ("id", "name"):
            if not is_correlation(document) and isinstance(document.get(key), str):
                found.setdefault(document[key], document)
    return found


def _only_called(files: Sequence[Published]) -> Iterator[str]:
    for document in _documents(files):
        said = document.get("correlation")
        if isinstance(said, Mapping) and said.get("generate") is not True:
            yield from called_by(document)


def _documents(files: Sequence[Published]) -> Iterator[Mapping[str, Any]]:
    return (each for published in files for each in published.documents if isinstance(each, Mapping))


def _name(file: str, names: set[str]) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0] or "sigma"
    name = _NO_NAME.sub("_", stem)[:_LONGEST_NAME].strip("_") or "sigma"
    return unlike(name, names)


def unlike(name: str, names: Collection[str]) -> str:
    """Return a name, with a number where others have it already."""
    numbered = (f"{name}_{number}" for number in range(2, len(names) + 3))
    return next(each for each in (name, *numbered) if each not in names)
