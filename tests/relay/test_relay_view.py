"""`runbook probe --relay` on a real relay: closed, encrypted, queue and token."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runbook_lib.cli.probe import probe
from runbook_lib.relay.design import RelayDesign
from tests.relay.postfix import Postfix, running, swaks
from tests.relay.site import Site, free_port

pytestmark = pytest.mark.ci


def looked(design: RelayDesign, site: Site, *more: str) -> tuple[int, dict[str, Any]]:
    """Return exit code and file of a probe."""
    arguments = ["--relay", f"{design.listen}:{design.port}", "--host"]
    arguments += [design.hostname, "--sender", design.mailbox]
    arguments += ["--queue", design.places.config, "--ca", str(site.folder / "ca.pem")]
    found = CliRunner().invoke(probe, [*arguments, *more])
    return found.exit_code, json.loads(found.stdout)


def test_a_closed_relay_is_good(site: Site) -> None:
    """This host is none of the SAP hosts, so it is refused, and nothing is sent."""
    design = site.relay(networks=("127.0.0.7/32",))
    with running(design, site.folder / "relay1") as relay:
        code, found = looked(design, site)
        assert relay.queue() == []
    assert found["problems"] == []
    assert code == 0
    assert found["properties"]["relaying for a stranger"] == "refused"
    assert found["context"]["reply without TLS"].startswith("530")


def test_a_relay_that_serves_this_host_is_told(site: Site) -> None:
    """Where a host of no network gets in, the probe fails; the queue has reasons."""
    design = site.relay(submission_port=free_port("127.0.0.1"))
    with running(design, site.folder / "relay1") as relay:
        swaks(relay)
        relay.deferred()
        code, found = looked(design, site)
        assert len(relay.queue()) == 1
    assert code == 1
    assert found["properties"]["relaying for a stranger"] == "accepted"
    assert found["context"]["messages in the queue"] == 1
    assert "Connection refused" in found["context"]["reasons to wait"][0]


def test_untrusted_certificate_and_token(site: Site, tmp_path: Path) -> None:
    """Another name is not trusted; a token that has ended is told, not shown."""
    design = site.relay(networks=("127.0.0.7/32",))
    token = tmp_path / "token.json"
    token.write_text('{"access_token": "abc", "expiry": "1000", "refresh_token": "x"}')
    token.chmod(0o600)
    with running(design, site.folder / "relay1"):
        other = replace(design, hostname="relay9.contoso.com")
        code, found = looked(other, site, "--token", str(token))
    assert code == 1
    assert found["properties"]["certificate"] == "not trusted"
    assert found["properties"]["token"] == "ended"
    assert "abc" not in json.dumps(found)


def test_no_relay_is_no_pass(site: Site) -> None:
    """Nobody answers: the properties stay unknown."""
    design = site.relay()
    Postfix(design, site.folder / "relay1").install()
    code, found = looked(design, site)
    assert code == 1
    assert found["problems"]
    assert found["properties"].get("relaying for a stranger") is None
