"""Did you mean: the word a person probably wanted."""

from __future__ import annotations

from collections.abc import Iterable

#: What people write for what the grammar calls otherwise; used only where the right-hand word is one of the choices.
_SYNONYMS = {
    "off": ("disabled", "false", "never", "observe"),
    "no": ("disabled", "false", "never"),
    "none": ("disabled", "never"),
    "false": ("disabled", "never"),
    "manual": ("notify", "required"),
    "on": ("auto", "true", "always"),
    "yes": ("auto", "true", "always"),
    "true": ("auto", "always"),
    "ask": ("required", "approve"),
    "warn": ("warning",),
    "crit": ("critical",),
    "dry_run": ("observe",),
}


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice most like the word, "" if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for those who made a mistake

    known = list(choices)
    lower = word.strip().lower()
    for synonym in _SYNONYMS.get(lower, ()):
        if synonym in known:
            return synonym
    folded = {choice.lower(): choice for choice in known}
    if lower in folded:
        return folded[lower]
    if len(lower) > 100:  # difflib is quadratic, and nobody misspells that much
        return ""
    found = get_close_matches(lower, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def did_you_mean(word: str) -> str:
    """Return the label for a suggestion, "" for none."""
    return f"did you mean `{word}`?" if word else ""
