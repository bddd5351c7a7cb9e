"""Reads lines and says of which template each is, and which template is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.logs.memory import checked_count, checked_number, checked_rows
from zen_agents.logs.mining.masks import Masks, shape
from zen_agents.logs.mining.tree import ANY, MOST_TEMPLATES, Template, TemplateTree

#: What is beyond this in a line (bytes) is not looked at.
LONGEST_LINE: Final = 2048
#: Of more words than this, the rest is one.
MOST_WORDS: Final = 128
_REST: Final = "<...>"
#: What a line says that says itself what stands for any word: its templates must not be taken for more open than they are.
_SAID: Final = "<\\*>"
#: An example keeps so much of its line (characters).
LONGEST_EXAMPLE: Final = 256
#: The shapes that are remembered take so much memory at most (bytes), half of it those seen lately.
MOST_REMEMBERED: Final = 8 * 1024 * 1024
#: What remembering a shape costs besides its bytes.
_ENTRY_BYTES: Final = 200


class _Shapes:
    """The templates of the shapes seen lately, in two generations: when the young one is full, the old one is dropped."""

    def __init__(self) -> None:
        self._young: dict[bytes, Template] = {}
        self._old: dict[bytes, Template] = {}
        self._bytes = 0

    def get(self, line_shape: bytes) -> Template | None:
        """Return the template of a shape; None if it was not seen lately, or its template was forgotten."""
        template = self._young.get(line_shape)
        if template is None:
            template = self._old.get(line_shape)
            if template is not None and template.is_kept:
                self.put(line_shape, template)
        return template if template is not None and template.is_kept else None

    def put(self, line_shape: bytes, template: Template) -> None:
        """Remember the template of a shape; a very long one is no shape that will come again."""
        if len(line_shape) > LONGEST_LINE:
            return
        self._young[line_shape] = template
        self._bytes += len(line_shape) + _ENTRY_BYTES
        if self._bytes > MOST_REMEMBERED // 2:
            self._old, self._young, self._bytes = self._young, {}, 0


class Miner:
    """The templates of one source. What it keeps is bounded, whatever the lines are and however many."""

    def __init__(self, masks: Masks | None = None, most: int = MOST_TEMPLATES) -> None:
        self._masks = masks or Masks()
        self._tree = TemplateTree(most)
        self._shapes = _Shapes()

    def __len__(self) -> int:
        return len(self._tree)

    @property
    def templates(self) -> list[Template]:
        """Every template, the most frequent first."""
        return sorted(self._tree, key=lambda template: (-template.lines, template.text))

    @property
    def forgotten(self) -> int:
        """How many templates were forgotten to make room; one that was is new again when it comes back."""
        return self._tree.forgotten

    def learn(self, chunk: bytes, at: float) -> list[Template]:
        """Read whole lines that came at a time (seconds); return the templates that are new. Blank lines are none."""
        shapes = shape(chunk).split(b"\n")
        return self._learn(chunk, shapes, dict.fromkeys(shapes, (at, at)))

    def learn_messages(self, messages: Sequence[tuple[str, float]]) -> list[Template]:
        """Read messages, each with the time at which it came and one line whatever it holds; otherwise as `learn`."""
        if not messages:
            return []
        chunk = "\n".join([message.replace("\n", " ") for message, _ in messages]).encode("utf-8", "replace")
        shapes, times = shape(chunk).split(b"\n"), [at for _, at in messages]
        first = dict(zip(reversed(shapes), reversed(times), strict=True))
        last = dict(zip(shapes, times, strict=True))
        return self._learn(chunk, shapes, {each: (first[each], last[each]) for each in last})

    def _learn(self, chunk: bytes, shapes: Sequence[bytes], came: Mapping[bytes, tuple[float, float]]) -> list[Template]:
        """Read lines by their shapes, of each of which it is known when the first and the last came."""
        made: list[Template] = []
        originals: Mapping[bytes, bytes] = {}
        for line_shape, times in Counter(shapes).items():
            first, last = came[line_shape]
            template = self._shapes.get(line_shape) or self._grouped(line_shape, first)
            if template is None:
                continue
            if not template.lines:
                originals = originals or dict(zip(shapes, chunk.split(b"\n"), strict=True))
                template.example = _example(originals[line_shape])
                made.append(template)
            template.lines += times
            template.last_at = max(template.last_at, last)
        return [template for template in made if template.is_kept]

    def template_of(self, line: bytes, at: float) -> Template | None:
        """Read one line (without its end) and return its template; None for a blank one."""
        line = line.replace(b"\n", b" ")
        line_shape = shape(line)
        template = self._shapes.get(line_shape) or self._grouped(line_shape, at)
        if template is None:
            return None
        if not template.lines:
            template.example = _example(line)
        template.lines += 1
        template.last_at = at
        return template

    def _grouped(self, line_shape: bytes, at: float) -> Template | None:
        words = self._masks.words(line_shape[:LONGEST_LINE].decode("utf-8", "replace"), MOST_WORDS)
        if not words:
            return None
        if len(words) > MOST_WORDS:
            words[MOST_WORDS] = _REST
        template = self._tree.find([_SAID if word == ANY else word for word in words], at)
        self._shapes.put(line_shape, template)
        return template

    def saved(self) -> dict[str, Any]:
        """Return every template, for JSON."""
        rows = [[t.text, t.lines, t.first_at, t.last_at, t.example] for t in self._tree]
        return {"templates": rows, "forgotten": self.forgotten}

    @classmethod
    def restored(cls, saved: Mapping[str, Any], masks: Masks | None = None, most: int = MOST_TEMPLATES) -> Miner:
        """Return what was saved. What it cannot be is left out."""
        made = cls(masks, most)
        for row in checked_rows(saved.get("templates"), width=5)[:most]:
            words, times = _checked_words(row[0]), (checked_number(row[2]), checked_number(row[3]))
            if words and times[0] is not None and times[1] is not None and isinstance(row[4], str):
                template = made._tree.put_back(words, times[0])
                template.lines, template.last_at = max(1, checked_count(row[1])), times[1]
                template.example = row[4][:LONGEST_EXAMPLE]
        made._tree.forgotten = checked_count(saved.get("forgotten"))
        return made


def _example(line: bytes) -> str:
    return line[:LONGEST_LINE].decode("utf-8", "replace")[:LONGEST_EXAMPLE]


def _checked_words(value: Any) -> list[str]:
    """Return the words of a template that was saved; none if it cannot be one."""
    if not isinstance(value, str) or len(value) > 8 * LONGEST_LINE:
        return []
    words = value.split()
    return words if len(words) <= MOST_WORDS + 1 else []
