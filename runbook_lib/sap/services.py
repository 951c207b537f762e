"""SMICM > Goto > Services: the services that ICM really runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_lib.sap.finding import Finding, Line, failed, passed, unclear
from runbook_lib.sap.sources import INFERENCE, QUICK_GUIDE
from runbook_lib.sap.sources import SMICM as SMICM_HELP
from runbook_lib.sap.table import Row, read_table

SMICM = "SMICM, Services"

SERVICE_ACTIVE = passed(
    "SERVICE_ACTIVE", "The SMTP service is active on {host}, port {port}.", SMICM_HELP
)
SERVICE_SEND_ONLY = passed(
    "SERVICE_SEND_ONLY",
    "Its port is 0: it sends, and opens no port for mail to come in.",
    QUICK_GUIDE,
)
SERVICE_INACTIVE = failed(
    "SERVICE_INACTIVE",
    "The SMTP service on {host} is not active.",
    "Activate it in SMICM (Service > Activate); look in dev_icm why it did not start "
    "(often the port is taken).",
    SMICM_HELP,
)
SERVICE_MISSING = failed(
    "SERVICE_MISSING",
    "ICM runs no SMTP service.",
    "Set icm/server_port_<n> in the instance profile, activate it, restart ICM.",
    f"{SMICM_HELP}; {QUICK_GUIDE}",
)
ACTIVE_UNCLEAR = unclear(
    "ACTIVE_UNCLEAR",
    "The text does not show whether the SMTP service on {host} is active.",
    "Save the list with the column Active (System > List > Save).",
    INFERENCE,
)
SERVICES_NOT_READ = unclear(
    "SERVICES_NOT_READ",
    "The text is not a list with the columns Protocol and Service Name/Port.",
    "SMICM > Goto > Services, then System > List > Save > Local File.",
    INFERENCE,
)
HOST_NOT_COVERED = unclear(
    "HOST_NOT_COVERED",
    "The list says nothing about application server {host}, where the send job may "
    "run.",
    "Hand in the list of that server too.",
    QUICK_GUIDE,
)

HEADINGS = {
    "protocol": ("Protocol", "Protokoll", "Prot."),
    "port": ("Service Name/Port", "Service Name / Port", "Servicename/Port", "Port"),
    "host": ("Host Name", "Hostname", "Host"),
    "active": ("Actv", "Active", "Aktiv", "Act."),
    "index": ("No.", "Nr."),
}
_ACTIVE = frozenset({"x", "@5b@", "@08@", "active", "aktiv", "yes", "ja", "true", "✓"})
_INACTIVE = frozenset({"", "-", "@5c@", "@0a@", "inactive", "inaktiv", "no", "nein"})


@dataclass(frozen=True)
class IcmService:
    """The SMTP service on one host; `active` is None where the list does not say."""

    host: str
    port: str
    active: bool | None
    line: Line


@dataclass(frozen=True)
class Services:
    """The SMTP services of the list, and the findings."""

    smtp: tuple[IcmService, ...]
    findings: tuple[Finding, ...]

    def covering(self, hosts: Sequence[str]) -> Services:
        """Return the same with a finding for each of these hosts that has no row."""
        found = (*self.findings, *_uncovered(self.smtp, hosts))
        return Services(self.smtp, found)


def judge_services(text: str) -> Services:
    """Judge the list of one or more application servers."""
    table = read_table(text, HEADINGS, frozenset({"protocol", "port"}), SMICM)
    if table is None:
        finding = SERVICES_NOT_READ.missing("column Protocol", SMICM)
        return Services((), (finding,))
    shown = "active" in table.columns
    rows = [row for row in table.rows if row["protocol"].upper() == "SMTP"]
    smtp = tuple(_service(row, shown=shown) for row in rows)
    if not smtp:
        where = f"{SMICM} ({len(table.rows)} rows)"
        return Services((), (SERVICE_MISSING.missing("row SMTP", where),))
    findings = [finding for service in smtp for finding in _judged(service)]
    return Services(smtp, tuple(findings))


def _service(row: Row, *, shown: bool) -> IcmService:
    mark = row["active"].casefold()
    active = True if mark in _ACTIVE else False if mark in _INACTIVE else None
    return IcmService(
        host=row["host"] or "the host",
        port=row["port"],
        active=active if shown else None,
        line=row.line,
    )


def _judged(service: IcmService) -> list[Finding]:
    values = {"host": service.host, "port": service.port}
    if service.active is None:
        return [ACTIVE_UNCLEAR.at(service.line, **values)]
    if not service.active:
        return [SERVICE_INACTIVE.at(service.line, **values)]
    findings = [SERVICE_ACTIVE.at(service.line, **values)]
    if service.port == "0":
        findings.append(SERVICE_SEND_ONLY.at(service.line))
    return findings


def _uncovered(smtp: Sequence[IcmService], hosts: Sequence[str]) -> list[Finding]:
    seen = {service.host.casefold().split(".")[0] for service in smtp}
    return [
        HOST_NOT_COVERED.missing(f"row SMTP of {host}", SMICM, host=host)
        for host in hosts
        if host.casefold().split(".")[0] not in seen
    ]
