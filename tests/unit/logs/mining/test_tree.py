"""Which template a line is of: what comparing all of them one by one would say."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.logs.mining.tree import ANY, SIMILAR, Template, TemplateTree

WORDS = st.sampled_from(["a", "b", "c", "d"])
LINES = st.lists(st.lists(WORDS, min_size=4, max_size=4).map(lambda words: ["begin", *words]), max_size=40)


def compared_one_by_one(templates: Sequence[Template], words: Sequence[str]) -> Template | None:
    best: Template | None = None
    most = ceil(SIMILAR * len(words)) - 1
    for template in templates:
        same = sum(ours == theirs for ours, theirs in zip(template.words, words, strict=True))
        if same > most or (same == most and best is not None and template.open > best.open):
            best, most = template, same
    return best


@given(lines=LINES, most=st.integers(2, 8))
@settings(max_examples=200, deadline=None)
def test_a_line_is_of_the_template_most_like_it_however_many_there_are_and_were(lines: list[list[str]], most: int) -> None:
    tree = TemplateTree(most)
    for at, words in enumerate(lines):
        expected = compared_one_by_one(list(tree), words)
        found = tree.find(list(words), float(at))
        assert found is expected or (expected is None and found.lines == 0)
        assert all(each in (word, ANY) for each, word in zip(found.words, words, strict=True))
        assert found.open == found.words.count(ANY)
        found.lines += 1
    assert len(list(tree)) == len(tree) <= most
