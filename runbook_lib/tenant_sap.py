"""The tenant file's sections on SAP: where it is asked, and what it sends."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from runbook_lib.tenant_fields import Address, Model, Reference


def _url(text: str) -> str:
    """Return a URL of a host, with its port where it has one, and nothing else."""
    parts = urlsplit(text)
    host = (parts.hostname or "").lower()
    port = f":{parts.port}" if parts.port else ""  # ValueError: no port number
    plain = f"{parts.scheme}://{host}{port}"
    if not host or text.rstrip("/").lower() != plain:
        raise ValueError("not a URL of a host, without path, user or query")
    return plain


def _start_service(text: str) -> str:
    url = _url(text)
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or parts.port is None:
        raise ValueError("not of the form https://HOST:5<nr>14 (http: 5<nr>13)")
    return url


def _environment(text: str) -> str:
    url = _url(text)
    if urlsplit(url).scheme != "https":
        raise ValueError("not an https URL")
    return url


User = Annotated[str, Field(pattern=r"^[^\s:]{1,64}$")]


class SapControlService(Model):
    """The start service of an instance (sapstartsrv), and who signs in.

    Without user and password only what the service does not protect is read. A
    password is never sent without TLS, so a URL with http has none.
    """

    url: Annotated[str, AfterValidator(_start_service)]
    user: User | None = None
    password: Reference | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password stand together")
        if self.user and self.url.startswith("http:"):
            raise ValueError("with http there is no user: a password needs https")
        return self


class BtpEnvironment(Model):
    """A BTP ABAP environment, and the communication user that reads there."""

    url: Annotated[str, AfterValidator(_environment)]
    user: User
    password: Reference


class SapSide(Model):
    """What can be asked beside the people: all of it is optional."""

    sapcontrol: SapControlService | None = None
    btp: BtpEnvironment | None = None

    def places(self) -> dict[str, tuple[str, int]]:
        """Return host and port of each service that is named, by its key."""
        urls = {
            "sapcontrol": self.sapcontrol and self.sapcontrol.url,
            "btp": self.btp and self.btp.url,
        }
        return {key: _place(url) for key, url in urls.items() if url}

    def within(self) -> frozenset[tuple[str, int]]:
        """Return what stands in the own network, and is reached without a proxy."""
        return frozenset(p for key, p in self.places().items() if key == "sapcontrol")

    def without_tls(self) -> frozenset[tuple[str, int]]:
        """Return what may be read without TLS: a start service whose URL says so."""
        plain = self.sapcontrol and self.sapcontrol.url.startswith("http:")
        return self.within() if plain else frozenset()

    def declared(self) -> dict[str, object]:
        """Return what the record's header tells: `sap`, with the URLs, if any."""
        sides = {"sapcontrol": self.sapcontrol, "btp": self.btp}
        urls = {key: side.url for key, side in sides.items() if side}
        return {"sap": urls} if urls else {}


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443


Count = Annotated[int, Field(ge=0)]


class SapMail(Model):
    """What SAP will send, as its owners say; null where nobody said it.

    `senders` are From addresses beside the mailbox's. Volumes are of the busiest
    day and minute; `external_per_day` counts recipients outside the organization,
    `licenses` the tenant's Exchange Online licenses, 0 for a trial.
    """

    senders: tuple[Address, ...] = ()
    recipients_per_day: Count | None = None
    external_per_day: Count | None = None
    messages_per_minute: Count | None = None
    licenses: Count | None = None
