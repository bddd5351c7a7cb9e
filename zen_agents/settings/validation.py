"""From nodes to a model's instance, and from what pydantic refuses to diagnostics with their place."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node, Path, Place, dotted
from zen_agents.settings.shape import Shape

#: Type of error (`scalars.ERROR_TYPES` and pydantic's own) -> code.
_CODES = {
    "unit": "ZC203", "range": "ZC209", "percent_range": "ZC202", "time_zone": "ZC204", "time_of_day": "ZC215",
    "regex": "ZC205", "cron": "ZC212", "path": "ZC210", "octal": "ZC211", "name": "ZC213", "address": "ZC213",
    "text": "ZC213", "one_of": "ZC214", "critical": "ZC214", "twice": "ZC214", "user": "ZC404",
    "clear": "ZC206", "conflict": "ZC214", "reference": "ZC303", "cycle": "ZC304", "root": "ZC404", "protected": "ZC405",
    "later": "ZC110", "value_error": "ZC214", "assertion_error": "ZC214", "missing": "ZC105", "extra_forbidden": "ZC101",
    "enum": "ZC201", "literal_error": "ZC201", "string_pattern_mismatch": "ZC213", "string_too_long": "ZC213",
    "string_too_short": "ZC213", "too_short": "ZC209", "too_long": "ZC209", "greater_than": "ZC209",
    "greater_than_equal": "ZC209", "less_than": "ZC209", "less_than_equal": "ZC209",
}  # fmt: skip

#: Pydantic's type of error -> what was wanted, in words.
_WANTED = {
    "bool": "true or false", "int": "a whole number", "float": "a number", "string": "a text", "dict": "a map",
    "model": "a map",
    "list": "a list", "tuple": "a list", "set": "a list", "frozen_set": "a list", "mapping": "a map",
}  # fmt: skip

#: Messages that say what it is by themselves; the others begin with the key.
_WHOLE = frozenset({"regex"})


def validate(model: type[BaseModel], node: Node, path: Path, shape: Shape, report: Report, root: Node) -> Any:
    """Return the model's instance for what stands at `path`, None if anything in it is wrong; all of it is reported."""
    wrong = len(report.found)
    values = plain_values(node, shape, path, report)
    try:
        instance = model.model_validate(values)
    except ValidationError as error:
        told: set[tuple[str, Place]] = set()
        for each in error.errors(include_url=False, include_input=False):
            _Fault(each, path, shape, root).tell(report, told)
        return None
    except RecursionError:
        report.error("ZC005", "nested too deeply", node)
        return None
    return instance if len(report.found) == wrong else None


def plain_values(node: Node, shape: Shape | None, path: Path, report: Report) -> Any:
    """Return plain values; an empty section is left out, and true or false is no number."""
    if node.is_map:
        values = {}
        for key, entry in node.value.items():
            below = shape.step(key) if shape else None
            empty = entry.node.value is None and below is not None and below.is_container
            if not key.startswith("x-") and not empty:
                values[key] = plain_values(entry.node, below, (*path, key), report)
        return values
    if node.is_list:
        below = shape.step(0) if shape else None
        return [plain_values(item, below, (*path, index), report) for index, item in enumerate(node.value)]
    if isinstance(node.value, bool) and shape and shape.members and set(shape.members) <= {int, float}:
        report.error("ZC207", f"`{_last(path)}` is a number, got `{node.text}`", node)
    return node.value


class _Fault:
    """One of pydantic's errors, on its way to a diagnostic."""

    def __init__(self, error: Any, prefix: Path, shape: Shape, root: Node) -> None:
        self.type: str = error["type"]
        self.text: str = error["msg"]
        self.context: dict[str, Any] = error.get("ctx", {})
        self.root = root
        self.is_key = bool(error["loc"]) and error["loc"][-1] == "[key]"
        below: Path = tuple(error["loc"])
        if at := self.context.get("at"):
            below = (*below, *_steps(str(at)))
        self.node, self.entry, self.path = root.nearest((*prefix, *below))
        self.shape = shape.at(self.path[len(prefix) :])
        self.prefix, self.top = prefix, shape
        #: Where the model stands that refused it.
        self.seat = (*prefix, *error["loc"])
        self.missing = str(below[-1]) if below and self.type == "missing" else ""

    def tell(self, report: Report, told: set[tuple[str, Place]]) -> None:
        code = _CODES.get(self.type, "ZC207")
        place = self._place()
        if (code, place) in told or (code == "ZC207" and any(where == place for _, where in told)):
            return  # the other members of a union
        if self.type == "too_short" and self.node.is_list and self.node.value:
            return  # it is short only because an item of it is refused, and that is told
        told.add((code, place))
        message, label, replacement, help_ = self._words()
        note = ""
        if see := self.context.get("see"):
            other, entry, _ = self.root.nearest((*self.seat, *_steps(str(see))))
            note = f"{_last(_steps(str(see)))} is set at {entry.place if entry else other.place}"
        report.error(code, message, place, label=label, note=note, help=help_, replacement=replacement)

    def _place(self) -> Place:
        if self.entry is not None and (self.type in ("extra_forbidden", "missing", "later") or self.is_key):
            return self.entry.place
        if (offset := self.context.get("offset")) is not None:
            return inside(self.node, int(offset))
        if self.entry is not None and (self.node.is_map or self.node.is_list or not self.node.text):
            return self.entry.place
        return self.node.place

    def _words(self) -> tuple[str, str, str, str]:
        """Return message, label, replacement and help."""
        key = _last(self.path)
        if self.type == "extra_forbidden":
            return unknown_key(self.path, self.top.at(self.path[len(self.prefix) : -1]))
        if self.type == "missing":
            return f"`{self.missing}` is missing in {dotted(self.path) or 'the file'}", "", "", _help(self.path)
        if self.type in ("enum", "literal_error"):
            return _not_a_choice(key, self.node, self.shape)
        if self.type == "time_zone":
            return _unknown_zone(self.node)
        suggest = str(self.context.get("suggest", ""))
        label = str(self.context.get("label", "")) or (_guess(suggest) if suggest else "")
        message = self.text if self.type in _WHOLE else f"`{key}` {self._predicate()}"
        return message, label, suggest, ""

    def _predicate(self) -> str:
        got = f"got {_what(self.node)}"
        if self.type in ("value_error", "assertion_error"):
            return self.text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
        words = {"greater_than_equal": ("at least", "ge"), "greater_than": ("more than", "gt"),
                 "less_than_equal": ("at most", "le"), "less_than": ("less than", "lt")}  # fmt: skip
        if self.type in words:
            word, name = words[self.type]
            return f"is {word} {self.context.get(name)}, {got}"
        if self.type == "too_long":
            return f"has too many entries: {self.context['max_length']:,} may be there"
        if self.type in ("too_short", "string_too_long", "string_too_short", "string_pattern_mismatch"):
            return f"has a wrong form: {self.text[:1].lower()}{self.text[1:]}"
        if self.type in _CODES:
            return self.text
        wanted = next((text for start, text in _WANTED.items() if re.match(rf"{start}(_|$)", self.type)), "")
        return f"is {wanted}, {got}" if wanted else f"is not right: {self.text[:1].lower()}{self.text[1:]}, {got}"


def unknown_key(path: Path, parent: Shape | None) -> tuple[str, str, str, str]:
    """Return message, label, replacement and help for a key that the grammar does not have."""
    key = _last(path)
    suggest = nearest(key, parent.keys) if parent else ""
    if len(path) == 1:
        return f"unknown key `{key}`", did_you_mean(suggest), suggest, ""
    above = dotted(path[:-1])
    return f"unknown key `{key}` in {above}", did_you_mean(suggest), suggest, f"zen-agents explain config {above}"


def _not_a_choice(key: str, node: Node, shape: Shape | None) -> tuple[str, str, str, str]:
    choices = shape.choices if shape else ()
    text = node.text if not (node.is_map or node.is_list) else _what(node)
    suggest = nearest(text, choices)
    return f"`{text}` is not a value of `{key}`: one of {', '.join(choices)}", did_you_mean(suggest), suggest, ""


def _unknown_zone(node: Node) -> tuple[str, str, str, str]:
    import zoneinfo  # noqa: PLC0415 - only for those who made a mistake

    suggest = nearest(node.text, zoneinfo.available_timezones())
    return f"unknown time zone `{node.text}`", did_you_mean(suggest), suggest, ""


def _guess(suggest: str) -> str:
    return f"did you mean {suggest}?" if suggest.replace(".", "").isdigit() else did_you_mean(suggest)


def inside(node: Node, offset: int, length: int = 1) -> Place:
    """Return the place of a part of a scalar; only where the text stands as it is written."""
    place = node.place
    written = place.excerpt[place.column - 1 : place.column - 1 + place.length]
    start = written.find(node.text) if node.text else -1
    return place.within(start + offset, length) if start >= 0 else place


def _what(node: Node) -> str:
    if node.is_map:
        return "a map"
    if node.is_list:
        return "a list"
    if node.value is None and not node.quoted:
        return "nothing"
    return f"`{node.text}`"


def _steps(path: str) -> Path:
    return tuple(int(step) if step.isdigit() else step for step in path.replace("[", ".").replace("]", "").split("."))


def _last(path: Path) -> str:
    """Return the last key of a path; positions in lists have no name of their own."""
    return next((step for step in reversed(path) if isinstance(step, str)), "the file")


def _help(path: Path) -> str:
    return f"zen-agents explain config {dotted(path)}" if path else ""
