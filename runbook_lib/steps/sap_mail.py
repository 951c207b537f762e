"""Attestations about mail in SAP: OAuth 2.0 client, SMTP node, default domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from runbook_lib.engine.step import Evidence
from runbook_lib.sap.artifact import Artifact, Kind
from runbook_lib.sap.contradiction import judge_configuration_name, judge_screens
from runbook_lib.sap.default_domain import judge_default_domain, read_default_domain
from runbook_lib.sap.finding import passed
from runbook_lib.sap.form import Form
from runbook_lib.sap.mail_node import SBCS, SCOT, judge_configuration, read_node
from runbook_lib.sap.oauth_client import judge_client, read_client
from runbook_lib.sap.sources import INFERENCE
from runbook_lib.sap.wanted import WantedClient, WantedNode
from runbook_lib.session import Session
from runbook_lib.steps.sap_evidence import Judged, SapAttestation, of_kind
from runbook_lib.steps.sap_host import SAP

SCREENS_AGREE = passed(
    "SCREENS_AGREE", "The screens that were handed in do not differ.", INFERENCE
)


def wanted_client(session: Session, app_id: str, credential: str) -> WantedClient:
    """Return what the OAuth 2.0 client has to hold, from the tenant."""
    return WantedClient(
        login=session.tenant.endpoints.login,
        tenant_id=str(session.tenant.tenant_id),
        app_id=app_id,
        scope=session.tenant.endpoints.exchange_scope,
        credential=cast("Literal['secret', 'certificate']", credential),
    )


@dataclass(frozen=True)
class OAuthClientConfigured(SapAttestation):
    """The OAuth 2.0 client in SAP has the application's values, and got a token.

    The evidence is the typed form of SOAUTH2_CLIENT (or OA2C_CONFIG) with the
    Scopes tab and the result of Request Token. The profile is BCS_MAIL or your
    own.

    Source: guide, "SAP S/4HANA on-premises …", step 5.
    """

    title: ClassVar[str] = "OAuth 2.0 client in SAP"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("SOAUTH2_CLIENT",)
    app_id: str
    credential: str = "secret"

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the form against the application."""
        wanted = wanted_client(session, self.app_id, self.credential)
        texts = of_kind(found, Kind.OAUTH_CLIENT)
        findings = [
            f for text in texts for f in judge_client(read_client(text), wanted)
        ]
        return {"SOAUTH2_CLIENT": findings}


@dataclass(frozen=True)
class SmtpConfigured(SapAttestation):
    """SBCS_MAIL_CONFIGSMTP with Modify legacy SMTP node, or SCOT, has the values.

    Where both screens, or the OAuth 2.0 client as well, were handed in, they have
    to agree.

    Source: guide, "SAP S/4HANA on-premises …", steps 6 and 7.
    """

    title: ClassVar[str] = "SMTP configuration in SAP"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("mail configuration", "agreement")
    mailbox: str
    host: str

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the screens, each and together."""
        sbcs = _form(of_kind(found, Kind.SBCS), SBCS)
        scot = _form(of_kind(found, Kind.SCOT), SCOT)
        clients = of_kind(found, Kind.OAUTH_CLIENT)
        client = read_client(clients[0]) if clients else None
        wanted = WantedNode.of_submission(self.host, self.mailbox)
        differing = judge_screens(sbcs, scot)
        differing += judge_configuration_name(sbcs or scot, client)
        agree = SCREENS_AGREE.missing("difference", "everything handed in")
        return {
            "mail configuration": judge_configuration(sbcs, scot, wanted),
            "agreement": differing or [agree],
        }


def _form(texts: Sequence[str], place: str) -> Form | None:
    return read_node(texts[0], place) if texts else None


@dataclass(frozen=True)
class DefaultDomainSet(SapAttestation):
    """The default domain of SAPconnect is a domain of the tenant.

    Source: SAP Help, Default Domain; SAP Quick Guide to SMTP Configuration.
    """

    title: ClassVar[str] = "Default domain in SAP"
    guide: ClassVar[str] = SAP
    topics: ClassVar[tuple[str, ...]] = ("default domain",)
    domain: str

    def judge(
        self, session: Session, found: Sequence[Artifact], evidence: Evidence
    ) -> Judged:
        """Judge the field, or a text that is nothing but a domain name."""
        forms = of_kind(found, Kind.DEFAULT_DOMAIN)
        texts = forms or of_kind(found, Kind.UNKNOWN)
        domains = [self.domain, session.tenant.initial_domain]
        findings = [
            finding
            for text in texts
            for finding in judge_default_domain(read_default_domain(text), domains)
        ]
        return {"default domain": findings}
