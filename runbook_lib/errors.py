"""Errors that a person can act on.

Every foreseeable fault is a `RunbookError`: one sentence that names what is
wrong and where, one remedy, and never a stack trace in a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class RunbookError(Exception):
    """A foreseeable fault, with the sentence and the remedy to show.

    `remedy` is one sentence, or None where none is known. `exit_code` is what
    the command line ends with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        """Keep the sentence and the remedy."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def lines(self) -> list[str]:
        """Return the one or two lines that a person reads."""
        return [self.message, *([f"Remedy: {self.remedy}"] if self.remedy else [])]

    def _render_traceback_(self) -> list[str]:
        """Show our lines instead of a stack (IPython's custom-error protocol)."""
        return self.lines()


class InputError(RunbookError):
    """A parameter, file or reference given by a person is wrong."""

    exit_code = 2


class RecordBroken(RunbookError):
    """A record does not hold together: chain, sums or ledger."""

    exit_code = 6


class Refused(RunbookError):
    """The run would do what it may not do; nothing was written."""

    exit_code = 5


class StepStopped(RunbookError):
    """A step of an apply or rollback run failed, so nothing further is written."""


class CannotLook(RunbookError):
    """A service could not be read: the step ends `error`, never `failed`.

    `facts` is what was measured (status, code, request ids): plain values,
    masked, fit for the record.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Keep the sentence, the remedy and the measured facts."""
        super().__init__(message, remedy=remedy)
        self.facts = dict(facts or {})


class Unreachable(CannotLook):
    """No connection: name resolution, TCP, time-out."""


class UntrustedCertificate(CannotLook):
    """The peer's certificate is not trusted or does not carry its name."""


class NotPermitted(CannotLook):
    """The operator may not do this: HTTP 401 or 403, or a cmdlet not allowed."""


class UnknownReply(CannotLook):
    """The service answered something that no source describes."""


class ServiceRefused(CannotLook):
    """The service understood and refused; nothing was written.

    `code` is the service's own error code: Graph's `error.code`, the .NET type
    of an Exchange error, `AADSTS…`, or an SMTP reply such as `535 5.7.139`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        remedy: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Keep the service's own code beside the sentence."""
        super().__init__(message, remedy=remedy, facts=facts)
        self.code = code


class TokenRefused(ServiceRefused):
    """Microsoft Entra ID issued no token; `code` is `AADSTS<number>`."""


class SmtpRefused(ServiceRefused):
    """An SMTP server refused; `code` is `<reply> <enhanced>`, as `535 5.7.3`."""


class OutcomeUnknown(CannotLook):
    """A write was sent and its effect is unknown: 5xx, reset or time-out.

    A client never repeats such a write. The engine observes first.
    """
