"""What a person hands in: taken into the record, then read and judged."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict

from runbook_lib.engine.attempt import Attempt, Ending
from runbook_lib.engine.chain import Event
from runbook_lib.engine.changes import unmet
from runbook_lib.engine.expect import State, met
from runbook_lib.engine.faults import fault
from runbook_lib.engine.record import Record
from runbook_lib.engine.step import (
    Attestation,
    Evidence,
    Mode,
    Outcome,
    Waits,
)
from runbook_lib.errors import InputError
from runbook_lib.yamlfile import read_model

NOTHING = Evidence("", "", "", "")
Redact = Callable[[str], str]
TEXT_FILES = frozenset({".txt", ".csv", ".log", ".pfl", ".lst"})


def perform_attestation(
    attempt: Attempt, step: Attestation, resolved: Attestation
) -> Ending:
    """Judge the evidence; without any the step waits, or is left out.

    A service that was to be asked and could not is an error where a person handed
    nothing in.
    """
    handed_in = attached(attempt.record, step.id)
    measured = resolved.measure(attempt.session)
    if handed_in is None and measured is None:
        return _waiting(attempt.mode, resolved)
    if handed_in is None and measured and measured.problem:
        raise measured.problem
    evidence = replace(handed_in or NOTHING, measured=measured)
    said = {
        "attested": _attested(evidence),
        "measured": _measured(attempt, resolved, evidence),
    }
    try:
        seen = resolved.validate(attempt.session, evidence)
    except Waits as waits:
        if handed_in is None and attempt.mode is Mode.PLAN:
            return replace(_waiting(attempt.mode, resolved), measured=said["measured"])
        return replace(fault(resolved, waits), measured=said["measured"])
    attempt.begin(step, resolved, seen.properties, "manual")
    if met(resolved.expect(), seen.properties):
        return Ending.of(Outcome.OK, resolved, seen, action="manual", **said)
    return unmet(resolved, seen, action="manual", **said)


def _attested(evidence: Evidence) -> State | None:
    if not evidence.by_person:
        return None
    return {
        "who": evidence.who,
        "when": evidence.when,
        "reference": evidence.reference,
        "files": [path.name for path in evidence.files],
    }


def _measured(attempt: Attempt, step: Attestation, evidence: Evidence) -> State | None:
    measured = evidence.measured
    if measured is None or measured.problem:
        return None
    return measured.recorded(partial(step.redact, attempt.session))


def _waiting(mode: Mode, step: Attestation) -> Ending:
    planned = mode is Mode.PLAN
    lacking = None if planned else step.left_out()
    if lacking is not None:
        return Ending(
            Outcome.SKIPPED, step.expect(), reason="user_choice", problem=lacking
        )
    return Ending(
        Outcome.PLANNED if planned else Outcome.PENDING,
        step.expect(),
        action="manual",
        problem=None if planned else "Waiting for evidence from a person.",
        remedy_id=step.id,
    )


class EvidenceFile(BaseModel):
    """`<step id>.yaml` in an evidence folder; files are relative to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str
    when: str
    reference: str
    text: str
    files: tuple[str, ...] = ()


def read_evidence(folder: Path, step: str) -> Evidence | None:
    """Read what was prepared for a step, or return None if there is nothing.

    Raises:
        InputError: the file is there and not as it must be.
    """
    path = folder / f"{step.replace(':', '-')}.yaml"
    if not path.exists():
        return None
    found = read_model(path, EvidenceFile, what="evidence file")
    return Evidence(
        who=found.who,
        when=found.when,
        reference=found.reference,
        text=found.text,
        files=tuple(folder / name for name in found.files),
    )


def attach(
    record: Record, mode: Mode, step: str, evidence: Evidence, redact: Redact = str
) -> None:
    """Copy evidence into the record and write that it is there.

    Texts go through `redact` before they are written, attached ones too; what is
    no text, as a screenshot, is copied as it is.

    Raises:
        InputError: an attachment is missing or unreadable.
    """
    folder = record.folder / "evidence" / step.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = sum(e["event"] == "evidence.attached" for e in record.events) + 1
    files = [
        _copy(path, folder / f"{number}-{index}-{path.name}", redact)
        for index, path in enumerate(evidence.files, start=1)
    ]
    stated = redact(evidence.text).encode()
    text = _write(folder / f"{number}-statement.txt", stated)
    record.append(
        "evidence.attached",
        mode=mode,
        step=step,
        who=evidence.who,
        when=evidence.when,
        reference=evidence.reference,
        text=text,
        files=files,
    )


def _write(path: Path, data: bytes) -> dict[str, object]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    return _digest(path)


def _copy(source: Path, target: Path, redact: Redact) -> dict[str, object]:
    try:
        data = source.read_bytes()
    except OSError as error:
        raise InputError(
            f"{source}: the attachment cannot be read: {error.strerror}",
            remedy="Check the path and hand in the evidence again.",
        ) from None
    text = readable(data, source.suffix.lower())
    return _write(target, data if text is None else redact(text).encode())


def readable(data: bytes, suffix: str) -> str | None:
    """Return the text of a file, or None where it is none.

    SAP GUI saves lists in UTF-8, in UTF-16 or in the code page of the computer.
    """
    marked = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encodings = ["utf-16" if marked else "utf-8"]
    if suffix in TEXT_FILES:
        encodings.append("cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _digest(path: Path) -> dict[str, object]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": f"evidence/{path.parent.name}/{path.name}", "sha256": digest}


def attached(record: Record, step: str) -> Evidence | None:
    """Return the evidence of a step that was handed in last, or None."""
    events = [e for e in record.events if e["event"] == "evidence.attached"]
    found = [event for event in events if event["step"] == step]
    return _evidence(record.folder, found[-1]) if found else None


def _evidence(folder: Path, event: Event) -> Evidence:
    text = cast("dict[str, str]", event["text"])
    files = cast("list[dict[str, str]]", event["files"])
    return Evidence(
        who=str(event["who"]),
        when=str(event["when"]),
        reference=str(event["reference"]),
        text=(folder / text["path"]).read_text("utf-8", errors="replace"),
        files=tuple(folder / file["path"] for file in files),
    )
