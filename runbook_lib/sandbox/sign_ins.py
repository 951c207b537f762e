"""Sign-ins of people that are under way or over: codes and refresh tokens.

All of it is memory of the process; nothing is part of a tenant's configuration.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

CODE_SECONDS = 600  # validity of an authorization code
DEVICE_SECONDS = 900
REFRESH_SECONDS = 90 * 24 * 3600
MOST_KEPT = 10_000

# Letters of a user code: none that is read as another.
_USER_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Grant:
    """What a person allowed a client: in which tenant, for which scopes."""

    tenant_id: str
    user_id: str
    client_id: str
    scope: str
    nonce: str | None = None


@dataclass
class DeviceCode:
    """A device code, and what became of it: `grant`, or `declined`."""

    tenant_id: str | None
    client_id: str
    scope: str
    user_code: str
    expires: float
    grant: Grant | None = None
    declined: bool = False


@dataclass(frozen=True)
class AuthorizationCode:
    """An authorization code, bound to a redirect address and a PKCE challenge."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    method: str | None
    expires: float


Kept = TypeVar("Kept")


@dataclass
class _Store(Generic[Kept]):
    """Values by a random text; the oldest go where there are too many."""

    values: dict[str, Kept] = field(default_factory=dict)

    def put(self, value: Kept) -> str:
        """Keep a value; return the text that stands for it."""
        if len(self.values) >= MOST_KEPT:
            del self.values[next(iter(self.values))]
        key = secrets.token_urlsafe(48)
        self.values[key] = value
        return key


@dataclass
class SignIns:
    """All codes and refresh tokens of one sandbox."""

    devices: _Store[DeviceCode] = field(default_factory=_Store)
    codes: _Store[AuthorizationCode] = field(default_factory=_Store)
    refresh: _Store[Grant] = field(default_factory=_Store)
    redeemed: dict[str, None] = field(default_factory=dict)

    def new_device_code(
        self, tenant_id: str | None, client_id: str, scope: str
    ) -> tuple[str, DeviceCode]:
        """Begin a device sign-in; return the device code and its entry."""
        letters = (secrets.choice(_USER_CODE_LETTERS) for _ in range(9))
        end = time.time() + DEVICE_SECONDS
        entry = DeviceCode(tenant_id, client_id, scope, "".join(letters), end)
        return self.devices.put(entry), entry

    def device_with(self, user_code: str) -> DeviceCode | None:
        """Return the device sign-in that a person was given this code for."""
        wanted = user_code.strip().upper()
        found = (e for e in self.devices.values.values() if e.user_code == wanted)
        return next(found, None)

    def take_code(self, code: str) -> AuthorizationCode | None:
        """Return an authorization code's entry, once."""
        entry = self.codes.values.pop(code, None)
        if entry is not None:
            self.redeemed[code] = None
            if len(self.redeemed) > MOST_KEPT:
                del self.redeemed[next(iter(self.redeemed))]
        return entry
