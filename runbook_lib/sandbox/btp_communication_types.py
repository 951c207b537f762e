"""The entities of communication management: properties, keys, relations, metadata.

SAP publishes the names of the entity sets and most of those of communication
systems; `UNCERTAIN` are names that were read nowhere. The technical name of the
property “OAuth User” is among the values, not here: it is unknown too.

Source: SAP Help, BTP ABAP environment, "Communication System - Read and Write
Integration", "Communication Arrangement - Read and Write Integration" (SAP_COM_0A48);
field reports of clients for properties and relations.
"""

from dataclasses import dataclass, field

SYSTEMS = "aps_com_cs_a4c_odata"
ARRANGEMENTS = "aps_com_ca_a4c_odata"

GUID, TEXT, NUMBER, FLAG = "Edm.Guid", "Edm.String", "Edm.Int32", "Edm.Boolean"


@dataclass(frozen=True)
class Relation:
    """A relation to another set of the service: pairs of own and other property."""

    target: str
    joins: tuple[tuple[str, str], ...]
    many: bool = True


@dataclass(frozen=True)
class EntitySet:
    """One entity set: keys, properties with their types, relations by name."""

    keys: tuple[str, ...]
    properties: dict[str, str]
    relations: dict[str, Relation] = field(default_factory=dict)


_ARRANGEMENT = "CommunicationArrangementUUID"
_OF_ARRANGEMENT = ((_ARRANGEMENT, _ARRANGEMENT),)
_TO_ARRANGEMENT = (("UUID", _ARRANGEMENT),)

SERVICES: dict[str, dict[str, EntitySet]] = {
    SYSTEMS: {
        "CommunicationSystems": EntitySet(
            ("UUID",),
            {
                "UUID": GUID,
                "ID": TEXT,
                "Name": TEXT,
                "Description": TEXT,
                "Type": TEXT,
                "HostName": TEXT,
                "TCPPort": NUMBER,
                "IsInboundOnly": FLAG,
                "IsOwnSystem": FLAG,
                "IsSAPCloudConnectorActive": FLAG,
                "CipherSuites": TEXT,
                "OAuth2AuthorizationEndpoint": TEXT,
                "OAuth2TokenEndpoint": TEXT,
            },
            {
                "OutboundUsers": Relation(
                    "OutboundUsers", (("UUID", "CommunicationSystemUUID"),)
                )
            },
        ),
        "OutboundUsers": EntitySet(
            ("UUID",),
            {
                "UUID": GUID,
                "CommunicationSystemUUID": GUID,
                "Name": TEXT,
                "AuthenticationMethod": TEXT,
                "OAuth2ClientID": TEXT,
                "OAuth2ClientAuthenticationMethod": TEXT,
                "CertificateID": TEXT,
            },
        ),
    },
    ARRANGEMENTS: {
        "CommunicationArrangements": EntitySet(
            ("UUID",),
            {
                "UUID": GUID,
                "Name": TEXT,
                "Description": TEXT,
                "CommunicationScenarioID": TEXT,
                "CommunicationSystemID": TEXT,
            },
            {
                "OutboundUser": Relation("OutboundUsers", _TO_ARRANGEMENT, many=False),
                "OutboundServices": Relation("OutboundServices", _TO_ARRANGEMENT),
                "Properties": Relation("Properties", _TO_ARRANGEMENT),
            },
        ),
        "OutboundUsers": EntitySet(
            (_ARRANGEMENT,),
            {_ARRANGEMENT: GUID, "CommunicationSystemOutboundUserUUID": GUID},
            {
                "OutboundUserAuthScopes": Relation(
                    "OutboundUserAuthScopes", _OF_ARRANGEMENT
                )
            },
        ),
        "OutboundUserAuthScopes": EntitySet(
            (_ARRANGEMENT, "AuthScope"), {_ARRANGEMENT: GUID, "AuthScope": TEXT}
        ),
        "OutboundServices": EntitySet(
            (_ARRANGEMENT, "ID"), {_ARRANGEMENT: GUID, "ID": TEXT, "Status": TEXT}
        ),
        "Properties": EntitySet(
            (_ARRANGEMENT, "ID"),
            {_ARRANGEMENT: GUID, "ID": TEXT},
            {
                "PropertyValues": Relation(
                    "PropertyValues", (*_OF_ARRANGEMENT, ("ID", "PropertyID"))
                )
            },
        ),
        "PropertyValues": EntitySet(
            (_ARRANGEMENT, "PropertyID", "Value"),
            {_ARRANGEMENT: GUID, "PropertyID": TEXT, "Value": TEXT},
        ),
    },
}

# Names that stand in no source.
UNCERTAIN = (
    "IsSAPCloudConnectorActive",
    "AuthScope",
    "PropertyID",
    "Value",
    "OutboundUserAuthScopes (as a relation)",
    "PropertyValues (as a relation)",
)


def metadata_of(service: str) -> str:
    """Return the metadata of a service as XML (OData CSDL 4.0)."""
    namespace = f"com.sap.gateway.srvd_a2x.{service}.v0001"
    sets = SERVICES[service]
    types = "".join(_type(namespace, name, one) for name, one in sets.items())
    container = "".join(_set(namespace, name, one) for name, one in sets.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        f'<edmx:DataServices><Schema Namespace="{namespace}"'
        ' xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{types}<EntityContainer Name="Container">{container}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def _type(namespace: str, name: str, one: EntitySet) -> str:
    """Describe the type of an entity set."""
    keys = "".join(f'<PropertyRef Name="{key}"/>' for key in one.keys)
    properties = "".join(
        _property(name, kind, name in one.keys) for name, kind in one.properties.items()
    )
    relations = "".join(
        f'<NavigationProperty Name="{name}" Type="{_target(namespace, relation)}"/>'
        for name, relation in one.relations.items()
    )
    inside = f"<Key>{keys}</Key>{properties}{relations}"
    return f'<EntityType Name="{name}Type">{inside}</EntityType>'


def _property(name: str, kind: str, key: bool) -> str:
    """Describe a property; a key is never null."""
    never_null = ' Nullable="false"' if key else ""
    return f'<Property Name="{name}" Type="{kind}"{never_null}/>'


def _target(namespace: str, relation: Relation) -> str:
    """Name the type that a relation leads to."""
    one = f"{namespace}.{relation.target}Type"
    return f"Collection({one})" if relation.many else one


def _set(namespace: str, name: str, one: EntitySet) -> str:
    """Describe an entity set and where its relations lead."""
    bindings = "".join(
        f'<NavigationPropertyBinding Path="{path}" Target="{relation.target}"/>'
        for path, relation in one.relations.items()
    )
    kind = f"{namespace}.{name}Type"
    return f'<EntitySet Name="{name}" EntityType="{kind}">{bindings}</EntitySet>'
