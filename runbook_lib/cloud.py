"""Endpoint profiles of the Microsoft clouds: data, with source and doubt per value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

LEARN = "Microsoft Learn"
FIELD = "field reports; not confirmed by Microsoft documentation"
MEMORY = "from memory; confirm before use"


class Cloud(StrEnum):
    """The national clouds that have Exchange Online."""

    GLOBAL = "global"
    GCC_HIGH = "gcc-high"
    DOD = "dod"
    CHINA = "china"


@dataclass(frozen=True)
class Sourced:
    """A value, where it was read, and whether that source is doubtful."""

    value: str
    source: str = LEARN
    doubtful: bool = False


def _doubt(value: str, source: str) -> Sourced:
    return Sourced(value, source, doubtful=True)


@dataclass(frozen=True)
class Profile:
    """Host names of one cloud; each field is a `Sourced` host or scope."""

    login: Sourced
    graph: Sourced
    exchange: Sourced
    exchange_scope: Sourced
    smtp: Sourced
    mx_suffix: Sourced
    spf_include: Sourced

    def doubts(self) -> dict[str, str]:
        """Return the doubtful values: field name to source."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: v.source for name, v in values.items() if v.doubtful}


PROFILES = {
    Cloud.GLOBAL: Profile(
        login=Sourced("login.microsoftonline.com"),
        graph=Sourced("graph.microsoft.com"),
        exchange=Sourced("outlook.office365.com"),
        exchange_scope=Sourced("https://outlook.office365.com/.default"),
        smtp=Sourced("smtp.office365.com"),
        mx_suffix=Sourced("mail.protection.outlook.com"),
        spf_include=Sourced("spf.protection.outlook.com"),
    ),
    Cloud.GCC_HIGH: Profile(
        login=Sourced("login.microsoftonline.us"),
        graph=Sourced("graph.microsoft.us"),
        exchange=Sourced("outlook.office365.us"),
        exchange_scope=Sourced("https://outlook.office365.us/.default", "ScubaGear"),
        smtp=_doubt("smtp.office365.us", FIELD),
        mx_suffix=Sourced("mail.protection.office365.us"),
        spf_include=_doubt("spf.protection.office365.us", MEMORY),
    ),
    Cloud.DOD: Profile(
        login=Sourced("login.microsoftonline.us"),
        graph=Sourced("dod-graph.microsoft.us"),
        exchange=Sourced("outlook-dod.office365.us"),
        exchange_scope=Sourced(
            "https://outlook-dod.office365.us/.default", "ScubaGear"
        ),
        smtp=_doubt("outlook-dod.office365.us", FIELD),
        mx_suffix=_doubt("mail.protection.office365.us", MEMORY),
        spf_include=_doubt("spf.protection.office365.us", MEMORY),
    ),
    Cloud.CHINA: Profile(
        login=Sourced("login.chinacloudapi.cn"),
        graph=Sourced("microsoftgraph.chinacloudapi.cn"),
        exchange=Sourced("outlook.office365.cn"),
        exchange_scope=_doubt("https://partner.outlook.cn/.default", FIELD),
        smtp=_doubt("smtp.partner.outlook.cn", MEMORY),
        mx_suffix=_doubt("mail.protection.partner.outlook.cn", MEMORY),
        spf_include=_doubt("spf.protection.partner.outlook.cn", MEMORY),
    ),
}
