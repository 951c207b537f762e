"""All files of a relay: name to text, and where each goes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from runbook_lib.relay import balancer, exim, lookup_tables, token_sources
from runbook_lib.relay.design import Balancer, RelayDesign, Upstream
from runbook_lib.relay.guards import guarded
from runbook_lib.relay.log_unit import log_unit
from runbook_lib.relay.main_cf import main_cf
from runbook_lib.relay.master_cf import master_cf
from runbook_lib.relay.readme import readme

README = "README.md"
LOG_UNIT = "postfix-log.conf"
PRIVATE, PUBLIC = 0o600, 0o644


@dataclass(frozen=True)
class RelayFile:
    """One rendered file: its text, where it is installed, and with which mode.

    `path` is None for what is not installed. No text holds a secret.
    """

    text: str
    path: str | None
    mode: int = PUBLIC


def render(design: RelayDesign) -> dict[str, RelayFile]:
    """Return all files of a relay by name.

    Raises:
        InputError: a guard refuses the design; an open relay is never rendered.
    """
    sound = guarded(design)
    files = {**_postfix(sound), **_token_source(sound), **_around(sound)}
    return {README: RelayFile(readme(sound, _installed(files)), None), **files}


def _installed(files: Mapping[str, RelayFile]) -> list[tuple[str, str, int]]:
    return [(name, file.path, file.mode) for name, file in files.items() if file.path]


def _postfix(design: RelayDesign) -> dict[str, RelayFile]:
    unit = "/etc/systemd/system/postfix@.service.d/log.conf"
    texts = {
        "main.cf": main_cf(design),
        "master.cf": master_cf(design),
        "senders": lookup_tables.senders(design),
        "deferred_replies": lookup_tables.deferred_replies(),
    }
    if design.upstream.submits:
        texts["sasl_passwd"] = lookup_tables.sasl_passwd(design)
        texts["null_sender"] = lookup_tables.null_sender(design)
    if design.upstream is Upstream.OAUTH_PROXY:
        texts["tls_policy"] = lookup_tables.tls_policy(design)
    tables = {
        name: RelayFile(
            text,
            f"{design.places.config}/{name}",
            PRIVATE if name == "sasl_passwd" else PUBLIC,
        )
        for name, text in texts.items()
    }
    return {**tables, LOG_UNIT: RelayFile(log_unit(design.places), unit)}


def _token_source(design: RelayDesign) -> dict[str, RelayFile]:
    places, units = design.places, "/etc/systemd/system"
    if design.upstream is Upstream.OAUTH_PROXY:
        config = token_sources.emailproxy_config(design)
        unit = token_sources.emailproxy_unit(design)
        name = posixpath.basename(places.proxy_config)
        return {
            name: RelayFile(config, places.proxy_config, PRIVATE),
            "emailproxy.service": RelayFile(unit, f"{units}/emailproxy.service"),
        }
    if design.upstream is Upstream.OAUTH_TOKEN_FILE:
        config = token_sources.relay_token_config(design)
        unit = token_sources.relay_token_unit(design)
        return {
            "relay-token.yaml": RelayFile(config, places.token_config),
            "relay-token.service": RelayFile(unit, f"{units}/relay-token.service"),
            "exim.conf": RelayFile(exim.exim_conf(design), None),
        }
    return {}


def _around(design: RelayDesign) -> dict[str, RelayFile]:
    files = {"nftables.conf": RelayFile(balancer.nftables_conf(design), None)}
    if design.balancer is Balancer.HAPROXY:
        files["haproxy.cfg"] = RelayFile(balancer.haproxy_cfg(design), None)
    return files
