"""A Postfix instance of its own that plays a mail server with SAP's address."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

PATIENCE = 20.0

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = /var, /dev/stdout, {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
local_recipient_maps =
local_transport = error:no local delivery
alias_maps =
mynetworks = 127.0.0.0/8
myhostname = erp.contoso.com
relayhost = [{host}]:{port}
smtp_bind_address = {address}
smtp_host_lookup = native
smtp_tls_security_level = encrypt
smtp_tls_CAfile = {ca_file}
smtp_tls_loglevel = 1
bounce_queue_lifetime = 0
"""

# service, type, and what runs for it; nothing listens on the network.
MASTER = """\
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running instance; its configuration and log are below `folder`."""

    folder: Path

    def send(self, sender: str, recipient: str, subject: str) -> str:
        """Queue a mail; return the log's line of what became of it."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, recipient, subject
        message.set_content("Test from a mail server.\n")
        command = ["sendmail", "-C", str(self.folder / "etc"), "-f", sender, recipient]
        run(command, message.as_bytes())
        return self._outcome(recipient)

    def _outcome(self, recipient: str) -> str:
        """Wait for the line that says how the delivery to a recipient ended."""
        log, end = self.folder / "maillog", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            text = log.read_text("utf-8") if log.exists() else ""
            found = [line for line in text.splitlines() if f"to=<{recipient}>" in line]
            if found:
                return found[-1]
            time.sleep(0.1)
        pytest.fail(f"nothing became of the mail to {recipient}")


@contextmanager
def postfix(mx: str, ca_file: str, address: str) -> Iterator[Postfix]:
    """Run an instance that sends from a loopback address to the MX side.

    Its folder is not pytest's, which other users may not enter: Postfix runs as a
    user of its own. Skips where Postfix is not installed, or where it may not run.
    """
    if shutil.which("postfix") is None:
        pytest.skip("needs the program postfix (Debian package postfix)")
    if os.geteuid() != 0:
        pytest.skip("an instance of Postfix needs root")
    with tempfile.TemporaryDirectory(prefix="postfix-") as place:
        folder = Path(place)
        folder.chmod(0o711)
        _configure(folder, mx, ca_file, address)
        control = ["postfix", "-c", str(folder / "etc")]
        run([*control, "start"])
        try:
            yield Postfix(folder)
        finally:
            run([*control, "stop"])


def run(command: list[str], content: bytes = b"") -> None:
    """Run a program of Postfix; fail with what it said."""
    done = subprocess.run(
        command, input=content, capture_output=True, check=False, timeout=60
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        pytest.fail(f"{' '.join(command)}: {done.returncode}: {said}")


def _configure(folder: Path, mx: str, ca_file: str, address: str) -> None:
    """Write main.cf and master.cf, and the folders that Postfix wants."""
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, 0)
    authority = folder / "ca.pem"
    shutil.copyfile(ca_file, authority)
    authority.chmod(0o644)
    host, _, port = mx.partition(":")
    values = {"folder": folder, "host": host, "port": port, "address": address}
    text = MAIN.format(**values, ca_file=authority)
    (folder / "etc" / "main.cf").write_text(text, "utf-8")
    (folder / "etc" / "master.cf").write_text(MASTER, "utf-8")
