"""A burst of numbered messages, as SAP sends them: what is refused is sent again."""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.relay.site import Site

SENDER, INBOX = "sap@contoso.com", "inbox@contoso.com"


@dataclass
class Burst:
    """Numbered messages through a relay; `acknowledged` are those it took.

    A message without a 250 is sent again until there is one, so an acknowledged
    number may have been taken twice, and none is given up.
    """

    address: tuple[str, int]
    trust: ssl.SSLContext
    number: int
    source: str = "127.0.0.1"
    host: str = "relay1.contoso.com"
    acknowledged: set[int] = field(default_factory=set)
    patience: float = 90.0

    def __post_init__(self) -> None:
        """Stand in line."""
        self._next = iter(range(self.number))
        self._lock = threading.Lock()

    def send(
        self, workers: int = 4, while_sending: Callable[[], None] | None = None
    ) -> None:
        """Send all; `while_sending` runs beside it, to break something."""
        threads = [threading.Thread(target=self._work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        if while_sending is not None:
            while_sending()
        for thread in threads:
            thread.join()

    def reached(self, number: int) -> None:
        """Wait until so many were acknowledged."""
        deadline = time.monotonic() + self.patience
        while len(self.acknowledged) < number:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {number}"
            time.sleep(0.01)

    def _take(self) -> int | None:
        with self._lock:
            return next(self._next, None)

    def _work(self) -> None:
        deadline = time.monotonic() + self.patience
        while (number := self._take()) is not None:
            while not self._sent(number) and time.monotonic() < deadline:
                time.sleep(0.1)

    def _sent(self, number: int) -> bool:
        """Hand one message over; tell whether it was acknowledged."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = SENDER, INBOX, str(number)
        message["Message-ID"] = f"<{number}@burst.contoso.com>"
        message.set_content("x" * 60)
        try:
            with self._connected() as client:
                client.send_message(message)
        except (OSError, smtplib.SMTPException):
            return False
        with self._lock:
            self.acknowledged.add(number)
        return True

    def _connected(self) -> smtplib.SMTP:
        client = smtplib.SMTP(
            local_hostname="sap1.contoso.com",
            timeout=10,
            source_address=(self.source, 0),
        )
        client.connect(*self.address, source_address=(self.source, 0))
        client._host = self.host  # type: ignore[attr-defined]
        client.starttls(context=self.trust)
        return client


def trust_of(site: Site) -> ssl.SSLContext:
    """Return a context that trusts the relay's authority."""
    context = ssl.create_default_context()
    site.authority.configure_trust(context)
    return context


def arrived(subjects: list[str]) -> Counter[int]:
    """Return how often each number arrived."""
    return Counter(int(subject) for subject in subjects)
