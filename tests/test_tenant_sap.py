"""The section `sap` of the tenant file: what it takes, refuses and declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.errors import InputError
from runbook_lib.session import wire_of
from runbook_lib.tenant import Tenant, read_tenant
from tests.test_tenant import REAL, ROUTES, SANDBOX, SECRET, written

START = {
    "url": "https://S4dapp01.contoso.com:50014",
    "user": "s4dadm",
    "password": "env:S4D_PASSWORD",
}
PLAIN = {"url": "http://s4dapp01.contoso.com:50013"}
BTP = {
    "url": "https://1111-2222.abap.eu10.hana.ondemand.com/",
    "user": "RUNBOOK",
    "password": "env:BTP_PASSWORD",
}
START_PLACE = ("s4dapp01.contoso.com", 50014)
BTP_PLACE = ("1111-2222.abap.eu10.hana.ondemand.com", 443)


def tenant(folder: Path, content: Mapping[str, Any], **sap: object) -> Tenant:
    """Read a tenant file with such a section."""
    return read_tenant(written(folder, {**content, "sap": sap}))


def test_both(tmp_path: Path) -> None:
    """Host names are lower case; the header says whom the run may ask."""
    found = tenant(tmp_path, REAL, sapcontrol=START, btp=BTP)
    assert found.sap.places() == {"sapcontrol": START_PLACE, "btp": BTP_PLACE}
    assert found.declared()["sap"] == {
        "sapcontrol": "https://s4dapp01.contoso.com:50014",
        "btp": "https://1111-2222.abap.eu10.hana.ondemand.com",
    }
    wire = wire_of(found, "http://proxy.contoso.com:3128")
    assert wire.direct == {START_PLACE}
    assert not wire.plain


def test_without_the_section(tmp_path: Path) -> None:
    """Nothing is declared, and nothing is reached in another way."""
    found = read_tenant(written(tmp_path, REAL))
    assert "sap" not in found.declared()
    assert wire_of(found, None).direct == frozenset()


def test_without_tls(tmp_path: Path) -> None:
    """Only where the URL says so, and without a user."""
    wire = wire_of(tenant(tmp_path, REAL, sapcontrol=PLAIN), None)
    assert wire.plain == wire.direct == {("s4dapp01.contoso.com", 50013)}


@pytest.mark.parametrize(
    ("side", "changes", "word"),
    [
        ("sapcontrol", {"url": "https://s4dapp01.contoso.com"}, "form"),
        ("sapcontrol", {"url": "ftp://s4dapp01.contoso.com:50014"}, "form"),
        ("sapcontrol", {"url": "http://s4dapp01.contoso.com:50013"}, "needs https"),
        ("sapcontrol", {"url": "https://s4dapp01.contoso.com:50014/x"}, "path"),
        ("sapcontrol", {"url": "https://a@s4dapp01.contoso.com:50014"}, "user"),
        ("sapcontrol", {"user": None}, "together"),
        ("sapcontrol", {"password": None}, "together"),
        ("sapcontrol", {"password": SECRET}, "not a secret reference"),
        ("sapcontrol", {"user": "a:b"}, "user"),
        ("sapcontrol", {"nr": "00"}, "unknown key"),
        ("btp", {"url": "http://a.contoso.com"}, "https"),
        ("btp", {"url": "https://"}, "URL of a host"),
        ("btp", {"url": "https://a.contoso.com:99999"}, "out of range"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, side: str, changes: dict[str, object], word: str
) -> None:
    """Each with its key; no value is repeated."""
    good = {"sapcontrol": START, "btp": BTP}[side]
    wrong = {k: v for k, v in {**good, **changes}.items() if v is not None}
    with pytest.raises(InputError) as caught:
        tenant(tmp_path, REAL, **{side: wrong})
    assert f"sap.{side}" in caught.value.message
    assert word in caught.value.message
    assert SECRET not in caught.value.message


def test_a_sandbox_needs_its_route(tmp_path: Path) -> None:
    """A sandbox run connects nowhere else."""
    with pytest.raises(InputError, match=r"missing: s4dapp01.contoso.com:50014"):
        tenant(tmp_path, SANDBOX, sapcontrol=START)
    routes = [*ROUTES, "s4dapp01.contoso.com:50014 -> 127.0.0.1:8443"]
    content = {**SANDBOX, "connect_to": routes}
    assert tenant(tmp_path, content, sapcontrol=START).sap.sapcontrol is not None
