"""VERIFY.md: how anybody checks a record, and what that proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import closed, header

VERIFY = "VERIFY.md"

_HOW = """\
# How to check this record

Run `{run}` of tenant `{tenant}`, closed {time} with the result **{result}**.
{sandbox}
## With standard tools

In this folder:

```
sha256sum -c SHA256SUMS                                  # no file was changed
find . -type f | wc -l                                   # one more than the list
wc -l < SHA256SUMS
sha256sum SHA256SUMS                                     # compare with the ledger
tail -n 1 events.ndjson | tr -d '\\n' | sha256sum         # head of the chain
```

The first command finds changed and missing files, the next two an added one.
The head of the chain of events is `{head}`.
Each line of `events.ndjson` holds in `prev` the SHA-256 of the line before,
without its line feed; the first one holds 64 zeros.
The line of this run in `ledger.ndjson`, two folders up, with `"line":"closed"`
holds in `digest` the SHA-256 of `SHA256SUMS`.

## With this tool

```
runbook audit .                    # this record and its ledger
runbook audit . --head DIGEST      # and the ledger head kept in the change ticket
```

## What this proves

- No file was changed, added or removed since the list was made, provided that
  the digest of `SHA256SUMS` is the one that was noted elsewhere.
- The events stand in the order in which they were written, without a gap.
- The result follows from the events; `runbook audit` judges them again.
{notebook}
## What it does not prove

- **There is no signature yet.** Whoever can write to this folder and to the
  ledger can make both anew. A digest that is kept elsewhere shows it.
- **The ledger alone does not prove its own end.** Without a ledger head kept
  outside, as in the change ticket, the last lines may be missing.
- What was observed is what the services answered. Who ran the notebook could
  have been wrong, or lied, before anything was recorded.
- What a person attested is that person's word; nobody measured it.
- {leaks}
"""

_SANDBOX = """
**The target was a sandbox: this record proves the procedure, not a tenant.**
"""

_PATTERNS = """\
All files were searched for what looks like a credential (tokens, client secrets,
  private keys, sign-in headers). They were not searched for the credentials of
  this run, because the process that closed it did not know them."""

_DISCLOSED = """\
**Credential disclosed: rotate.** Files with what looks like a credential were
  put into quarantine: {files}. Revoke the credential and make a new one."""

_SHOWN = """\
- The notebook shows the chain head with which the kernel left the events, so the
  two belong together.
"""

_NOT_SHOWN = """\
- The notebook does not show the chain head, because its last cell did not run:
  that the two belong together is the word of whoever closed the run.
"""

_ARCHIVED = """\
- `notebook.ipynb` is an archive. The cell tagged `injected-parameters` names the
  run and a mode that writes nothing; where it did not, a line was added. So
  running this file again only looks. As it was executed it had the SHA-256
  `{executed}`.
"""


def verify_md(events: Sequence[Event], *, head: str) -> str:
    """Return the instructions for a closed run; `head` is its chain's head."""
    first, end = header(events), closed(events)
    tenant = cast("Mapping[str, object]", first["tenant"])
    assert end is not None  # noqa: S101 - written after the run was closed
    return _HOW.format(
        run=first["run"],
        tenant=tenant["name"],
        time=end["time"],
        result=end["result"],
        sandbox=_SANDBOX if tenant["target"] == "sandbox" else "",
        head=head,
        notebook=_about_notebook(end),
        leaks=_about_leaks(events),
    )


def _about_notebook(end: Event) -> str:
    facts = cast("Mapping[str, object] | None", end.get("notebook")) or {}
    shown = facts.get("shows_chain_head")
    text = "" if shown is None else _SHOWN if shown else _NOT_SHOWN
    executed = facts.get("executed_sha256")
    if executed and executed != facts.get("sha256"):
        text += _ARCHIVED.format(executed=executed)
    return text


def _about_leaks(events: Sequence[Event]) -> str:
    found = [str(e["file"]) for e in events if e["event"] == "leak.found"]
    names = ", ".join(f"`{Path(file).as_posix()}`" for file in found)
    return _DISCLOSED.format(files=names) if found else _PATTERNS
