"""The rendered files: complete, commented, without secrets, and only what is used."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from runbook_lib.relay.bundle import README, render
from runbook_lib.relay.design import Balancer, RelayDesign
from runbook_lib.relay.design import Upstream as Kind
from runbook_lib.relay.lookup_tables import WAITING, deferred_replies
from runbook_lib.relay.settings import Section, Setting, rendered
from tests.relay.designs import APPLICATION, design


def parameters(files: dict[str, str]) -> dict[str, str]:
    """Return the parameters of main.cf."""
    lines = [
        line for line in files["main.cf"].splitlines() if line[:1] not in ("", "#")
    ]
    return dict(re.split(r" =\s*", line, maxsplit=1) for line in lines)


def texts(found: RelayDesign) -> dict[str, str]:
    """Return the rendered texts by name."""
    return {name: file.text for name, file in render(found).items()}


@pytest.mark.parametrize("kind", [*Kind])
def test_all_ways_to_exchange_are_encrypted_and_verified(kind: Kind) -> None:
    """The only exception is loopback, and only for the proxy."""
    files = texts(design(upstream=kind))
    found = parameters(files)
    assert found["smtp_tls_security_level"] == "secure"
    assert found["smtp_tls_secure_cert_match"] == "nexthop"
    assert ("smtp_tls_policy_maps" in found) == (kind is Kind.OAUTH_PROXY)
    rules = [
        line for line in files.get("tls_policy", "").splitlines() if line[0] != "#"
    ]
    assert rules in ([], ["[127.0.0.1]:2587 none"])
    assert "none" not in files["master.cf"]


@pytest.mark.parametrize("kind", [*Kind])
def test_the_way_is_the_one_that_was_asked_for(kind: Kind) -> None:
    """Host, port, sign-in and client certificate follow from the upstream."""
    found = parameters(texts(design(upstream=kind)))
    submission, mx = (
        "[smtp.office365.com]:587",
        "[contoso-com.mail.protection.outlook.com]:25",
    )
    hop = {Kind.OAUTH_PROXY: "[127.0.0.1]:2587"}.get(kind, submission)
    assert found["relayhost"] == (mx if kind.by_connector else hop)
    assert found["smtp_sasl_auth_enable"] == ("no" if kind.by_connector else "yes")
    certificate = "smtp_tls_chain_files" in found
    assert certificate == (kind is Kind.CONNECTOR_CERTIFICATE)
    assert found["mynetworks"] == "10.1.3.0/24"


def test_limits_are_shared_by_all_relays() -> None:
    """Two relays have one connection each, and four seconds between messages."""
    found = design(relays=2, balancer=Balancer.AZURE)
    shown = parameters(texts(found))
    assert shown["smtp_destination_concurrency_limit"] == "1"
    assert shown["smtp_destination_rate_delay"] == "4s"
    assert parameters(texts(design()))["smtp_destination_rate_delay"] == "2s"
    assert int(shown["smtp_destination_recipient_limit"]) > 1


@pytest.mark.parametrize("kind", [*Kind])
@pytest.mark.parametrize("credential", ["secret", "certificate"])
def test_no_secret_and_every_table_is_there(kind: Kind, credential: str) -> None:
    """Tables that main.cf names are rendered; what is secret is a placeholder."""
    found = design(
        upstream=kind, application=replace(APPLICATION, credential=credential)
    )
    files = texts(found)
    named = set(re.findall(r"(?:texthash|regexp):/etc/postfix/(\w+)", files["main.cf"]))
    tables = {name for name in files if "." not in name}
    assert named == tables
    assert render(found)[README].path is None
    placeholders = set(
        re.findall(r"@[A-Z_]+@", "".join(files.values()).replace("\\@", "@"))
    )
    for placeholder in placeholders:
        assert placeholder.strip("@") in files[README]


@pytest.mark.parametrize("kind", [*Kind])
def test_the_readme_tells_how_each_component_lives(kind: Kind) -> None:
    """Started, watched, upgraded, stopped; tested from the relay first; backed out."""
    text = texts(design(upstream=kind))[README]
    for heading in ("Install", "Start", "Components", "Watch", "Network", "Back-out"):
        assert f"\n## {heading}\n" in text
    assert "## Send a test mail from the relay itself first" in text
    table = text.partition("| component | start | watch | upgrade | stop |")[2]
    row = table.splitlines()[2]
    assert row.startswith("| Postfix |")
    assert len([cell for cell in row.split("|") if cell.strip()]) == 5
    assert ("**Not tried" in text) == (kind is Kind.OAUTH_TOKEN_FILE)
    dated = "2026-12-31" in text
    assert dated == (kind is Kind.PASSWORD)


def test_every_setting_has_its_reason() -> None:
    """No block of settings stands without a sentence above it."""
    blocks = texts(design())["main.cf"].split("\n\n")
    assert all(block.lstrip().startswith("#") for block in blocks[1:])


def test_a_parameter_that_stands_twice_is_refused() -> None:
    """Postfix would warn for ever, and its log service can block on that."""
    twice = Section("x", (Setting("a", "1"), Setting("b", "2"), Setting("a", "3")))
    with pytest.raises(ValueError, match="set twice: a"):
        rendered("x", [twice])


def test_refusals_of_the_set_up_wait() -> None:
    """The code becomes a temporary one, the server's words stay."""
    rules = dict(
        line.split("/ ", 1)
        for line in deferred_replies().splitlines()
        if line.startswith("/")
    )
    for code in WAITING:
        pattern, result = next(
            (p, r) for p, r in rules.items() if re.match(p[1:], f"{code} Text")
        )
        assert re.sub(pattern[1:], result.replace("$", "\\"), f"{code} Text") == (
            f"4{code[1:]} Text"
        )
    assert not any(re.match(p[1:], "5.1.10 Recipient not found") for p in rules)


def test_the_load_balancer_is_the_only_one_let_in() -> None:
    """Under haproxy the firewall of a relay knows it, and not SAP's networks."""
    found = design(
        balancer=Balancer.HAPROXY,
        relays=2,
        balancers=("10.1.2.9",),
        peers=("10.1.2.4:25", "10.1.2.5:25"),
    )
    files = texts(found)
    assert "ip saddr 10.1.2.9 tcp dport 25 accept" in files["nftables.conf"]
    assert "10.1.3.0/24" not in files["nftables.conf"]
    assert files["haproxy.cfg"].count("send-proxy-v2 check-send-proxy") == 2
    assert "haproxy.cfg" not in texts(design())
