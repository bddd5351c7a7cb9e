"""One root error. The first line of a class's docstring is its default message and says the next step."""

from __future__ import annotations


class ZenError(Exception):
    """Something went wrong; run the command again with -v for details."""

    #: The exit code a command ends with when this error reaches it (table in docs/reference/exit-codes.md).
    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").split("\n", 1)[0])


class UsageError(ZenError):
    """The command was not understood; see --help."""

    exit_code = 2


class NotRunningError(ZenError):
    """The engine is not running; start it with: zen-agents run."""

    exit_code = 3


class NotAnsweringError(NotRunningError):
    """The engine lives and does not answer; look: zen-agents status."""


class RefusedError(ZenError):
    """A guard refused; see: zen-agents why --not CHECK."""

    exit_code = 4

    def __init__(self, message: str = "", *, reason: str = "") -> None:
        super().__init__(message)
        #: The word of `model.reason.Reason` it was refused for, "" if none fits.
        self.reason = reason


class ExpiredError(ZenError):
    """The answer came too late; nothing was run."""

    exit_code = 5


class BusyError(ZenError):
    """Another engine holds this state directory; stop it first, or give --state-dir."""

    exit_code = 75


class PermissionDeniedError(ZenError):
    """You may not do this; ask to be added to the group zen-ops."""

    exit_code = 77


class SettingsError(ZenError):
    """The configuration is not valid; run: zen-agents check-config."""

    exit_code = 78


class SchemaTooNewError(ZenError):
    """The state was written by a newer zen-agents; upgrade, or restore the copy that the message names."""

    exit_code = 78


class StoreError(ZenError):
    """The state cannot be read or written; look at the disk and at: zen-agents status."""


class HostError(ZenError):
    """The host could not be asked; the check that needed it is UNKNOWN."""


class ProcessGoneError(HostError):
    """The process that was asked about has ended; look again."""


class LogEncodingError(HostError):
    """The log is no UTF-8 text; have it written in UTF-8, or convert it with iconv."""


class StalePlanError(ZenError):
    """The target is no longer what the plan was made for; nothing was done."""

    exit_code = 4


class UnsafePathError(ZenError):
    """The path leaves its declared directory, crosses a mount or follows a link; nothing was done."""

    exit_code = 4


class ActionFailedError(ZenError):
    """The action ran and did not succeed; see: zen-agents actions show ID."""
