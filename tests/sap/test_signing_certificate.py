"""The exported certificate of SAP's signing key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from runbook_lib.sap.finding import Verdict, overall
from runbook_lib.sap.signing_certificate import judge_certificate
from tests.sap import certificates as made
from tests.sap.mutating import profile_of
from tests.sap.samples import NOW

FAIL, PASS = Verdict.FAIL, Verdict.PASS
OLD = (datetime(2015, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
SOON = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC))
LATER = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))

EXPORTS: list[tuple[str, Callable[[], bytes], Verdict, set[str]]] = [
    ("E1", lambda: made.pem(made.certificate()), PASS, {"CERTIFICATE_USABLE"}),
    ("E2", lambda: made.pem(made.certificate(None, *OLD)), FAIL, {"EXPIRED"}),
    ("E3", lambda: made.pem(made.certificate(made.dsa_key())), FAIL, {"KEY_NOT_RSA"}),
    ("E4", lambda: made.pem(made.certificate(made.key(1024))), FAIL, {"KEY_SHORT"}),
    (
        "E5",
        lambda: made.pem(made.certificate()) + made.private_key(),
        FAIL,
        {"PRIVATE_KEY_PRESENT"},
    ),
    (
        "E6",
        lambda: made.bare(made.certificate()),
        PASS,
        {"NO_ARMOR", "CERTIFICATE_USABLE"},
    ),
    (
        "E7",
        lambda: made.der(made.certificate()),
        PASS,
        {"BINARY", "CERTIFICATE_USABLE"},
    ),
    ("E8", lambda: made.container(made.certificate()), FAIL, {"CONTAINER"}),
    ("E9", lambda: made.pem(made.certificate())[:-200], FAIL, {"UNPARSABLE"}),
    ("request", made.request, FAIL, {"OTHER_KIND"}),
    ("chain", lambda: made.pem(made.certificate()) * 2, FAIL, {"SEVERAL"}),
    (
        "later",
        lambda: made.pem(made.certificate(None, *LATER)),
        FAIL,
        {"NOT_YET_VALID"},
    ),
    (
        "soon",
        lambda: made.pem(made.certificate(None, *SOON)),
        PASS,
        {"NEARLY_EXPIRED", "CERTIFICATE_USABLE"},
    ),
    ("nothing", lambda: b"", FAIL, {"UNPARSABLE"}),
    ("words", lambda: b"see attachment", FAIL, {"UNPARSABLE"}),
]


@pytest.mark.parametrize(
    ("export", "verdict", "rules"),
    [pytest.param(*rest, id=name) for name, *rest in EXPORTS],
)
def test_export(export: Callable[[], bytes], verdict: Verdict, rules: set[str]) -> None:
    """Each export gets exactly its rules."""
    findings = judge_certificate(export(), now=NOW).findings
    assert {finding.rule for finding in findings} == rules
    assert overall(findings) is verdict


@pytest.mark.parametrize("form", [made.pem, made.der, made.bare])
def test_all_forms_give_the_same_certificate(
    form: Callable[[x509.Certificate], bytes],
) -> None:
    """What goes to Entra ID is one PEM, whatever was exported."""
    found = made.certificate()
    judged = judge_certificate(form(found), now=NOW)
    assert judged.pem == made.pem(found).decode()
    digest = hashlib.sha1(made.der(found), usedforsecurity=False).hexdigest()
    assert judged.sha1 == digest.upper()
    assert judged.not_after == made.UNTIL


def test_a_private_key_stops_the_reading() -> None:
    """Nothing of such a text is kept, not even the certificate."""
    text = made.pem(made.certificate()) + made.private_key()
    judged = judge_certificate(text, now=NOW)
    assert judged.pem is None
    assert "MII" not in str(judged)


def test_the_subject_should_hold_the_system_id() -> None:
    """Certificates of two systems are easily mixed up."""
    export = made.pem(made.certificate())
    rules = {f.rule for f in judge_certificate(export, now=NOW, sid="P01").findings}
    assert "SUBJECT_OTHER_SYSTEM" in rules
    rules = {f.rule for f in judge_certificate(export, now=NOW, sid="s4d").findings}
    assert "SUBJECT_OTHER_SYSTEM" not in rules


@profile_of(500)
@given(st.integers(0, 1400), st.binary(max_size=20), st.sampled_from([0, 1, 2, 3]))
def test_damage_never_raises(position: int, inserted: bytes, form: int) -> None:
    """A damaged export is answered with findings."""
    forms = (made.pem, made.der, made.bare, made.container)
    whole = forms[form](made.certificate())
    data = whole[:position] + inserted + whole[position + len(inserted) :]
    assert judge_certificate(data, now=NOW).findings
