"""YAML as version 1.2 means it, without its traps: every value keeps its place, every oddity is told.

`22:30`, `off`, `on` and `yes` are texts and `010` is ten; a key given twice, a tag that would build an object, an alias
bomb and a second document are refused. Anchors and merge keys work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Document, Entry, Node, Origin, Place

#: Limits of one file (R14); the largest sensible configuration, 5,000 services, is a quarter of them.
MAX_BYTES = 4 * 2**20
MAX_NODES = 400_000
MAX_DEPTH = 40

_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,14}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_CRON = re.compile(r"\*(?:/[0-9]+|-[0-9]+|,[0-9*/,-]+)?(?:[ ]+[0-9A-Za-z*/,?-]+){4}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAG = "tag:yaml.org,2002:"
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(content: bytes, name: str, report: Report, *, origin: Origin = Origin.FILE) -> Node:
    """Return the tree of one file; what is wrong goes to the report, and an empty map stands for what cannot be read."""
    if len(content) > MAX_BYTES:
        document = Document(name, origin)
        report.error("ZC005", f"the file is larger than {MAX_BYTES // 2**20} MiB", document)
        return Node(Place(document), {})
    text, bad_at = _decode(content)
    document = Document(name, origin, _LINE_END.split(text))
    what = "a byte that is not UTF-8"
    if bad_at < 0 and (found := _NOT_ALLOWED.search(text)):
        bad_at = found.start()
        what = f"the character U+{ord(text[bad_at]):04X}, which YAML does not allow"
    if bad_at >= 0:
        report.error("ZC001", f"syntax error: {what}", _place_of_offset(document, text, bad_at))
        return Node(Place(document, 1, 1), {})
    return _Composer(text, document, report).compose()


def resolve(text: str) -> Any:
    """Return what a plain scalar means in YAML 1.2's core schema; numbers out of range stay texts."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if text.lstrip("+-").isdigit():  # too long for a number that anything here could mean
        return text
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


class _TooMuchError(Exception):
    """The file is nested too deeply or grows too large; carries its diagnostic's code, message and mark."""

    def __init__(self, code: str, message: str, mark: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.mark = code, message, mark


class _Composer:
    """Builds nodes from the parser's events, which are bounded in depth before they recurse."""

    def __init__(self, text: str, document: Document, report: Report) -> None:
        self._text, self._document, self._report = text, document, report
        self._anchors: dict[str, Node | None] = {}
        self._sizes: dict[int, int] = {}
        self._nodes = 0

    def compose(self) -> Node:
        nothing = Node(Place(self._document, 1 if self._document.lines else 0, 1), {})
        try:
            events = iter(yaml.parse(self._text, Loader=_LOADER))
            return self._documents(events) or nothing
        except _TooMuchError as error:
            self._report.error(error.code, error.message, self._place(error.mark))
        except yaml.YAMLError as error:
            self._syntax_error(error)
        return nothing

    def _documents(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._error("a second document; one file holds one", self._place(event.start_mark))
                    return root
                root = self._node(next(events), events, 0)
        if root is not None and root.value is None and not root.quoted:
            return None
        if root is not None and not root.is_map:
            self._error("the file has to be a map of `key: value`", root.place)
            return None
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        self._count(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        before = self._nodes
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif depth >= MAX_DEPTH:
            raise _TooMuchError("ZC005", f"nested more than {MAX_DEPTH} deep", event.start_mark)
        else:
            node = Node(self._place(event.start_mark), None)
            self._tag(event, "map" if isinstance(event, yaml.MappingStartEvent) else "seq")
            if isinstance(event, yaml.MappingStartEvent):
                node.value = self._map(events, depth)
            else:
                node.value = self._list(events, depth)
        if anchor is not None:
            self._anchors[anchor] = node
            self._sizes[id(node)] = self._nodes - before + 1
        return node

    def _count(self, more: int, event: Any) -> None:
        self._nodes += more
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, aliases counted as what they stand for"
            raise _TooMuchError("ZC005", message, event.start_mark)

    def _error(self, message: str, place: Place) -> None:
        self._report.error("ZC001", f"syntax error: {message}", place)

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            what = "stands inside its own anchor" if event.anchor in self._anchors else "has no anchor before it"
            self._error(f"the alias `*{event.anchor}` {what}", self._place(event.start_mark, event.end_mark))
            return Node(self._place(event.start_mark), None)
        self._count(self._sizes.get(id(node), 1), event)
        return node

    def _scalar(self, event: Any) -> Node:
        place = self._place(event.start_mark, event.end_mark)
        quoted = bool(event.style)
        if event.tag in (f"{_TAG}str", "!"):
            return Node(place, event.value, event.value, quoted=True)
        value = event.value if quoted else resolve(event.value)
        node = Node(place, value, event.value, quoted)
        kinds = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}
        self._tag(event, kinds[type(value)])
        return node

    def _tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            tag = event.tag.replace(_TAG, "!!")
            message = f"the tag `{tag}` is not allowed: values are what they look like"
            self._report.error("ZC004", message, self._place(event.start_mark, event.end_mark))

    def _list(self, events: Iterator[Any], depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, depth + 1))
        return items

    def _map(self, events: Iterator[Any], depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            node = self._node(next(events), events, depth + 1)
            if key.is_map or key.is_list:
                self._error("a key has to be one word", key.place)
            elif key.text == "<<" and not key.quoted:
                merged += self._merged(node)
            elif known := entries.get(key.text):
                message = f"key `{key.text}` is given twice; the second would silently win"
                self._report.error("ZC102", message, key, note=f"first given at {known.place}")
            else:
                entries[key.text] = Entry(key.place, node)
        for node in merged:
            for text, entry in node.value.items():
                entries.setdefault(text, entry)
        return entries

    def _merged(self, node: Node) -> list[Node]:
        nodes = node.value if node.is_list else [node]
        for wrong in (each for each in nodes if not each.is_map):
            self._error("`<<` takes a map or a list of maps", wrong.place)
        return [each for each in nodes if each.is_map]

    def _place(self, start: Any, end: Any = None) -> Place:
        length = end.column - start.column if end is not None and end.line == start.line else 1
        if end is not None and end.line > start.line and start.line < len(self._document.lines):
            length = len(self._document.lines[start.line]) - start.column
        return self._clamped(start.line, start.column, length)

    def _clamped(self, line: int, column: int, length: int = 1) -> Place:
        """Return a place inside the file, whatever the parser's mark says about its end."""
        lines = self._document.lines
        while line > 0 and (line >= len(lines) or (line == len(lines) - 1 and not lines[line])):
            line, column = line - 1, len(lines[min(line, len(lines)) - 1])
        column = min(column, len(lines[line]))
        return Place(self._document, line + 1, column + 1, max(1, min(length, len(lines[line]) - column)))

    def _syntax_error(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None)
        start = getattr(error, "context_mark", None) or mark
        if mark is None or start is None:
            self._error(str(error).splitlines()[0], self._clamped(0, 0))
            return
        line = self._document.lines[min(mark.line, len(self._document.lines) - 1)]
        if tab := re.match(r" *\t", line):
            place = self._clamped(mark.line, tab.end() - 1)
            self._report.error("ZC002", "tab used for indentation", place, label="use 2 spaces")
            return
        first = self._document.lines[min(start.line, len(self._document.lines) - 1)]
        if cron := _CRON.match(first, start.column):
            message = "a cron expression that starts with `*` must be quoted"
            place = self._clamped(start.line, start.column, len(cron[0]))
            self._report.error("ZC003", message, place, label=f'write "{cron[0]}"', replacement=f'"{cron[0]}"')
            return
        self._report.error(
            "ZC001", f"syntax error: {_in_words(error)}", self._clamped(mark.line, mark.column),
            label=_advice(line, mark.column), note=_context(error, self._clamped(start.line, start.column)),
        )  # fmt: skip


def _decode(content: bytes) -> tuple[str, int]:
    """Return the text, and the character offset of the first byte that is not UTF-8 (-1: none)."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8"), -1
    except UnicodeDecodeError as error:
        return content.decode("utf-8", "replace"), len(content[: error.start].decode("utf-8"))


def _place_of_offset(document: Document, text: str, offset: int) -> Place:
    lines = _LINE_END.split(text[:offset])
    return Place(document, len(lines), len(lines[-1]) + 1)


def _in_words(error: Any) -> str:
    problem = str(error.problem or error)
    words = {
        "mapping values are not allowed in this context": "a `:` where no key can stand; is the text before it in quotes?",
        "found character that cannot start any token": "a character that can start a value only in quotes",
        "found unexpected end of stream": "the quote is never closed",
        "did not find expected key": "a key was expected here; does the indent match its neighbours?",
    }
    return words.get(problem, problem)


def _advice(line: str, column: int) -> str:
    character = line[column : column + 1]
    return "put the value in quotes" if character and character in "@`%*&!" else ""


def _context(error: Any, place: Place) -> str:
    return f"{error.context}, which began at {place}" if getattr(error, "context", None) else ""
