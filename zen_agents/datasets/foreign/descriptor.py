"""Reading what others wrote: each part knows its place, and a part that is no what it must be is refused with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.questions import Value

_LONGEST_WORD: Final = 100


class RefusedContractError(ValueError):
    """The file is no contract that can be read; `at` is the place in it, such as `fields[2].type`.

    `meant` is what was probably to stand there, "" if nothing is like it.
    """

    def __init__(self, at: str, what: str, meant: str = "") -> None:
        super().__init__(f"{at}: {what}" if at else what)
        self.at, self.what, self.meant = at, what, meant


def meant(written: str, known: Iterable[str]) -> str:
    """Return which of the known words was probably meant, "" if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for those who made a mistake

    folded = {word.lower(): word for word in known if word}
    # Quadratic in the length, and nobody misspells that much.
    found = get_close_matches(written.lower(), folded, n=1, cutoff=0.75) if len(written) <= _LONGEST_WORD else []
    return folded[found[0]] if found else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a parsed YAML or JSON file, and where it stands there."""

    value: Any
    at: str = ""

    def has(self, key: str) -> bool:
        """Tell whether the key is there and not null."""
        return self.mapping().get(key) is not None

    def get(self, key: str) -> Part:
        """Return the part below a key; its value is None where there is none."""
        return Part(self.mapping().get(key), f"{self.at}.{key}" if self.at else key)

    def required(self, key: str, what: str) -> Part:
        """Return the part below a key; RefusedContractError, where it was probably misspelt, if it is not there."""
        if self.mapping().get(key) not in (None, ""):
            return self.get(key)
        near = meant(key, self.mapping())
        raise RefusedContractError(self.get(near).at if near else self.at, what, key if near else "")

    def word(self, known: Iterable[str], of: str, otherwise: str = "") -> str:
        """Return it as one of the known words; RefusedContractError, with the one that was probably meant, for any other."""
        word, known = self.text(otherwise), list(known)
        if word not in known:
            raise RefusedContractError(self.at, f"{word!r} is no {of}", meant(word, known))
        return word

    def mapping(self) -> Mapping[str, Any]:
        """Return it as keys and values; {} for nothing; raises RefusedContractError for anything else."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping) or not all(isinstance(key, str) for key in self.value):
            raise RefusedContractError(self.at, "keys and values are expected here")
        return self.value

    def items(self) -> Iterator[Part]:
        """Yield each part of a list; nothing for nothing; raises RefusedContractError for anything else."""
        if self.value is None:
            return
        if not isinstance(self.value, Sequence) or isinstance(self.value, str):
            raise RefusedContractError(self.at, "a list is expected here")
        for number, value in enumerate(self.value):
            yield Part(value, f"{self.at}[{number}]")

    def entries(self) -> Iterator[tuple[str, Part]]:
        """Yield each key with the part below it."""
        for key in self.mapping():
            yield key, self.get(key)

    def text(self, otherwise: str = "") -> str:
        """Return it as text; raises RefusedContractError for what is none."""
        if self.value is None:
            return otherwise
        if not isinstance(self.value, str):
            raise RefusedContractError(self.at, "a text is expected here")
        return self.value

    def flag(self, *, otherwise: bool = False) -> bool:
        """Return it as true or false; raises RefusedContractError for what is neither."""
        if self.value is None:
            return otherwise
        if not isinstance(self.value, bool):
            raise RefusedContractError(self.at, "true or false is expected here")
        return self.value

    def count(self) -> int:
        """Return it as a number of things; raises RefusedContractError for what is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            raise RefusedContractError(self.at, "a whole number of at least 0 is expected here")
        return self.value

    def number(self) -> float:
        """Return it as a number; raises RefusedContractError for what is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise RefusedContractError(self.at, "a number is expected here")
        return float(self.value)

    def scalar(self) -> Value:
        """Return it as one value; raises RefusedContractError for what is none."""
        if not isinstance(self.value, bool | int | float | str):
            raise RefusedContractError(self.at, "one value is expected here")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts, or a single one as a list of it; raises RefusedContractError for anything else."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(part.text() for part in self.items())
