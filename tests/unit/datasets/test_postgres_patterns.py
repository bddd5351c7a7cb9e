"""Expressions of RE2 as PostgreSQL writes them: held against RE2 itself by a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres_here import needs_postgres, postgres_here
from zen_agents.datasets.dialects.base import UnsaidError
from zen_agents.datasets.dialects.postgres_patterns import postgres_pattern
from zen_agents.model.pattern import compiled

PATTERNS = [
    r"\d{4}-\d{2}", r"[A-Z]{2}\d+", r".*", r"(?s).*", r"(?i)ab+c", r"a|b|", r"(?P<year>\d+)x?", r"\w+@\w+\.\w{2,}?",
    r"[^\s,]+", r"\bword\b.*", r"a\Bb", r"[[:alpha:]_-]+", r"[]a]+", r"[a\]]+", r"[\d\-x]+", r"\Qa.b*\E", r"a{x",
    r"\x41\x{e9}", r"a\tb", r"(a|(b))*?c", r"[^a-c]", r"\A\d+\z", r"x\$y", r"[.*+]", r"a-b", r"é+", r"\/",
    r"[[:punct:]]+", r"[[:b]+", r"a{2,3}", r"(?:)", r"\-",
]  # fmt: skip
TEXTS = [
    "", "2026-01", "2026-01\n", "AB12", "ab", "ABBC", "abc", "abb\nc", "a", "b", "12x", "٣", "me@example.org", "a b", "a,b",
    "word one", "wordy", "ab", "Straße", "a_b-c", "]a", "a]", "1-x", "a.b*", "aXbb", "a{x", "Aé", "a\tb", "abac", "d",
    "\n", "x$y", ".*+", "a-b", "éé", "/", "!?", "aa", "aaaa", "-", "\b", "É", "ß",
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[object]:
    psycopg = pytest.importorskip("psycopg")
    with postgres_here() as found, psycopg.connect(f"host=127.0.0.1 port={found.port} user=postgres") as connection:
        yield connection


@needs_postgres
def test_the_same_texts_match(server: object) -> None:
    for pattern in PATTERNS:
        (told,) = server.execute(  # type: ignore[attr-defined]
            "select array(select t ~ %s from unnest(%s::text[]) with ordinality as u(t, at) order by at)",
            (postgres_pattern(pattern), TEXTS),
        ).fetchone()
        flags = pattern[: pattern.index(")") + 1] if pattern.startswith("(?s)") else ""
        whole = compiled(f"{flags}^(?:{pattern.removeprefix(flags)})$")
        assert told == [whole.search(text) is not None for text in TEXTS], pattern


@pytest.mark.parametrize("pattern", [r"\pL+", r"\p{Greek}", r"(?m)^a$", r"a{300}", r"(?U)a+", r"x(?i)y", r"[\W]", r"\C"])
def test_what_cannot_be_said_is_told(pattern: str) -> None:
    with pytest.raises(UnsaidError, match="PostgreSQL has nothing for"):
        postgres_pattern(pattern)
