"""Every sample gets the verdict that a Basis administrator would give it."""

from __future__ import annotations

import re

import pytest

from runbook_lib.sap.artifact import recognized
from runbook_lib.sap.finding import Finding, Line, Missing, Verdict, overall
from tests.sap import samples
from tests.sap.judging import JUDGES, OF_LETTER
from tests.sap.samples import FOLDER, sample

FAIL, PASS, UNDETERMINED = Verdict.FAIL, Verdict.PASS, Verdict.UNDETERMINED

# For each sample: the verdict, and every rule that is not a pass.
EXPECTED: dict[str, tuple[Verdict, set[str]]] = {
    "A1": (PASS, set()),
    "A2": (PASS, {"INDEX_GAP"}),
    "A3": (FAIL, {"PARAM_MISSPELT", "SMTP_SERVICE_ABSENT"}),
    "A4": (FAIL, {"PORT_MISSING", "TLS_0"}),
    "A5": (
        FAIL,
        {
            "INDEX_LEADING_ZERO",
            "PROT_INVALID",
            "TARGET_PORT",
            "TLS_INVALID",
            "SMTP_SERVICE_ABSENT",
            "ICM_NOT_STARTED",
        },
    ),
    "A6": (FAIL, {"PARAM_DUP", "SEP_SEMICOLON", "PORT_MISSING", "CIPHER_WEAK"}),
    "B1": (PASS, set()),
    "B2": (PASS, set()),
    "B3": (FAIL, {"RESTART_PENDING", "TLS_0"}),
    "B4": (UNDETERMINED, {"NO_PROFILE_READ"}),
    "B5": (FAIL, {"PARAMETER_UNKNOWN"}),
    "C1": (PASS, set()),
    "C2": (PASS, set()),
    "C3": (PASS, set()),
    "C4": (FAIL, {"SMTP_SERVICE_ABSENT"}),
    "D1": (PASS, set()),
    "D2": (FAIL, {"SERVICE_INACTIVE"}),
    "D3": (FAIL, {"SERVICE_MISSING"}),
    "D4": (PASS, set()),
    "F1": (PASS, {"OTHER_CLIENT_PSE"}),
    "F2": (FAIL, {"G2_MISSING"}),
    "F3": (FAIL, {"WRONG_PSE"}),
    "G1": (PASS, set()),
    "G2": (FAIL, {"AUTH"}),
    "G3": (FAIL, {"CONNECT"}),
    "G4": (FAIL, {"SEND_AS"}),
    "G5": (FAIL, {"QUEUE"}),
    "H1": (FAIL, {"PEER_UNTRUSTED"}),
    "H2": (FAIL, {"HOST_UNKNOWN"}),
    "H3": (FAIL, {"CONNECTION_REFUSED"}),
}

TYPED: list[tuple[str, str, Verdict, set[str]]] = [
    ("scot", samples.SCOT_GOOD, PASS, set()),
    (
        "scot",
        samples.SCOT_BAD_1,
        FAIL,
        {
            "HOST_IS_IP",
            "PORT_OTHER",
            "TLS_NOT_MANDATORY",
            "AUTH_OTHER",
            "PROFILE_EMPTY",
            "USER_IS_SAP_USER",
            "AREA_EMPTY",
        },
    ),
    (
        "scot",
        samples.SCOT_BAD_2,
        FAIL,
        {"HOST_OTHER", "PORT_OTHER", "TLS_NOT_MANDATORY", "USER_IS_ID", "AREA_NARROW"},
    ),
    ("sbcs", samples.SBCS_GOOD, PASS, set()),
    ("oauth client", samples.CLIENT_GOOD, PASS, set()),
    ("oauth client", samples.CLIENT_BAD_1, FAIL, {"ENDPOINT_V1", "SCOPE_OTHER"}),
    (
        "oauth client",
        samples.CLIENT_BAD_2,
        FAIL,
        {"ENDPOINT_COMMON", "SCOPE_DELEGATED"},
    ),
    ("arrangement", samples.ARRANGEMENT_GOOD, PASS, set()),
    ("components", samples.COMPONENTS_GOOD, PASS, set()),
    ("components", "SAP_BASIS|793|0002\n", FAIL, {"KERNEL_RELEASE"}),
    ("components", "S4CORE|108|0002\n", FAIL, {"BASIS_ROW_MISSING"}),
    ("components", "SAP_BASIS|740|0027\n", FAIL, {"BASIS_TOO_OLD"}),
    ("sicf", samples.SICF_GOOD, PASS, set()),
    ("sicf", "SAPconnect   inactive\n", FAIL, {"NODE_INACTIVE"}),
    ("connection", samples.TELNET_GOOD, PASS, set()),
    ("snote", samples.NOTE_GOOD, PASS, set()),
    ("snote", "3581654 Can be implemented\n", FAIL, {"NOTE_NOT_IMPLEMENTED"}),
    ("snote", "3592080 Completely implemented\n", UNDETERMINED, {"NOTE_NOT_NAMED"}),
    ("default domain", "Default Domain: contoso.com\n", PASS, set()),
]

RECOGNIZED = {
    "A": "profile",
    "B": "parameter value",
    "C": "parameter list",
    "D": "smicm",
    "F": "strust",
    "G": "sost",
    "H": "dev_icm",
}


def not_passed(findings: list[Finding]) -> set[str]:
    """Return the rules of the findings that are no pass."""
    return {f.rule for f in findings if f.verdict is not Verdict.PASS}


def test_every_sample_file_has_its_verdict() -> None:
    """No sample lies about without a test."""
    names = {path.name.partition("_")[0] for path in FOLDER.iterdir()}
    assert names == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_sample(name: str) -> None:
    """Verdict and rules are exactly those of the list."""
    findings = list(JUDGES[OF_LETTER[name[0]]](sample(name)))
    verdict, rules = EXPECTED[name]
    assert (overall(findings), not_passed(findings)) == (verdict, rules)


@pytest.mark.parametrize(("judge", "text", "verdict", "rules"), TYPED)
def test_typed_form(judge: str, text: str, verdict: Verdict, rules: set[str]) -> None:
    """Forms and short texts get exactly these verdicts and rules too."""
    findings = list(JUDGES[judge](text))
    assert (overall(findings), not_passed(findings)) == (verdict, rules)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_finding_cites_its_evidence(name: str) -> None:
    """A finding names a line that is in the text, or what is missing, and where."""
    text = sample(name)
    for finding in JUDGES[OF_LETTER[name[0]]](text):
        assert finding.says
        assert finding.source
        assert bool(finding.fix) or finding.verdict is Verdict.PASS
        if isinstance(finding.evidence, Missing):
            assert finding.evidence.what
            assert finding.evidence.where
        elif name != "C3":
            line = text.splitlines()[finding.evidence.number - 1]
            assert finding.evidence.text == line.rstrip()


@pytest.mark.parametrize("name", EXPECTED)
def test_sample_is_recognized(name: str) -> None:
    """A paste is known by its own signs."""
    assert recognized(sample(name)) == RECOGNIZED[name[0]]


def test_a_spreadsheet_counts_its_rows() -> None:
    """A line of Excel 2003 XML is a row."""
    (finding,) = JUDGES["parameter list"](sample("C3"))
    assert isinstance(finding.evidence, Line)
    assert finding.evidence.number == 2


def test_the_misprint_of_the_guide_is_named() -> None:
    """Whoever pastes the guide's own line is told that the guide is wrong."""
    finding = JUDGES["profile"](sample("A3"))[0]
    assert "icm/server_port_1" in finding.fix
    assert "the guide prints a hyphen" in finding.fix


def test_a_trace_names_the_missing_ca_and_the_likely_host() -> None:
    """The fix is in the finding: which CA, which name."""
    (untrusted,) = JUDGES["dev_icm"](sample("H1"))
    assert re.search(
        r"smtp\.office365\.com:587.*CN=DigiCert Global Root G2", untrusted.says
    )
    (unknown,) = JUDGES["dev_icm"](sample("H2"))
    assert "Was smtp.office365.com meant?" in unknown.says
