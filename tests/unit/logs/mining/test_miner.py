"""Lines are grouped as Drain groups them, remembered within bounds, and new kinds are told."""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable

import pytest
from drain3.drain import Drain

from zen_agents.logs.mining import miner, tree
from zen_agents.logs.mining.masks import Masks, shape
from zen_agents.logs.mining.miner import Miner

CHANCE = random.Random(7)
KINDS = [
    lambda n: f"Failed password for invalid user {['root', 'admin', 'test'][n % 3]} from 192.0.2.{n % 250} port {n * 7}",
    lambda n: f"Accepted publickey for deploy from 198.51.100.{n % 99} port {n} ssh2: RSA SHA256:{n * 7919:x}f0",
    lambda n: f"worker {n % 8} took job {n:#x} from queue mail with priority {n % 9}",
    lambda n: f"Out of memory: Killed process {n} (worker-{n % 4}) total-vm:{n * 4}kB",
    lambda n: f"request {n * 7:08x}-1234-4abc-8def-{n:012x} took {n % 900} ms",
    lambda n: f"Started Session {n} of user {['alice', 'bob'][n % 2]}.",
    lambda n: "shutting down",
]


def labelled(lines: int) -> Iterable[tuple[str, int]]:
    """Yield lines, each with which kind it is of."""
    for number in range(lines):
        kind = CHANCE.randrange(len(KINDS))
        yield KINDS[kind](number), kind


def groups(labels: Iterable[Hashable]) -> set[frozenset[int]]:
    found: dict[Hashable, set[int]] = defaultdict(set)
    for number, label in enumerate(labels):
        found[label].add(number)
    return {frozenset(group) for group in found.values()}


def test_lines_are_grouped_as_they_were_written_and_as_the_reference_groups_them() -> None:
    corpus, masks, reference, own = list(labelled(2000)), Masks(), Drain(), Miner()
    theirs = [
        reference.add_log_message(" ".join(masks.words(shape(line.encode()).decode(), 100)))[0].cluster_id
        for line, _ in corpus
    ]
    ours = [id(own.template_of(line.encode(), 0)) for line, _ in corpus]
    assert groups(ours) == groups(theirs) == groups(kind for _, kind in corpus)


def test_grouped_as_the_reference_groups_lines_of_any_words() -> None:
    masks, reference, own = Masks(), Drain(), Miner()
    words = ["a", "b", "c", "d", "e", "1", "x-2", "f", "g", "h"]
    lines = [" ".join(CHANCE.choices(words, k=CHANCE.randrange(1, 7))) for _ in range(600)]
    distinct = list(dict.fromkeys(shape(line.encode()).decode() for line in lines))
    theirs = [reference.add_log_message(" ".join(masks.words(line, 100)))[0].cluster_id for line in distinct]
    assert groups(id(own.template_of(line.encode(), 0)) for line in distinct) == groups(theirs)


def test_a_chunk_gives_what_its_lines_give() -> None:
    lines = [line.encode() for line, _ in labelled(500)]
    at_once, one_by_one = Miner(), Miner()
    at_once.learn(b"\n".join(lines) + b"\n\n", 5)
    for line in lines:
        one_by_one.template_of(line, 5)
    assert [(t.text, t.lines) for t in at_once.templates] == [(t.text, t.lines) for t in one_by_one.templates]
    assert sum(t.lines for t in at_once.templates) == 500


def test_a_new_template_is_told_once_with_an_example_of_it() -> None:
    own = Miner()
    (new,) = own.learn(b"took 17 ms\ntook 18 ms", 100)
    assert (new.text, new.example, new.lines, new.first_at) == ("took <num> ms", "took 18 ms", 2, 100)
    assert own.learn(b"took 99999 ms", 200) == []
    assert (new.lines, new.first_at, new.last_at) == (3, 100, 200)


def test_a_line_that_says_itself_what_stands_for_any_word_is_no_template() -> None:
    mined = Miner()
    mined.learn(b"user alpha said yes today\nuser beta said yes today\n", 0.0)
    mined.learn(b"user <*> said no today\n", 1.0)
    (template,) = mined.templates
    assert (template.text, template.lines) == ("user <*> said <*> today", 3)
    mined.learn(b"<*> <*> <*>\nall is well\n", 2.0)
    assert sorted(each.text for each in mined.templates) == [r"<\*> <\*> <\*>", "all is well", "user <*> said <*> today"]


def test_a_message_is_one_line_whatever_is_in_it() -> None:
    own = Miner()
    own.learn_messages([("Traceback\n  File x", 0), ("ok", 0)])
    assert sorted(t.text for t in own.templates) == ["Traceback File x", "ok"]


@pytest.mark.parametrize(
    "line",
    [b"\x00\xff\xfe broken 1", b"\x1b[31mred\x1b[0m", b"<*> <num> <...>", b"x" * 5_000_000, b"7" * 5_000_000, b"a " * 9000],
    ids=["bytes", "escapes", "own words", "long", "digits", "words"],
)
def test_hostile_lines_are_lines(line: bytes) -> None:
    own = Miner()
    for _ in range(2):
        own.learn(line, 0)
    (template,) = own.templates
    assert own.template_of(line, 1) is template
    assert template.lines == 3 and len(template.text) <= 2 * miner.LONGEST_LINE and len(template.example) <= 256


def test_distinct_lines_push_out_one_another_and_not_what_is_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_ALIKE", 1000)
    own = Miner(most=64)
    for _ in range(20):
        own.learn(b"the service is well", 0)
    for number in range(20 * 50):
        own.learn(_word(number) + b" " + _word(number + 1), 1)
    assert len(own) <= 64 and own.forgotten > 900
    assert own.templates[0].text == "the service is well" and own.learn(b"the service is well", 2) == []


def test_memory_is_bounded_however_many_lines_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miner, "MOST_REMEMBERED", 64 * 1024)
    own = Miner(most=50)
    for start in range(0, 20_000, 1000):
        own.learn(b"\n".join(_word(n) + b" same " + _word(n * 31) for n in range(start, start + 1000)), start)
    kept = own._shapes._young | own._shapes._old
    assert sum(map(sys.getsizeof, kept)) <= 64 * 1024 and len(own) <= 50


def test_what_was_forgotten_is_new_when_it_comes_back() -> None:
    own = Miner(most=2)
    for word in (b"alpha", b"beta one", b"gamma is three"):
        own.learn(word, 0)
    assert [t.text for t in own.learn(b"alpha", 1)] == ["alpha"]


def test_a_restart_loses_no_template() -> None:
    own = Miner()
    own.learn(b"\n".join(line.encode() for line, _ in labelled(300)), 9)
    again = Miner.restored(json.loads(json.dumps(own.saved())))
    assert [(t.text, t.lines, t.example) for t in again.templates] == [(t.text, t.lines, t.example) for t in own.templates]
    assert again.learn(b"\n".join(line.encode() for line, _ in labelled(300)), 10) == []


@pytest.mark.parametrize(
    "row", [None, ["", 1, 0, 0, ""], [3, 1, 0, 0, ""], ["a", 1, "x", 0, ""], ["a", 1, 0, 0, 7], ["a " * 9000, 1, 0, 0, ""]]
)
def test_what_was_not_saved_by_it_is_left_out(row: object) -> None:
    assert len(Miner.restored({"templates": [row], "forgotten": "x"})) == 0


def _word(number: int) -> bytes:
    return bytes(97 + (number // 26**place) % 26 for place in range(6))


def test_messages_with_times_of_their_own_are_read_at_once_as_if_one_by_one() -> None:
    """Kinds, their lines, when the first and the last came, and which are new."""
    messages = [
        (f"user {number % 3} took {number} ms of {('cpu', 'disk')[number % 2]} time", 100.0 + number) for number in range(9)
    ]
    messages += [("nothing\nelse", 200.0), ("", 300.0)]
    at_once, one_by_one = Miner(), Miner()
    new = at_once.learn_messages(messages)
    for message, at in messages:
        one_by_one.template_of(message.encode(), at)
    assert [(t.text, t.lines, t.first_at, t.last_at) for t in at_once.templates] == [
        (t.text, t.lines, t.first_at, t.last_at) for t in one_by_one.templates
    ]
    assert [template.first_at for template in new] == [100.0, 200.0]
    assert at_once.learn_messages(messages) == at_once.learn_messages([]) == []
