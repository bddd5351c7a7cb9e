"""Which reserved actions have certainly not begun, so that the engine after one that was killed need not wait for them.

A mark is made before the intent is written and removed before the deed: where one still lies there, nothing was done. It is
in the kernel's hands alone and survives the engine's death, but no power cut; so it names its boot, and says nothing in
another one. Where none could be made, or it cannot be believed, the action is verified as always.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from zen_agents.errors import HostError

_MARK = ".unbegun-"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class UnbegunActions:
    """The marks in `running/` of a state directory, believed for one boot."""

    def __init__(self, state_dir: Path, boot: str) -> None:
        self._directory, self._boot = state_dir / "running", boot

    def note(self, action: str) -> None:
        """Note that an action has not begun; on a full disk nothing is noted."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._mark(action), _NEW_FILE, 0o600)
            try:
                os.write(descriptor, self._boot.encode("ascii"))
            finally:
                os.close(descriptor)

    def begin(self, action: str) -> None:
        """Remove the mark: from now on it may have begun. HostError where that is not certain; nothing may be done then."""
        try:
            self._mark(action).unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"{self._mark(action)} cannot be removed: {error.strerror}; nothing was done") from error

    def holds(self, action: str) -> bool:
        """Tell whether an action has certainly not begun; False where that cannot be told."""
        try:
            return self._boot != "" and self._mark(action).read_text(encoding="ascii") == self._boot
        except (OSError, UnicodeDecodeError):
            return False

    def clear(self) -> None:
        """Remove all marks: whoever was to be judged by them is."""
        for mark in self._directory.glob(f"{_MARK}*"):
            with contextlib.suppress(OSError):
                mark.unlink()

    def _mark(self, action: str) -> Path:
        return self._directory / f"{_MARK}{action}"
