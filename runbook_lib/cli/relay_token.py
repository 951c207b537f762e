"""`runbook relay-token`: keeps the token file of a relay good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from runbook_lib.clients.entra import EntraClient
from runbook_lib.clients.http import open_http
from runbook_lib.clients.log_tail import LogTail
from runbook_lib.clients.secret_sources import resolve_secret
from runbook_lib.clients.token_file import token_times, write_token
from runbook_lib.clients.wire import Wire
from runbook_lib.engine.record import timestamp, utc_now
from runbook_lib.errors import RunbookError
from runbook_lib.opening import proxy_of
from runbook_lib.relay.renewal import REFUSED_SIGN_IN, TokenState, reason_to_renew
from runbook_lib.relay.token_settings import TokenSettings
from runbook_lib.secret import Mask, SecretReference, mask_logging
from runbook_lib.yamlfile import read_model


@click.command("relay-token")
@click.argument("settings", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Renew, however good the token is.")
@click.option(
    "--watch",
    type=click.FloatRange(min=0.5),
    metavar="SECONDS",
    help="Stay, and look again after so many seconds.",
)
def relay_token(settings: Path, force: bool, watch: float | None) -> None:
    """Renew the relay's access token where needed, and write its file.

    Without --watch one look: 0 if the token is good afterwards.
    """
    keeper = Keeper(read_model(settings, TokenSettings, what="settings file"))
    if watch is None:
        keeper.look(force=force)
        return
    keeper.stay(watch, force=force)


@dataclass
class Keeper:
    """Keeps one token file good; says in one line each what it did."""

    settings: TokenSettings
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = click.echo

    def __post_init__(self) -> None:
        """Start at the end of the log."""
        log = self.settings.log
        self._log = LogTail(Path(log)) if log else None
        self._refused = False

    def stay(self, seconds: float, *, force: bool = False) -> None:
        """Look again and again. What goes wrong is said, and tried again."""
        while True:
            try:
                self.look(force=force)
                force = False
            except RunbookError as error:
                self.say(f"no new token: {' '.join(error.lines())}")
            self.sleep(seconds)

    def look(self, *, force: bool = False) -> None:
        """Renew the token if there is a reason.

        Raises:
            RunbookError: it is due, and Entra ID issued none or it was not written.
        """
        self._note_refusals()
        path = Path(self.settings.token_file)
        known = token_times(path)
        why = reason_to_renew(
            TokenState(*known) if known else None,
            self.now(),
            renew_before=timedelta(seconds=self.settings.renew_before),
            refused=self._refused,
        )
        if force or why:
            self._renew(path, "asked for" if force else str(why))

    def _note_refusals(self) -> None:
        if self._log and REFUSED_SIGN_IN.search(self._log.new_text()):
            self._refused = True

    def _renew(self, path: Path, why: str) -> None:
        mask = Mask()
        mask_logging(mask)
        chosen = self.settings
        reference = SecretReference.parse(chosen.credential)
        with open_http(self._wire(), lambda exchange: None, mask) as http:
            client = EntraClient(
                http,
                authority=f"https://{chosen.login}",
                tenant_id=str(chosen.tenant_id),
                client_id=str(chosen.client_id),
                credential=resolve_secret(reference, os.environ),
                mask=mask,
                instance_discovery=not chosen.connect_to,
            )
            token = client.token(chosen.scope, fresh=True)
        ends = write_token(path, token, self.now())
        self._refused = False
        digest = token.sha256[:12]
        self.say(f"token {digest} until {timestamp(ends)}, because {why}")

    def _wire(self) -> Wire:
        chosen = self.settings
        return Wire(
            connect_to={
                (r.host, r.port): (r.address, r.address_port) for r in chosen.routes()
            },
            ca_file=Path(chosen.ca_file) if chosen.ca_file else None,
            proxy=None if chosen.connect_to else proxy_of(os.environ),
        )
