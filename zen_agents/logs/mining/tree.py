"""Drain's tree: lines with as many words and the same first word are compared; those alike enough are of one template.

He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017, at its depth of 4 (root, number of
words, first word, templates), with bounds that the paper does not have: on the words of a line, on the templates that are
compared with a line, and on all templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from operator import attrgetter
from typing import Final

#: Stands where the lines of a template differ.
ANY: Final = "<*>"
#: Of the words of a line, this share must be those of the template, word by word.
SIMILAR: Final = 0.4
#: So many first words are told apart for each number of words; lines with others are compared with each other.
MOST_FIRST_WORDS: Final = 100
#: So many templates are compared with a line; of more, the least useful is forgotten.
MOST_ALIKE: Final = 100
#: So many templates there are at most.
MOST_TEMPLATES: Final = 2_000
#: Of so many at once the least useful are forgotten, so that finding them costs each new one little.
_AT_ONCE: Final = 16

_usefulness, _open_words = attrgetter("weight", "last_at"), attrgetter("open")


class Template:
    """One kind of lines. Only the tree and the miner change it."""

    __slots__ = ("bit", "counted", "example", "first_at", "is_kept", "last_at", "leaf", "lines", "open", "weight", "words")

    def __init__(self, words: list[str], leaf: tuple[int, str], at: float) -> None:
        self.words, self.leaf = words, leaf
        #: One of its lines as it was, cut; untrusted.
        self.example = ""
        #: How many lines were of this kind, and when the first and the last came (seconds).
        self.lines, self.first_at, self.last_at = 0, at, at
        #: How many words may be any.
        self.open = words.count(ANY)
        #: False once it was forgotten.
        self.is_kept = True
        #: How useful it is, and how many lines it had when that was worked out; see `TemplateTree`.
        self.weight, self.counted = 0, 0
        #: What its leaf knows it by.
        self.bit = 0

    @property
    def text(self) -> str:
        """The template as people read it."""
        return " ".join(self.words)


class _Leaf:
    """The templates that are compared with one another's lines; each has a bit.

    All of them are compared with a line at once: of each place it is known which templates have a word there, and how many
    places each has in common with the line is added up in numbers of which each has a bit of every template's sum.
    """

    __slots__ = ("_holding", "_taken", "templates")

    def __init__(self, words: int) -> None:
        #: By its bit.
        self.templates: dict[int, Template] = {}
        #: By place and word, the bits of the templates that have it there.
        self._holding: list[dict[str, int]] = [{} for _ in range(words)]
        self._taken = 0

    def add(self, template: Template) -> None:
        template.bit = ~self._taken & (self._taken + 1)
        self._taken |= template.bit
        self.templates[template.bit] = template
        for holding, word in zip(self._holding, template.words, strict=True):
            holding[word] = holding.get(word, 0) | template.bit

    def remove(self, template: Template) -> None:
        self._taken ^= template.bit
        del self.templates[template.bit]
        for holding, word in zip(self._holding, template.words, strict=True):
            _let_go(holding, word, template.bit)

    def most_similar(self, words: Sequence[str]) -> tuple[Template, int] | None:
        """Return the template with the most words in common, of equal ones the one with more open words; and how many."""
        sums: list[int] = []
        for holding, word in zip(self._holding, words, strict=True):
            carried, place = holding.get(word, 0), 0
            while carried:
                if place == len(sums):
                    sums.append(0)
                sums[place], carried = sums[place] ^ carried, sums[place] & carried
                place += 1
        most, best = 0, self._taken
        for place in range(len(sums) - 1, -1, -1):
            if more := best & sums[place]:
                most, best = most + (1 << place), more
        if most < ceil(SIMILAR * len(words)):
            return None
        alike = [template for bit, template in self.templates.items() if bit & best]
        return (alike[0] if len(alike) == 1 else max(alike, key=_open_words)), most

    def open(self, template: Template, words: Sequence[str]) -> None:
        """Let the words in which a line differs from its template be any."""
        for holding, ours, theirs in zip(self._holding, template.words, words, strict=True):
            if ours != theirs:
                _let_go(holding, ours, template.bit)
                holding[ANY] = holding.get(ANY, 0) | template.bit
        template.words = [ours if ours == theirs else ANY for ours, theirs in zip(template.words, words, strict=True)]
        template.open = template.words.count(ANY)


def _let_go(holding: dict[str, int], word: str, bit: int) -> None:
    left = holding[word] & ~bit
    if left:
        holding[word] = left
    else:
        del holding[word]


class TemplateTree:
    """All templates of a source, the least useful of them forgotten when there are too many.

    A template weighs as many lines as it has, plus what the last one weighed that was forgotten when it was last used (LFU
    with dynamic aging, as in `logs.keys`); of equal ones the one that was silent for longer goes. Lines that are each unlike
    all others therefore push out one another, and a template of c lines only after c times as many of them as fit.
    """

    def __init__(self, most: int = MOST_TEMPLATES) -> None:
        self._most = most
        self._leaves: dict[tuple[int, str], _Leaf] = {}
        #: How many first words are told apart, for each number of words.
        self._first_words: dict[int, int] = {}
        self._size = self._age = 0
        #: How many templates were forgotten to make room.
        self.forgotten = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Template]:
        return (template for leaf in self._leaves.values() for template in leaf.templates.values())

    def find(self, words: list[str], at: float) -> Template:
        """Return the template that a line is of; one that has no lines yet if it is like none."""
        place = self._place(words)
        leaf = self._leaves.get(place)
        found = None if leaf is None else leaf.most_similar(words)
        if leaf is None or found is None:
            return self._added(Template(words, place, at))
        template, same = found
        if same + template.open < len(words):
            leaf.open(template, words)
        return template

    def put_back(self, words: list[str], at: float) -> Template:
        """Return a new template of exactly these words (those of one that was saved)."""
        return self._added(Template(words, self._place(words), at))

    def _place(self, words: Sequence[str]) -> tuple[int, str]:
        place = (len(words), words[0])
        if place in self._leaves or self._first_words.get(len(words), 0) < MOST_FIRST_WORDS - 1:
            return place
        return (len(words), ANY)

    def _added(self, template: Template) -> Template:
        leaf = self._leaves.get(template.leaf)
        if leaf is not None and len(leaf.templates) >= MOST_ALIKE:
            self._weigh(leaf.templates.values())
            self._forget(min(leaf.templates.values(), key=_usefulness))
        elif self._size >= self._most:
            self._make_room()
        if template.leaf not in self._leaves:
            self._leaves[template.leaf] = _Leaf(len(template.words))
            self._first_words[template.leaf[0]] = self._first_words.get(template.leaf[0], 0) + 1
        self._leaves[template.leaf].add(template)
        self._size += 1
        return template

    def _make_room(self) -> None:
        templates = list(self)
        self._weigh(templates)
        for template in sorted(templates, key=_usefulness)[: max(1, self._most // _AT_ONCE)]:
            self._forget(template)

    def _weigh(self, templates: Iterable[Template]) -> None:
        for template in templates:
            if template.lines != template.counted or not template.weight:
                template.weight, template.counted = template.lines + self._age, template.lines

    def _forget(self, template: Template) -> None:
        leaf = self._leaves[template.leaf]
        leaf.remove(template)
        if not leaf.templates:
            del self._leaves[template.leaf]
            self._first_words[template.leaf[0]] -= 1
        template.is_kept = False
        self._age = max(self._age, template.weight)
        self._size -= 1
        self.forgotten += 1
