"""One tenant: the values of its YAML file, checked, without I/O to any service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from runbook_lib.cloud import PROFILES, Cloud, Profile
from runbook_lib.errors import InputError
from runbook_lib.secret import SecretReference
from runbook_lib.yamlfile import read_model

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_CONNECT = re.compile(r"(?P<host>\S+):(?P<port>\d+) -> (?P<to>\S+):(?P<to_port>\d+)")


def _domain(text: str) -> str:
    labels = text.lower().split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a domain name such as contoso.com")
    return text.lower()


def _address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or re.search(r"[\s<>]", local):
        raise ValueError("not an email address such as sap@contoso.com")
    return f"{local}@{_domain(domain)}"


def _reference(text: str) -> str:
    try:
        return str(SecretReference.parse(text))
    except InputError as error:
        raise ValueError(f"{error.message}. {error.remedy}") from None


Domain = Annotated[str, AfterValidator(_domain)]
Address = Annotated[str, AfterValidator(_address)]
Reference = Annotated[str, AfterValidator(_reference)]


class Model(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Operator(Model):
    """The application that the run signs in as. Its secret is a reference."""

    client_id: UUID
    secret: Reference


class Recipients(Model):
    """Where test messages go: never anywhere else."""

    internal: Address
    external: Address


class Windows(Model):
    """How long to look again, in seconds, after a write.

    `visibility`: until a written object is readable. `effect`: until a
    permission works (Exchange Online: 30 to 120 minutes). `trace`: until a
    message shows in the message trace.
    """

    visibility: float = Field(default=120, ge=0)
    effect: float = Field(default=7200, ge=0)
    trace: float = Field(default=1800, ge=0)


class ConnectTo(Model):
    """`host:port -> address:port`: where a host of the sandbox really listens."""

    host: str
    port: int
    address: str
    address_port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port -> address:port`; the address is on loopback."""
        match = _CONNECT.fullmatch(text.strip())
        if match is None:
            raise ValueError('not of the form "host:port -> address:port"')
        address = match["to"].strip("[]")
        if not is_loopback(address):
            raise ValueError(f"{address} is not a loopback address")
        return cls(
            host=match["host"],
            port=int(match["port"]),
            address=address,
            address_port=int(match["to_port"]),
        )


def is_loopback(address: str) -> bool:
    """Tell whether a text is an IP address in 127.0.0.0/8 or ::1."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class Endpoints(Model):
    """Host names that the runbooks talk to, from the cloud's profile."""

    login: str
    graph: str
    exchange: str
    exchange_scope: str
    smtp: str
    mx: str


class Tenant(Model):
    """The tenant file. Keys say what they are; secrets stand as references."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    tenant_id: UUID
    cloud: Cloud = Cloud.GLOBAL
    target: Literal["sandbox", "real"]
    initial_domain: Domain
    domain: Domain
    mailbox: Address
    operator: Operator
    recipients: Recipients
    secret_sink: Reference
    windows: Windows = Windows()
    change_reference: str = ""
    evidence_folder: str = ""
    connect_to: tuple[str, ...] = ()
    ca_file: str | None = None
    proxy: str | None = None

    @model_validator(mode="after")
    def _sandbox_only(self) -> Self:
        routes = self.routes()
        if self.target == "real" and (routes or self.ca_file):
            raise ValueError("connect_to and ca_file are for target: sandbox only")
        if self.target == "sandbox":
            needed = {self.endpoints.login, self.endpoints.graph}
            needed |= {self.endpoints.exchange, self.endpoints.smtp}
            missing = needed - {route.host for route in routes}
            if missing or not self.ca_file:
                what = ", ".join(sorted(missing)) or "ca_file"
                raise ValueError(
                    f"a sandbox target needs connect_to for every endpoint and "
                    f"ca_file; missing: {what}"
                )
        return self

    def routes(self) -> tuple[ConnectTo, ...]:
        """Return `connect_to`, read."""
        return tuple(ConnectTo.parse(text) for text in self.connect_to)

    @property
    def profile(self) -> Profile:
        """Return the endpoint profile of the cloud, with sources and doubts."""
        return PROFILES[self.cloud]

    @property
    def endpoints(self) -> Endpoints:
        """Return the host names to talk to."""
        profile = self.profile
        return Endpoints(
            login=profile.login.value,
            graph=profile.graph.value,
            exchange=profile.exchange.value,
            exchange_scope=profile.exchange_scope.value,
            smtp=profile.smtp.value,
            mx=f"{self.domain.replace('.', '-')}.{profile.mx_suffix.value}",
        )

    def declared(self) -> Mapping[str, object]:
        """Return what the record's header tells of the tenant: no references."""
        return {
            "name": self.name,
            "tenant_id": str(self.tenant_id),
            "cloud": str(self.cloud),
            "target": self.target,
            "mailbox": self.mailbox,
            "change_reference": self.change_reference or None,
        }


def read_tenant(path: Path) -> Tenant:
    """Read a tenant file.

    Raises:
        InputError: the file is missing or not YAML, or a key is unknown,
            missing or wrong; the message names key, file and line.
    """
    return read_model(path, Tenant, what="tenant file")
