"""HTTP Basic authentication (RFC 7617), once: a wrong password is not tried again."""

from __future__ import annotations

import base64
from collections.abc import Callable

from runbook_lib.secret import Mask, Secret


class BasicSignIn:
    """A user and where the password stands; it is read when it is first needed.

    A system locks a user after a few wrong passwords. So whoever is refused says
    so, and nobody sends this password again in the run.
    """

    def __init__(self, user: str, password: Callable[[], Secret], mask: Mask) -> None:
        """Sign in as `user`; `password` is called once, when it is first needed."""
        self.user = user
        self.refused = False
        self._password = password
        self._mask = mask
        self._header: str | None = None

    def header(self) -> str:
        """Return the value of the header Authorization.

        Raises:
            InputError, CannotLook: the password's reference leads to none.
        """
        if self._header is None:
            password = self._mask.add(self._password())
            pair = f"{self.user}:{password.reveal()}".encode()
            encoded = base64.b64encode(pair).decode()
            self._mask.add(Secret(encoded))
            self._header = f"Basic {encoded}"
        return self._header
