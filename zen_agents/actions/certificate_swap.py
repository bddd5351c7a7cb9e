"""Putting a new certificate in the place of the present one: looked at first, swapped in one step, then loaded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from zen_agents.actions.certificate_params import RenewalParams
from zen_agents.actions.reload_service import ANSWER_SECONDS, reload_server
from zen_agents.actions.replacing import replaceable
from zen_agents.actions.scope import file_name, in_thread, parent_of
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import Effect
from zen_agents.model.certificate import Certificate, CertificateQuestion, Seen
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_files import FileState

#: A server that has been reloaded shows the new certificate within this (seconds), or its check says that it does not.
_SHOWN_WITHIN_SECONDS = 10.0
_POLL_SECONDS = 0.5
_DAY_SECONDS = 86400.0
#: A file that is to be replaced, and the copy that will take its place.
_Pair = tuple[FileState, FileState]


def unfit(new: Seen, present: Certificate | None, *, now: float, at_least_seconds: float) -> str:
    """Return why a new certificate must not take the present one's place, "" if it may; who issued it is not judged."""
    if new.certificate is None or new.fault or new.untold:
        return new.fault or new.untold or "it is no certificate"
    if present is not None and new.certificate.not_after <= present.not_after:
        return "it lasts no longer than the present one"
    if new.certificate.not_after - now <= at_least_seconds:
        days = (new.certificate.not_after - now) / _DAY_SECONDS
        return f"it lasts only {days:.1f} days and would be renewed again at once; lower renew_before"
    return ""


def is_by_another(new: Seen, present: Certificate | None) -> bool:
    """Tell whether another authority issued it than the present one."""
    return new.certificate is not None and present is not None and new.certificate.authority != present.authority


async def swap(params: RenewalParams, new: Seen, *, action: str, control: HostControl) -> tuple[str, ...]:
    """Put the new files in place and return the quarantine's ids of the old ones.

    The key goes first: until the certificate follows, the present one is still seen as about to end, and whoever comes after
    an engine that was killed in between swaps again. What is compared is the copy that will be used (R5).
    """
    pairs = [(params.made, params.file)]
    if params.key:
        pairs.insert(0, (params.made_key or params.made, params.key))
    staged = await in_thread(lambda go_on: _stage(pairs, control, go_on), control)
    try:
        copies = {old.path: copy.path for old, copy in staged}
        question = params.at(copies[params.file], copies.get(params.key, ""))
        seen = (await control.view.certificate(question, ANSWER_SECONDS)).file
        if seen is None or seen.fault or seen.untold or seen.certificate != new.certificate:
            raise StalePlanError(f"{params.made} changed while it was looked at; nothing was done")
        return await in_thread(lambda go_on: _swap(staged, action, control, go_on), control)
    except BaseException:
        # What cannot be removed now is removed at the next start.
        with contextlib.suppress(HostError, RefusedError, StalePlanError, UnsafePathError):
            await in_thread(lambda _: _discard(staged, control), control)
        raise


def _stage(pairs: list[tuple[str, str]], control: HostControl, go_on: Callable[[], None]) -> list[_Pair]:
    staged: list[_Pair] = []
    try:
        for source, path in pairs:
            go_on()
            view = control.view
            present, content = replaceable(path, view), view.content(view.real_path(source))
            if present is None or content is None:
                raise StalePlanError(f"{path if present is None else source} is not there any more; nothing was done")
            with control.open_directory(parent_of(path)) as parent:
                staged.append((present, parent.stage(content, present)))
    except BaseException:
        _discard(staged, control)
        raise
    return staged


def _discard(staged: list[_Pair], control: HostControl) -> None:
    for present, copy in staged:
        with control.open_directory(parent_of(present.path)) as parent:
            parent.discard(copy)


def _swap(staged: list[_Pair], action: str, control: HostControl, go_on: Callable[[], None]) -> tuple[str, ...]:
    kept = []
    for present, copy in staged:
        go_on()
        with control.open_directory(parent_of(present.path)) as parent:
            kept.append(parent.swap(copy, present, file_name(present.path), action=action))
    return tuple(kept)


async def load(params: RenewalParams, new: Certificate, control: HostControl, notes: list[str]) -> Effect:
    """Have the server load what lies in its file, and compare what it then shows."""
    if params.reload is not None:
        told = await reload_server(params.reload, control)
        notes.append(told.detail)
        if not told.ok:
            return replace(told, detail="; ".join(notes))
    shown = await _shown(params.question, new, control) if params.server else None
    if shown is not None:
        notes.append(f"{params.server} shows serial {shown}")
    ok = shown is None or shown == new.serial
    return Effect(ok, "; ".join(notes), after=f"serial {new.serial}")


async def _shown(question: CertificateQuestion, new: Certificate, control: HostControl) -> str:
    """Return the serial that is shown, as soon as it is the new one or when the time is over."""
    only_server = replace(question, file="", key="", chain="")
    serial = "unknown"
    for _ in range(int(_SHOWN_WITHIN_SECONDS / _POLL_SECONDS)):
        seen = (await control.view.certificate(only_server, ANSWER_SECONDS)).server
        if seen is not None and seen.certificate is not None:
            serial = seen.certificate.serial
        if serial == new.serial:
            break
        await asyncio.sleep(_POLL_SECONDS)
    return serial
