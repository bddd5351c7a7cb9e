"""Where files go instead of away: kept by their content's hash, with all that is needed to give them back (R10)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.adapters.file_holders import somebody_writes
from zen_agents.adapters.kept_bytes import copied, digest_of, hash_of, linked
from zen_agents.adapters.likeness import Likeness
from zen_agents.adapters.taken_aside import TakenAside
from zen_agents.clock import Clock
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError
from zen_agents.model.units import size_in_words
from zen_agents.ports.host_files import FileState

_ID = re.compile(r"q-[0-9a-f]{24}")
#: What is kept where the configuration says nothing else.
KEEP_SECONDS, MOST_BYTES = 7 * 86400.0, 1 << 30
#: Smaller files are always copied.
LINKED_FROM = 16 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """One file in the quarantine."""

    id: str
    #: SHA-256 of its content, hex: the name under which the content lies.
    sha256: str
    path: str
    size: int
    likeness: Likeness
    action: str
    #: ISO time for people.
    kept_at: str
    #: Steady seconds after which it may be dropped.
    expires: float


class KeptFiles:
    """The files that actions took away, to be looked at and to be opened."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    def find(self, id: str) -> Kept:
        """Return what is known of a kept file; StalePlanError if it is not there any more."""
        if not _ID.fullmatch(id):
            raise StalePlanError(f"{id!r} is not an id of the quarantine")
        try:
            return _card(self._directory / f"{id}.json")
        except FileNotFoundError as error:
            raise StalePlanError(f"{id} is not in the quarantine; its time to live is over") from error

    @contextlib.contextmanager
    def opened(self, id: str) -> Iterator[tuple[int, Kept]]:
        """Open a kept file for giving it back; HostError if its content is not what was kept."""
        kept = self.find(id)
        blob = self._directory / kept.sha256
        if not blob.is_file() or hash_of(blob) != kept.sha256:
            raise HostError(f"the content of {id} in {self._directory} is missing or damaged; restore {kept.path} by hand")
        descriptor = os.open(blob, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield descriptor, kept
        finally:
            os.close(descriptor)

    def content(self, id: str) -> Path:
        """Return where the content of a kept file lies, once it was compared with what was kept; raises as `opened`."""
        with self.opened(id) as (_, kept):
            return self._directory / kept.sha256

    def no_room_for(self, size: int) -> str:
        """Return why so many bytes cannot be kept as well, "" if they can; who only looks knows of no limit."""
        del size
        return ""

    def files(self) -> tuple[Kept, ...]:
        """Return everything that is kept, the one that expires first leading; HostError if that cannot be read."""
        cards = [_card(path) for path in self._directory.glob("q-*.json")] if self._directory.is_dir() else []
        return tuple(sorted(cards, key=lambda kept: kept.expires))


class Quarantine(KeptFiles):
    """Takes files and keeps them, with a time to live and a size that is never exceeded.

    What has not expired is never dropped to make room: then HostError says so and the file stays where it is.
    """

    def __init__(
        self, directory: str | Path, clock: Clock, *, keep_seconds: float = KEEP_SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        super().__init__(directory)
        self._clock = clock
        #: How long a file is kept that comes in now, and how much at most (a reload may change both).
        self.keep_seconds, self.most_bytes = keep_seconds, most_bytes
        #: Where files are on their way out under private names.
        self.aside = TakenAside(self._directory)

    def keep(
        self, descriptor: int, expected: FileState, *, action: str, go_on: Callable[[], None], goes: bool = False
    ) -> str:  # fmt: skip
        """Take an open file in durably and return its id; the caller removes the original afterwards.

        It is copied, and the copy verified: whoever could write the original by another way cannot change what is kept.
        `goes`: what is removed is the file's only name, and `close_off` is called then; a large one gets a second name in
        here instead of being copied, where it lies on the same file system.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        found = os.fstat(descriptor)
        self._make_room(found.st_size)
        temporary = self._directory / f".{secrets.token_hex(12)}"
        try:
            if goes and found.st_size >= LINKED_FROM and linked(descriptor, temporary):
                digest = digest_of(descriptor, go_on)
            else:
                digest = copied(descriptor, temporary, go_on)
                if hash_of(temporary) != digest:
                    raise HostError(f"the copy of {expected.path} in {self._directory} is not the same; look at that disk")
            if not (blob := self._directory / digest).exists():
                temporary.rename(blob)
        except OSError as error:
            raise HostError(f"{expected.path} could not be kept in {self._directory}: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)
        now = self._clock.now()
        kept = Kept(
            id=f"q-{secrets.token_hex(12)}", sha256=digest, path=expected.path, size=found.st_size,
            likeness=Likeness.of(descriptor), action=action, kept_at=now.wall.isoformat(timespec="seconds"),
            expires=now.steady + self.keep_seconds,
        )  # fmt: skip
        self._write_card(kept)
        return kept.id

    def is_itself(self, id: str, descriptor: int) -> bool:
        """Tell whether what is kept is an open file itself, and no copy of it."""
        blob, found = (self._directory / self.find(id).sha256).lstat(), os.fstat(descriptor)
        return (blob.st_dev, blob.st_ino) == (found.st_dev, found.st_ino)

    def close_off(self, descriptor: int, expected: FileState) -> None:
        """Have an open file that was taken in, and has lost its own name, written by nobody any more.

        StalePlanError if somebody has it open to write; HostError if it cannot be closed off. It is as it was then.
        """
        found = os.fstat(descriptor)
        try:
            os.fchown(descriptor, os.geteuid(), os.getegid())
            os.fchmod(descriptor, 0o600)
            if not somebody_writes(descriptor, expected.path):
                return
        except OSError as error:
            raise HostError(f"{expected.path} cannot be kept: {error.strerror}; nothing was changed") from error
        os.fchown(descriptor, found.st_uid, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
        raise StalePlanError(f"somebody has {expected.path} open to write to it; nothing was changed")

    def drop_expired(self) -> int:
        """Drop what has outlived its time; return how many files."""
        now = self._clock.now().steady
        expired = [kept for kept in self.files() if kept.expires <= now]
        for kept in expired:
            self.drop(kept.id)
        return len(expired)

    def drop(self, id: str) -> None:
        """Forget a kept file, and its content unless another one has the same."""
        kept = self.find(id)
        (self._directory / f"{id}.json").unlink()
        if all(other.sha256 != kept.sha256 for other in self.files()):
            (self._directory / kept.sha256).unlink(missing_ok=True)

    def forget_unfinished(self) -> None:
        """Remove what an engine that was killed had not entered yet; the originals of that still are where they were."""
        # A card or a directory that cannot be read: then nobody can tell what belongs to nothing.
        with contextlib.suppress(OSError, HostError):
            for kept in self.files():
                if _is_in_its_place(kept, self._directory / kept.sha256):
                    self.drop(kept.id)
            named = {name for kept in self.files() for name in (kept.sha256, f"{kept.id}.json")}
            named.update(self.aside.names())
            for path in [path for path in self._directory.iterdir() if path.name not in named]:
                path.unlink()

    def no_room_for(self, size: int) -> str:
        """Return why so many bytes cannot be kept besides what has not expired, and what to do; "" if they can."""
        now = self._clock.now().steady
        used = sum({kept.sha256: kept.size for kept in self.files() if kept.expires > now}.values())
        if used + size <= self.most_bytes:
            return ""
        return (
            f"what is there now is kept for undo, and {size_in_words(size)} do not fit into the quarantine "
            f"{self._directory}, which holds {size_in_words(used)} of {size_in_words(self.most_bytes)}: raise "
            "`retention: {quarantine_size: ...}`, or drop what is not needed"
        )

    def _make_room(self, size: int) -> None:
        self.drop_expired()
        if why := self.no_room_for(size):
            raise HostError(f"{why}; nothing was changed")

    def _write_card(self, kept: Kept) -> None:
        card = asdict(kept)
        card["likeness"]["attributes"] = {
            name: base64.b64encode(value).decode() for name, value in kept.likeness.attributes.items()
        }
        try:
            replace_durably(self._directory / f"{kept.id}.json", json.dumps(card, sort_keys=True).encode())
        except OSError as error:
            raise HostError(f"{kept.path} could not be entered in {self._directory}: {error.strerror}") from error


def _is_in_its_place(kept: Kept, blob: Path) -> bool:
    """Tell whether a file that was given a second name in here never lost its first: its engine was killed before."""
    try:
        named, held = Path(kept.path).lstat(), blob.lstat()
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _card(path: Path) -> Kept:
    """Return what a card says; FileNotFoundError if there is none, HostError if it makes no sense."""
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        like = card.pop("likeness")
        like["attributes"] = {name: base64.b64decode(value) for name, value in like["attributes"].items()}
        return Kept(likeness=Likeness(**like), **card)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise HostError(f"what {path.stem} in {path.parent} was cannot be read; look at it, and move it away") from error
