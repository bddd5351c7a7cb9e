"""Putting a new certificate in the place of the present one: looked at first, swapped in one step, then loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zen_agents.actions.certificate_params import RenewalParams
from zen_agents.actions.reload_service import ANSWER_SECONDS, ended, reload_step
from zen_agents.actions.scope import in_thread
from zen_agents.errors import StalePlanError
from zen_agents.model.action import Effect
from zen_agents.model.certificate import Certificate, CertificateQuestion, Seen
from zen_agents.ports.host import FileState, HostControl

#: A server that has been reloaded shows the new certificate within this (seconds), or its check says that it does not.
_SHOWN_WITHIN_SECONDS = 10.0
_POLL_SECONDS = 0.5
_DAY_SECONDS = 86400.0


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
    except BaseException:
        await in_thread(lambda _: _discard(staged, control), control)
        raise
    return await in_thread(lambda go_on: _replace(staged, action, control, go_on), control)


def _stage(
    pairs: list[tuple[str, str]], control: HostControl, go_on: Callable[[], None]
) -> list[tuple[FileState, FileState]]:
    staged: list[tuple[FileState, FileState]] = []
    view = control.view
    try:
        for source, path in pairs:
            go_on()
            present = view.file(path)
            if present is None:
                raise StalePlanError(f"{path} is not there any more; nothing was done")
            staged.append((present, control.stage_file(source, present)))
    except BaseException:
        _discard(staged, control)
        raise
    return staged


def _discard(staged: list[tuple[FileState, FileState]], control: HostControl) -> None:
    for _, copy in staged:
        control.discard_staged(copy)


def _replace(
    staged: list[tuple[FileState, FileState]], action: str, control: HostControl, go_on: Callable[[], None]
) -> tuple[str, ...]:
    kept = []
    for present, copy in staged:
        go_on()
        kept.append(control.replace_file(present, copy, action=action))
    return tuple(kept)


async def load(params: RenewalParams, new: Certificate, control: HostControl, notes: list[str]) -> Effect:
    """Have the server load what lies in its file, and compare what it then shows."""
    if params.reload is not None:
        result = await control.run(params.reload.command)
        notes.append(f"{reload_step(params.reload)}: {ended(result)}")
        if result.exit_code != 0 or result.timed_out:
            return Effect(False, "; ".join(notes), exit_code=result.exit_code, output=result.output)
    shown = await _shown(params.question, new, control) if params.server else None
    if shown is not None:
        notes.append(f"{params.server} shows serial {shown}")
    ok = shown is None or shown == new.serial
    return Effect(ok, "; ".join(notes), after=f"serial {new.serial}")


async def _shown(question: CertificateQuestion, new: Certificate, control: HostControl) -> str:
    """Return the serial that is shown, as soon as it is the new one or when the time is over."""
    only_server = CertificateQuestion(server=question.server, name=question.name, authority=question.authority)
    serial = "unknown"
    for _ in range(int(_SHOWN_WITHIN_SECONDS / _POLL_SECONDS)):
        seen = (await control.view.certificate(only_server, ANSWER_SECONDS)).server
        if seen is not None and seen.certificate is not None:
            serial = seen.certificate.serial
        if serial == new.serial:
            break
        await asyncio.sleep(_POLL_SECONDS)
    return serial
