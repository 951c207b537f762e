"""Communication management of a BTP ABAP environment, by OData V4."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

ARRANGEMENT = "0a6cc3a2-5f0b-1fe1-a0b0-000000000001"
SYSTEM = "0a6cc3a2-5f0b-1fe1-a0b0-000000000002"
USER = "0a6cc3a2-5f0b-1fe1-a0b0-000000000003"
APP = "11111111-aaaa-0000-0000-000000000001"
SCOPE = "https://outlook.office365.com/.default"
ENDPOINT = "login.microsoftonline.com/11111111-2222-3333-4444-555555555555"

Row = dict[str, Any]
Key = tuple[str, str]
_PATH = re.compile(
    r"/sap/opu/odata4/sap/(?P<group>\w+)/srvd_a2x/sap/(?P<service>\w+)/0001/(?P<set>\w+)"
)
_FILTER = re.compile(r"(?P<name>\w+) eq (?:'(?P<text>[^']*)'|(?P<bare>[\w-]+))")
CA, CS = "aps_com_ca_a4c_odata", "aps_com_cs_a4c_odata"


def rows() -> dict[Key, list[Row]]:
    """Return the entities of an environment that is set up as the guide says."""
    of_arrangement = {"CommunicationArrangementUUID": ARRANGEMENT}
    return {
        (CA, "CommunicationArrangements"): [
            {
                "UUID": ARRANGEMENT,
                "Name": "EXO_MAIL",
                "CommunicationScenarioID": "SAP_COM_0548",
                "CommunicationSystemID": "EXO_SMTP",
                "ChangedBy": "CB9980000042",
            }
        ],
        (CA, "OutboundUserAuthScopes"): [{**of_arrangement, "Scope": SCOPE}],
        (CA, "PropertyValues"): [
            {**of_arrangement, "Name": "OAUTH_USER", "Value": "sap@contoso.com"}
        ],
        (CA, "OutboundUsers"): [
            {**of_arrangement, "CommunicationSystemOutboundUserUUID": USER}
        ],
        (CS, "CommunicationSystems"): [
            {
                "UUID": SYSTEM,
                "ID": "EXO_SMTP",
                "Name": "EXO_SMTP",
                "HostName": "smtp.office365.com",
                "TCPPort": 587,
                "OAuth2TokenEndpoint": f"{ENDPOINT}/oauth2/v2.0/token",
                "SAPCloudConnectorActive": False,
            }
        ],
        (CS, "OutboundUsers"): [
            {
                "UUID": USER,
                "CommunicationSystemUUID": SYSTEM,
                "OAuth2ClientID": APP,
                "AuthenticationMethod": "oauth2",
                "OAuth2ClientAuthenticationMethod": "jwt",
            }
        ],
    }


@dataclass
class Environment:
    """Answers filters on its entities; those not there are not offered."""

    entities: dict[Key, list[Row]] = field(default_factory=rows)
    authorization: str = ""
    requests: list[httpx.Request] = field(default_factory=list)
    page: int = 100

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        if request.headers.get("authorization") != self.authorization:
            return httpx.Response(401, text="Logon failed")
        found = _PATH.fullmatch(request.url.path)
        assert request.method == "GET"
        assert found is not None, request.url
        assert found["group"] == found["service"]
        entities = self.entities.get((found["service"], found["set"]))
        if entities is None:
            error = {"code": "/IWBEP/CM_V4_COS/021", "message": "not found"}
            return httpx.Response(404, json={"error": error})
        return self._page(request, entities)

    def _page(self, request: httpx.Request, entities: list[Row]) -> httpx.Response:
        asked = _FILTER.fullmatch(request.url.params["$filter"])
        assert asked is not None, request.url
        wanted = asked["text"] if asked["bare"] is None else asked["bare"]
        kept = [row for row in entities if row.get(asked["name"]) == wanted]
        start = int(request.url.params.get("$skiptoken", "0"))
        body: Row = {"value": kept[start : start + self.page]}
        if start + self.page < len(kept):
            following = request.url.copy_set_param("$skiptoken", start + self.page)
            body["@odata.nextLink"] = str(following)
        return httpx.Response(200, json=body)
