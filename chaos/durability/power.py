"""The power cut at any call: an engine's life is recorded, and what a cut may have left is looked at and started from."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.durability.campaign import Finding, Round, in_rounds
from chaos.durability.disk import Disk
from chaos.durability.disk_calls import Call, environment, read_calls
from chaos.durability.life import Life
from chaos.durability.lives import LIVES
from chaos.durability.recovery import broken, recover
from chaos.durability.scene import Scene
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind

#: Cuts of one recording before the next life is recorded, and how many of them a real engine is started on.
CUTS_A_ROUND = 84
STARTS_A_ROUND = 2


@dataclass(frozen=True, slots=True)
class Recording:
    """A life that was lived to its end, call by call, and the disk on which it began."""

    life: Life
    began_on: Disk
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes after so many calls; the seed says what of the rest is left."""

    after: int
    seed: int


def record(life: Life, folder: Path) -> Recording:
    """Live a life below a folder and return what it did to its disk; raises NoCompilerError."""
    scene = Scene(folder)
    try:
        life.configured(scene)
        life.before(scene)
        began_on = Disk(scene.disk)
        scene.environment = environment(scene.disk, journal=folder / "journal")
        life.course(scene)
    finally:
        scene.end()
    return Recording(life, began_on, tuple(read_calls(folder / "journal")))


def cuts(recording: Recording, count: int, seed: str) -> list[Cut]:
    """Return so many cuts of a recording, in their order."""
    chance = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    found = [Cut(chance.randrange(1, len(recording.calls) + 1), chance.getrandbits(32)) for _ in range(count)]
    return sorted(found, key=lambda cut: cut.after)


def images(recording: Recording, wanted: Iterable[Cut], folder: Path) -> Iterator[tuple[Cut, Path]]:
    """Yield what each cut, in their order, leaves of the disk; the image is gone when the next is asked for."""
    disk, fed = deepcopy(recording.began_on), 0
    for cut in wanted:
        disk.feed(recording.calls[fed : cut.after])
        fed = cut.after
        image = folder / f"{cut.after}-{cut.seed}"
        (image / "disk").mkdir(parents=True)
        disk.cut(Random(cut.seed), image / "disk")  # noqa: S311 - as above
        yield cut, image
        shutil.rmtree(image)


def look(recording: Recording, cut: Cut, image: Path) -> tuple[str, ...]:
    """Return what is wrong with what a cut left: what was acknowledged and is gone, and what the oracle says."""
    meant, ended = acknowledged(recording.calls[: cut.after])
    state = image / "disk" / "state"
    if not (state / "state.db").exists():
        return tuple(f"{id} was durable, and the whole state is gone" for id in meant)
    try:
        store = SqliteStore(state / "state.db")
        rows = {row.id: row for row in store.actions(limit=-1)}
        store.close()
    except StoreError as error:
        return (f"the state cannot be opened: {error}",)
    gone = [f"{id} was durable, and is gone" for id in meant if id not in rows]
    gone += [f"{id} had ended, and has not any more" for id in ended if id in rows and not rows[id].kind.is_final]
    return (*gone, *broken(state))


def start(recording: Recording, cut: Cut, image: Path) -> tuple[str, ...]:
    """Start a real engine on what a cut left, and return what is wrong once it has recovered."""
    meant, _ = acknowledged(recording.calls[: cut.after])
    scene = Scene(image)
    recording.life.configured(scene)
    try:
        return recover(scene, meant, whole=lambda: recording.life.whole(scene)).problems
    finally:
        scene.end()


def acknowledged(calls: Sequence[Call]) -> tuple[list[str], list[str]]:
    """Return the ids of actions that were meant and that ended: the log's lines are written once the state has them."""
    text = b"".join(call.data for call in calls if call.name == "write" and call.path.endswith("/state/actions.log"))
    lines = [line.split("\t") for line in text.decode(errors="replace").splitlines()]
    meant = [columns[3] for columns in lines if len(columns) > 7 and columns[2] == "INTENT"]
    ended = [columns[3] for columns in lines if len(columns) > 7 and columns[2] == "OUTCOME" and _is_final(columns[7])]
    return meant, ended


def _is_final(outcome: str) -> bool:
    return outcome.lower() in {kind.value for kind in OutcomeKind if kind.is_final}


def rounds(count: int, seed: int) -> list[Round]:
    """Return rounds of so many cuts in all, going through the lives in turn."""
    return in_rounds(count, seed, _go, most=CUTS_A_ROUND)


def _go(name: str, number: int, count: int, folder: Path) -> Finding:
    lives = [life for life in LIVES if life.all_seen]
    recording = record(lives[number % len(lives)], folder / "life")
    wanted = cuts(recording, count, name)
    started = set(Random(name).sample(wanted, min(STARTS_A_ROUND, count)))  # noqa: S311 - as above
    problems: list[str] = []
    for cut, image in images(recording, wanted, folder / "images"):
        found = look(recording, cut, image) + (start(recording, cut, image) if cut in started else ())
        problems += [f"{recording.life.name}, {cut}: {what}" for what in found]
    return Finding(name, count, tuple(problems), unfinished=_within_an_action(recording, wanted))


def _within_an_action(recording: Recording, wanted: Sequence[Cut]) -> int:
    """Return how many of the cuts fell between an intent and its outcome."""
    found = 0
    for cut in wanted:
        meant, ended = acknowledged(recording.calls[: cut.after])
        found += len(meant) > len(ended)
    return found
