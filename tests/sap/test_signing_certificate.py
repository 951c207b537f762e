"""The exported certificate of SAP's signing key."""

from __future__ import annotations

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
REFUSED, USABLE = {"CERTIFICATE_REFUSED"}, {"CERTIFICATE_USABLE"}
NEAR = {"NEARLY_EXPIRED", *USABLE}
OLD = (datetime(2015, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
SOON = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC))
LATER = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))

# For each export: the verdict, its rules, and a word of what is said.
EXPORTS: list[tuple[str, Callable[[], bytes], Verdict, set[str], str]] = [
    ("E1", lambda: made.pem(made.certificate()), PASS, USABLE, "2048 bits"),
    ("E2", lambda: made.pem(made.certificate(None, *OLD)), FAIL, REFUSED, "expired on"),
    (
        "E3",
        lambda: made.pem(made.certificate(made.dsa_key())),
        FAIL,
        REFUSED,
        "not RSA",
    ),
    ("E4", lambda: made.pem(made.certificate(made.key(1024))), FAIL, REFUSED, "1024"),
    ("E5", lambda: made.with_private_key(), FAIL, {"PRIVATE_KEY_PRESENT"}, "disclosed"),
    ("E6", lambda: made.bare(made.certificate()), PASS, {"NO_ARMOR", *USABLE}, "BEGIN"),
    ("E7", lambda: made.der(made.certificate()), PASS, {"BINARY", *USABLE}, "DER"),
    ("E8", lambda: made.container(made.certificate()), FAIL, REFUSED, "PKCS#7"),
    ("E9", lambda: made.pem(made.certificate())[:-200], FAIL, REFUSED, "cut off"),
    ("request", made.request, FAIL, REFUSED, "REQUEST"),
    (
        "chain",
        lambda: made.pem(made.certificate()) * 2,
        FAIL,
        REFUSED,
        "2 certificates",
    ),
    (
        "later",
        lambda: made.pem(made.certificate(None, *LATER)),
        FAIL,
        REFUSED,
        "from 20",
    ),
    ("soon", lambda: made.pem(made.certificate(None, *SOON)), PASS, NEAR, "renewal"),
    ("nothing", lambda: b"", FAIL, REFUSED, "empty"),
    ("words", lambda: b"see attachment", FAIL, REFUSED, "no certificate"),
]


@pytest.mark.parametrize(
    ("export", "verdict", "rules", "word"),
    [pytest.param(*rest, id=name) for name, *rest in EXPORTS],
)
def test_export(
    export: Callable[[], bytes], verdict: Verdict, rules: set[str], word: str
) -> None:
    """Each export gets exactly its rules, and the reason is said."""
    findings = judge_certificate(export(), now=NOW).findings
    assert {finding.rule for finding in findings} == rules
    assert overall(findings) is verdict
    assert word in " ".join(f"{finding.says} {finding.fix}" for finding in findings)


@pytest.mark.parametrize("form", [made.pem, made.der, made.bare])
def test_all_forms_give_the_same_certificate(
    form: Callable[[x509.Certificate], bytes],
) -> None:
    """What goes to Entra ID is one certificate, whatever was exported."""
    found = made.certificate()
    judged = judge_certificate(form(found), now=NOW).certificate
    assert judged is not None
    assert judged.der == made.der(found)
    assert judged.not_after == made.UNTIL


def test_a_private_key_stops_the_reading() -> None:
    """Nothing of such a text is kept, not even the certificate."""
    judged = judge_certificate(made.with_private_key(), now=NOW)
    assert judged.certificate is None
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
