"""Communication management of a BTP ABAP environment, by OData V4, read only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.odata import ODataReader, Row
from runbook_lib.errors import ServiceRefused

SERVICE = "Communication management"
MAIL_SCENARIO = "SAP_COM_0548"
ARRANGEMENTS = "aps_com_ca_a4c_odata"
SYSTEMS = "aps_com_cs_a4c_odata"

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# No source names the property that holds the name of a property.
_PROPERTY_NAMES = ("Name", "PropertyName", "PropertyID", "ID")
PERMISSION = (
    "Make the user the inbound user of a communication arrangement for SAP_COM_0A48, "
    "and check its password: it is locked after a few wrong ones."
)


@dataclass(frozen=True)
class OutboundUser:
    """How the environment signs in to a communication system; None: not shown.

    `method` is `oauth2`, `basic`, `x509`, …; `client_authentication` is `jwt`,
    `basic` or `mtls`.
    """

    method: str | None
    client_id: str | None
    client_authentication: str | None
    id: str | None = None


NO_USER = OutboundUser(method="none", client_id=None, client_authentication=None)


@dataclass(frozen=True)
class CommunicationSystem:
    """The other side of an arrangement; None where a value is not shown."""

    id: str
    host: str | None
    port: str | None
    token_endpoint: str | None
    cloud_connector: bool | None
    outbound_users: tuple[OutboundUser, ...] | None


@dataclass(frozen=True)
class Arrangement:
    """A communication arrangement with its system; None where not shown.

    `properties` are the additional properties by their technical names.
    """

    name: str
    scenario: str
    system: CommunicationSystem | None
    outbound_user: OutboundUser | None
    scopes: tuple[str, ...] | None
    properties: Mapping[str, str] | None = field(default=None)


class BtpCommunication:
    """Reads communication arrangements and systems.

    A release may lack an entity or name its properties otherwise: what cannot be
    read so is None in the result, and no error.

    Beside what a method names, each raises NotPermitted, ServiceRefused,
    CannotLook, UnknownReply, Unreachable, UntrustedCertificate.

    Source: SAP Help, SAP BTP ABAP environment: Communication Management
    Integration (SAP_COM_0A48), communication arrangement and communication system.
    """

    def __init__(self, http: httpx.Client, url: str, sign_in: BasicSignIn) -> None:
        """Ask the environment at `https://HOST` as a communication user."""
        self.url = url.rstrip("/")
        self._reader = ODataReader(http, SERVICE, sign_in, permission=PERMISSION)

    def arrangements(self, scenario: str = MAIL_SCENARIO) -> tuple[Arrangement, ...]:
        """Return the arrangements of a scenario, each with its system and user."""
        rows = self._required(
            ARRANGEMENTS,
            "CommunicationArrangements",
            f"CommunicationScenarioID eq '{scenario}'",
        )
        return tuple(
            self._arrangement(row)
            for row in rows
            if _text(row, "CommunicationScenarioID") == scenario
        )

    def _arrangement(self, row: Row) -> Arrangement:
        uuid = _uuid(row)
        system = self._system(_text(row, "CommunicationSystemID") or "")
        return Arrangement(
            name=_text(row, "Name", "CommunicationArrangementName") or "",
            scenario=_text(row, "CommunicationScenarioID") or "",
            system=system,
            outbound_user=self._outbound_user(uuid, system),
            scopes=self._scopes(uuid),
            properties=self._properties(uuid),
        )

    def _system(self, name: str) -> CommunicationSystem | None:
        if not name:
            return None
        quoted = name.replace("'", "''")
        rows = self._required(SYSTEMS, "CommunicationSystems", f"ID eq '{quoted}'")
        row = next((row for row in rows if _text(row, "ID") == name), None)
        if row is None:
            return None
        return CommunicationSystem(
            id=name,
            host=_text(row, "HostName"),
            port=_text(row, "TCPPort"),
            token_endpoint=_text(row, "OAuth2TokenEndpoint"),
            cloud_connector=_flag(
                row, "SAPCloudConnectorActive", "IsSAPCloudConnectorActive"
            ),
            outbound_users=self._users_of(_uuid(row)),
        )

    def _users_of(self, system: str | None) -> tuple[OutboundUser, ...] | None:
        rows = self._of(SYSTEMS, "OutboundUsers", "CommunicationSystemUUID", system)
        return None if rows is None else tuple(_outbound_user(row) for row in rows)

    def _outbound_user(
        self, arrangement: str | None, system: CommunicationSystem | None
    ) -> OutboundUser | None:
        """Return the user that the arrangement names among those of its system.

        Where it is not shown which, the system's only one is taken.
        """
        users = (system.outbound_users if system else None) or ()
        found = self._of_arrangement("OutboundUsers", arrangement)
        if found is None:
            return users[0] if len(users) == 1 else None
        if not found:
            return NO_USER
        keys = ("CommunicationSystemOutboundUserUUID", "OAuth2ClientID")
        named = {value for row in found for key in keys if (value := _text(row, key))}
        mine = [user for user in users if named & {user.id, user.client_id}]
        return mine[0] if len(mine) == 1 else None

    def _scopes(self, arrangement: str | None) -> tuple[str, ...] | None:
        rows = self._of_arrangement("OutboundUserAuthScopes", arrangement)
        if rows is None:
            return None
        return tuple(value for row in rows if (value := _scope(row)))

    def _properties(self, arrangement: str | None) -> Mapping[str, str] | None:
        rows = self._of_arrangement("PropertyValues", arrangement)
        if rows is None:
            return None
        named = [(_text(row, *_PROPERTY_NAMES), _text(row, "Value")) for row in rows]
        return {name: value or "" for name, value in named if name}

    def _of_arrangement(
        self, entities: str, arrangement: str | None
    ) -> list[Row] | None:
        key = "CommunicationArrangementUUID"
        return self._of(ARRANGEMENTS, entities, key, arrangement)

    def _of(
        self, service: str, entities: str, key: str, value: str | None
    ) -> list[Row] | None:
        """Return the entities whose `key` is the UUID; None where not offered."""
        if value is None:
            return None
        rows = self._reader.rows(self._target(service, entities), f"{key} eq {value}")
        if rows is None:
            return None
        return [row for row in rows if _text(row, key) == value]

    def _required(self, service: str, entities: str, filtered: str) -> list[Row]:
        rows = self._reader.rows(self._target(service, entities), filtered)
        if rows is None:
            raise ServiceRefused(
                f"{self.url} does not offer {entities} of {service}.",
                code="NotOffered",
                remedy="Make a communication arrangement for SAP_COM_0A48 with this "
                "user, or hand in what the screens show.",
            )
        return rows

    def _target(self, service: str, entities: str) -> str:
        base = f"{self.url}/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{service}/0001"
        return f"{base}/{entities}"


def _outbound_user(row: Row) -> OutboundUser:
    return OutboundUser(
        method=_text(row, "AuthenticationMethod", "AuthMethod"),
        client_id=_text(row, "OAuth2ClientID"),
        client_authentication=_text(row, "OAuth2ClientAuthenticationMethod"),
        id=_text(row, "UUID"),
    )


def _scope(row: Row) -> str | None:
    """Return the scope of a row; no source names the property that holds it."""
    names = [name for name in row if "scope" in name.casefold()]
    texts = [value for name in names if (value := _text(row, name))]
    return next((text for text in texts if not _UUID.fullmatch(text)), None)


def _text(row: Row, *names: str) -> str | None:
    """Return the first of these properties that is there, as text."""
    value = next((row[name] for name in names if row.get(name) is not None), None)
    return str(value) if isinstance(value, str | int) else None


def _flag(row: Row, *names: str) -> bool | None:
    value = next((row[name] for name in names if row.get(name) is not None), None)
    return value if isinstance(value, bool) else None


def _uuid(row: Row) -> str | None:
    """Return the key of a row; what is no UUID goes into no filter."""
    value = _text(row, "UUID") or ""
    return value if _UUID.fullmatch(value) else None
