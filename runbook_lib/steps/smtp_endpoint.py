"""An SMTP host as a sender needs it: what is expected, and what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook_lib.engine.expect import OneOf, State
from runbook_lib.engine.step import Observation
from runbook_lib.sap.endpoint import PROPERTIES, SenderView

if TYPE_CHECKING:  # the clients: closing and audit do without them
    from runbook_lib.clients.dns import Answer
    from runbook_lib.clients.smtp import EndpointFacts


def endpoint_expected() -> State:
    """Return what every sender needs of the host, with a sign-in or without."""
    return {
        "resolves": True,
        "connects": True,
        "STARTTLS": True,
        "TLS": OneOf(("TLSv1.2", "TLSv1.3")),
        "certificate": "trusted",
    }


def endpoint_seen(facts: EndpointFacts) -> State:
    """Return those of them that a host which answered showed."""
    return {
        "connects": True,
        "STARTTLS": facts.starttls,
        "TLS": facts.tls_version,
        "certificate": "trusted" if facts.certificate else None,
    }


def endpoint_facts(answer: Answer, facts: EndpointFacts) -> State:
    """Return what the record keeps of the name and of the connection."""
    return {
        "addresses": list(answer.values),
        "peer": facts.peer,
        "banner": facts.banner,
        "cipher": facts.cipher,
        "certificate": facts.certificate,
        "size": facts.size,
    }


def overlaid(here: Observation, view: SenderView) -> Observation:
    """Return the sender's view, with what it does not show taken from here."""
    seen = {k: v for k, v in view.properties.items() if v is not None}
    missing = [name for name in PROPERTIES if name not in seen]
    advice = f"Not seen from the SAP host: {', '.join(missing)}." if missing else None
    return Observation(
        {**here.properties, **seen},
        context={"seen from this machine": here.properties or None},
        vantage=view.vantage,
        advice=advice,
        facts=here.facts,
    )
