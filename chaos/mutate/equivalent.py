"""Mutants that behave as the original does, so that no test can kill them; `equivalent.toml` lists each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.mutate.survivors import REPOSITORY

LIST = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One change that changes nothing."""

    module: str
    #: The line as it stands, without its indent.
    old: str
    #: The line as the mutant has it.
    new: str
    why: str

    @property
    def change(self) -> str:
        """The change in the words of `survivors.change`."""
        return f"- {self.old}\n+ {self.new}"

    def applies(self) -> bool:
        """Tell whether the line still stands in its module; where it does not, the entry is to be judged anew."""
        source = REPOSITORY / (self.module.replace(".", "/") + ".py")
        return source.is_file() and self.old in (line.strip() for line in source.read_text(encoding="utf-8").splitlines())


def listed(path: Path = LIST) -> Sequence[Equivalent]:
    """Return the list; raises KeyError for an entry that lacks a part."""
    tables = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return [Equivalent(each["module"], each["old"], each["new"], each["why"]) for each in tables]
