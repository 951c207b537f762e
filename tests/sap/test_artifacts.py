"""What a paste is, and several in one."""

from __future__ import annotations

import pytest

from runbook_lib.sap.artifact import Artifact, Kind, artifacts, recognized
from tests.sap import samples
from tests.sap.samples import sample


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (samples.SBCS_GOOD, Kind.SBCS),
        (samples.SCOT_GOOD, Kind.SCOT),
        (samples.CLIENT_GOOD, Kind.OAUTH_CLIENT),
        (samples.ARRANGEMENT_GOOD, Kind.ARRANGEMENT),
        (samples.SICF_GOOD, Kind.SERVICE_TREE),
        (samples.TELNET_GOOD, Kind.CONNECTION),
        (samples.COMPONENTS_GOOD, Kind.COMPONENTS),
        (samples.NOTE_GOOD, Kind.NOTE),
        ("default_domain: contoso.com", Kind.DEFAULT_DOMAIN),
        ("icm/server-port-1 = PROT=SMTP", Kind.PROFILE),
        ("done as requested", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
    ],
)
def test_a_text_is_recognized(text: str, kind: Kind) -> None:
    """Each artifact has signs of its own."""
    assert recognized(text) is kind


def test_several_in_one_text() -> None:
    """A line names the next artifact; what stands before it is recognised."""
    text = (
        f"{sample('A1')}\n--- SMICM ---\n{sample('D1')}\n=== RZ11 ===\n{sample('B2')}"
    )
    found = artifacts([text, samples.NOTE_GOOD])
    assert [artifact.kind for artifact in found] == [
        Kind.PROFILE,
        Kind.SERVICES,
        Kind.PARAMETER_VALUE,
        Kind.NOTE,
    ]
    assert "25000" in found[1].text
    assert "Current Value" not in found[1].text


def test_a_line_of_dashes_is_no_heading() -> None:
    """Only the names of artifacts begin a new one."""
    text = f"--- see below ---\n{sample('D1')}"
    assert [a.kind for a in artifacts([text])] == [Kind.SERVICES]


def test_blank_texts_are_left_out() -> None:
    """An evidence without text has no artifact."""
    assert artifacts(["", " \n"]) == []
    assert artifacts(["x"]) == [Artifact(Kind.UNKNOWN, "x")]
