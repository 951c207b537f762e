"""One tenant: the values of its YAML file, checked, without I/O to any service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from runbook_lib.cloud import PROFILES, Cloud, Profile
from runbook_lib.tenant_fields import Address, Domain, Model, Reference, TimeZone
from runbook_lib.tenant_sap import SapMail, SapSide
from runbook_lib.yamlfile import read_model

_CONNECT = re.compile(r"(?P<host>\S+):(?P<port>\d+) -> (?P<to>\S+):(?P<to_port>\d+)")


class Operator(Model):
    """The application that the run signs in as. Its secret is a reference."""

    client_id: UUID
    secret: Reference


class Recipients(Model):
    """Where test messages go: never anywhere else."""

    internal: Address
    external: Address


LONGEST_WINDOW = 7 * 24 * 3600
Seconds = Annotated[float, Field(ge=0, le=LONGEST_WINDOW, allow_inf_nan=False)]


class Windows(Model):
    """How long to look again, in seconds, after a write.

    `visibility`: until a written object is readable. `effect`: until a
    permission works (Exchange Online: 30 to 120 minutes). `trace`: until a
    message shows in the message trace.
    """

    visibility: Seconds = 120
    effect: Seconds = 7200
    trace: Seconds = 1800


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
            host=match["host"].lower(),
            port=_port(match["port"]),
            address=address,
            address_port=_port(match["to_port"]),
        )


def _port(text: str) -> int:
    if not 0 < int(text) < 65536:
        raise ValueError(f"{text} is not a port")
    return int(text)


def is_loopback(address: str) -> bool:
    """Tell whether a text is an IP address in 127.0.0.0/8 or ::1."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _route(text: str) -> str:
    ConnectTo.parse(text)
    return text


Route = Annotated[str, AfterValidator(_route)]


class Endpoints(Model):
    """Host names that the runbooks talk to, from the cloud's profile."""

    login: str
    graph: str
    exchange: str
    exchange_scope: str
    smtp: str
    mx: str


def asked_of(profile: Profile) -> set[str]:
    """Return what every run asks of a cloud: `host:port`, and `dns:53`."""
    https = (profile.login, profile.graph, profile.exchange)
    hosts = {f"{host.value}:443" for host in https}
    return hosts | {f"{profile.smtp.value}:587", "dns:53"}


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
    sap_time_zone: TimeZone = ""
    sap_mail: SapMail = SapMail()
    sap: SapSide = SapSide()
    connect_to: tuple[Route, ...] = Field(default=(), validate_default=True)
    ca_file: str | None = Field(default=None, validate_default=True)
    proxy: str | None = None

    @field_validator("connect_to", "ca_file")
    @classmethod
    def _sandbox_only(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("target") == "real" and value:
            raise ValueError("for target: sandbox only")
        return value

    @field_validator("connect_to")
    @classmethod
    def _whole(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse a sandbox of which one endpoint would be the real one."""
        known = info.data
        if known.get("target") == "sandbox" and "cloud" in known:
            routes = [ConnectTo.parse(text) for text in value]
            asked = asked_of(PROFILES[known["cloud"]])
            side = known["sap"].places() if "sap" in known else {}
            asked |= {f"{host}:{port}" for host, port in side.values()}
            missing = asked - {f"{route.host}:{route.port}" for route in routes}
            if missing:
                raise ValueError(
                    "a sandbox target needs every endpoint; "
                    f"missing: {', '.join(sorted(missing))}"
                )
        return value

    @field_validator("ca_file")
    @classmethod
    def _authority(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("target") == "sandbox" and not value:
            raise ValueError("a sandbox target needs its authority's file")
        return value

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
            "operator": str(self.operator.client_id),
            "change_reference": self.change_reference or None,
            **self.sap.declared(),
        }


def read_tenant(path: Path) -> Tenant:
    """Read a tenant file.

    Raises:
        InputError: the file is missing or not YAML, or a key is unknown,
            missing or wrong; the message names key, file and line.
    """
    return read_model(path, Tenant, what="tenant file")
