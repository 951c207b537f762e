"""The box in which a person hands in evidence: text, files, who, when, reference."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets

from runbook_lib.engine.step import Evidence
from runbook_lib.errors import InputError

LARGEST = 5 * 1024 * 1024
PRIVATE_KEY = b"PRIVATE KEY-----"
ACCEPTED = ".png,.jpg,.jpeg,.pdf,.txt,.csv,.log,.json,.xml,.cer,.crt,.pem,.pfl"

LABEL = {"description_width": "90px"}
FIELDS = {
    "who": ("Who looked", "name of the person"),
    "when": ("When (UTC)", "2026-11-24 09:30"),
    "reference": ("Reference", "ticket or change number"),
}


class EvidenceForm:
    """The widgets of an attestation; what is entered stays until it is handed in.

    An upload's bytes are part of the widget's state, which a notebook may save;
    they are dropped as soon as they were handed in.
    """

    def __init__(self) -> None:
        """Make empty widgets."""
        self.fields = {name: _text(*FIELDS[name]) for name in FIELDS}
        self.text = ipywidgets.Textarea(
            description="Text",
            placeholder="paste what the SAP screen shows",
            layout=ipywidgets.Layout(width="780px", height="96px"),
            style=LABEL,
        )
        self.paths = ipywidgets.Textarea(
            description="File paths",
            placeholder="one path a line, on the machine of this notebook",
            layout=ipywidgets.Layout(width="780px", height="48px"),
            style=LABEL,
        )
        self.upload = ipywidgets.FileUpload(
            accept=ACCEPTED,
            multiple=True,
            description="Choose files",
            layout=ipywidgets.Layout(width="180px"),
        )
        row = ipywidgets.HBox(
            list(self.fields.values()), layout=ipywidgets.Layout(flex_flow="row wrap")
        )
        self.box: Any = ipywidgets.VBox([row, self.text, self.paths, self.upload])

    @contextmanager
    def collected(self) -> Iterator[Evidence]:
        """Yield what was entered; uploads stand in a private folder meanwhile.

        Raises:
            InputError: something is missing, too large, or a private key.
        """
        with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
            files = [*self._uploads(Path(folder)), *self._named()]
            evidence = self._evidence(tuple(files))
            check(evidence)
            yield evidence

    def clear(self) -> None:
        """Forget text and files; who, when and reference stay."""
        self.text.value = self.paths.value = ""
        self.upload.value = ()

    def _evidence(self, files: tuple[Path, ...]) -> Evidence:
        stated = {name: field.value.strip() for name, field in self.fields.items()}
        return Evidence(**stated, text=self.text.value.strip(), files=files)

    def _named(self) -> list[Path]:
        lines = self.paths.value.splitlines()
        return [Path(line.strip()).expanduser() for line in lines if line.strip()]

    def _uploads(self, folder: Path) -> list[Path]:
        paths = []
        for number, item in enumerate(self.upload.value, start=1):
            # A browser sends a bare name; another client may not.
            own = folder / str(number)
            own.mkdir()
            path = own / (Path(str(item["name"])).name or "attachment")
            path.write_bytes(bytes(item["content"]))
            paths.append(path)
        return paths


def _text(label: str, hint: str) -> Any:
    return ipywidgets.Text(
        description=label,
        placeholder=hint,
        layout=ipywidgets.Layout(width="258px"),
        style=LABEL,
    )


def check(evidence: Evidence) -> None:
    """Look at evidence before it is taken in.

    Raises:
        InputError: who, when or the evidence itself is missing; a file cannot be
            read or is larger than 5 MB; or there is a private key in it.
    """
    for name in ("who", "when"):
        if not getattr(evidence, name):
            raise InputError(
                f"The field “{FIELDS[name][0]}” is empty.",
                remedy="An attestation names who looked, and when.",
            )
    if not evidence.text and not evidence.files:
        raise InputError(
            "There is no evidence yet.",
            remedy="Paste a text, name a file, or choose one.",
        )
    contents = [evidence.text.encode(), *(_content(path) for path in evidence.files)]
    if any(PRIVATE_KEY in content for content in contents):
        raise InputError(
            "The evidence holds a private key; it was not taken in.",
            remedy="Remove the key, and replace it: it was disclosed to this page.",
        )


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path.name} is larger than 5 MB.",
                remedy="Hand in the part that shows the matter.",
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: the file cannot be read: {error.strerror}",
            remedy="Check the path; it is one of the machine that runs this notebook.",
        ) from None
