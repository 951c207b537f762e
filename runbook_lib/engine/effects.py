"""Probes that leave something behind: a message, or a credential for a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from runbook_lib.engine.expect import State
from runbook_lib.engine.step import Observation, Probe
from runbook_lib.secret import Secret

if TYPE_CHECKING:  # the clients: closing and audit do without them
    from runbook_lib.session import Session


Act = Callable[["Session", Callable[[], None]], State]


@dataclass(frozen=True)
class MessageProbe(Probe):
    """Sends a message, once in a run, and then follows it by reading.

    A step that sends one has `act`; one that sends several has `parts`.
    """

    effect: ClassVar[Literal["none", "message", "credential"]] = "message"

    def act(self, session: Session, sending: Callable[[], None]) -> State:
        """Send the message; return what is known of it (Message-ID, last reply).

        `sending` is called when all is ready and the message itself goes out
        next: what ends before it may be done again, what ends after it may not.
        """
        raise NotImplementedError

    def parts(self) -> Mapping[str, Act]:
        """Return what sends each message, by a name that the record keeps."""
        return {"": self.act}

    def follow(self, session: Session, sent: State) -> Observation:
        """Look where the message is; `sent` is what `act` returned.

        It is empty where an earlier attempt ended between sending and writing
        down: the message may have been sent, and is not sent again. With several
        messages it holds that of each under its name.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class CredentialProbe(Probe):
    """Borrows a credential, proves something with it, and gives it back.

    Off by default, in apply only, and removed whatever happens.
    """

    effect: ClassVar[Literal["none", "message", "credential"]] = "credential"

    def borrow(self, session: Session) -> tuple[str, Secret]:
        """Create the credential; return its keyId and its value."""
        raise NotImplementedError

    def give_back(self, session: Session, key_id: str) -> None:
        """Remove the credential; one that is gone is no fault."""
        raise NotImplementedError

    def left(self, session: Session, run: str) -> list[str]:
        """Return the keyIds of what a run borrowed and did not give back."""
        raise NotImplementedError

    def observe_with(self, session: Session, secret: Secret) -> Observation:
        """Do the real thing with the borrowed credential."""
        raise NotImplementedError
