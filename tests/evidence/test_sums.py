"""SHA256SUMS: as sha256sum writes and reads it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runbook_lib.errors import RecordBroken
from runbook_lib.evidence.sums import SUMS, check_sums, write_sums

ODD_NAMES = ["plain.txt", "a b.txt", "new\nline", "back\\slash", "re\rturn", "ünï"]


def folder_with(tmp_path: Path, names: list[str]) -> Path:
    """Return a folder in which every file holds its own name."""
    folder = tmp_path / "record"
    (folder / "evidence").mkdir(parents=True)
    for name in names:
        (folder / "evidence" / name).write_bytes(os.fsencode(name))
    write_sums(folder)
    return folder


def test_sha256sum_accepts_the_list(tmp_path: Path) -> None:
    """Every odd file name is written as GNU coreutils reads it."""
    folder = folder_with(tmp_path, ODD_NAMES)
    program = shutil.which("sha256sum")
    assert program, "the tests need GNU coreutils"
    checked = subprocess.run(
        [program, "--check", "--strict", "--quiet", SUMS],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, b"")
    assert check_sums(folder) == []


def test_list_equals_that_of_sha256sum(tmp_path: Path) -> None:
    """The list is what the program itself prints, sorted by path."""
    folder = folder_with(tmp_path, sorted(ODD_NAMES))
    names = sorted(os.fsencode(f"evidence/{name}") for name in ODD_NAMES)
    printed = subprocess.run(
        ["sha256sum", *names], cwd=folder, capture_output=True, check=True
    )
    assert (folder / SUMS).read_bytes() == printed.stdout


def test_name_that_is_not_utf8(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are kept as they are."""
    folder = folder_with(tmp_path, [os.fsdecode(b"caf\xe9.txt")])
    assert b"caf\xe9.txt" in (folder / SUMS).read_bytes()
    assert check_sums(folder) == []


def test_every_deviation_is_found(tmp_path: Path) -> None:
    """Changed, missing and unlisted files are named, each once."""
    folder = folder_with(tmp_path, ["changed", "missing", "same"])
    (folder / "evidence" / "changed").write_text("other")
    (folder / "evidence" / "missing").unlink()
    (folder / "added").write_text("new")
    found = {finding.file: finding.sentence for finding in check_sums(folder)}
    assert found == {
        "evidence/changed": "the file was changed after closing",
        "evidence/missing": "the file is missing",
        "added": "the file was added after closing",
    }


def test_hidden_file_is_unlisted(tmp_path: Path) -> None:
    """A name that begins with a dot hides nothing."""
    folder = folder_with(tmp_path, ["same"])
    (folder / ".hidden").touch()
    assert [finding.file for finding in check_sums(folder)] == [".hidden"]


def test_link_with_the_same_content_is_found(tmp_path: Path) -> None:
    """A file replaced by a link to a copy of it is no file of the record."""
    folder = folder_with(tmp_path, ["same"])
    (folder / "evidence" / "same").rename(tmp_path / "copy")
    (folder / "evidence" / "same").symlink_to(tmp_path / "copy")
    (finding,) = check_sums(folder)
    assert finding.sentence == "it is not a regular file"


def test_folder_replaced_by_a_link_is_found(tmp_path: Path) -> None:
    """A folder that was moved away and linked back is an unlisted entry."""
    folder = folder_with(tmp_path, ["same"])
    (folder / "evidence").rename(tmp_path / "moved")
    (folder / "evidence").symlink_to(tmp_path / "moved")
    assert [finding.file for finding in check_sums(folder)] == ["evidence"]


def test_link_cannot_be_listed(tmp_path: Path) -> None:
    """A record with a link in it is not closed."""
    folder = folder_with(tmp_path, ["same"])
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(RecordBroken, match="not a regular file: link"):
        write_sums(folder)


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside", "evidence/../../x"])
def test_path_outside_the_record_is_never_read(tmp_path: Path, name: str) -> None:
    """A list that names a file elsewhere is broken."""
    folder = folder_with(tmp_path, [])
    (folder / SUMS).write_text(f"{'0' * 64}  {name}\n")
    (finding,) = check_sums(folder)
    assert finding.sentence == f"it names a path outside the record: {name}"


@pytest.mark.parametrize(
    "text",
    [
        "no digest\n",
        f"{'0' * 64}  unfinished",
        f"{'0' * 63}  short\n",
        f"{'0' * 64}  twice\n{'0' * 64}  twice\n",
        f"\n{'0' * 64}  blank line before\n",
    ],
)
def test_malformed_list_is_broken(tmp_path: Path, text: str) -> None:
    """A list that sha256sum did not write is not read in part."""
    folder = folder_with(tmp_path, [])
    (folder / SUMS).write_text(text)
    (finding,) = check_sums(folder)
    assert (finding.file, finding.severity) == (SUMS, "broken")


def test_missing_list_is_broken(tmp_path: Path) -> None:
    """Without the list nothing is proven."""
    (finding,) = check_sums(tmp_path)
    assert finding.sentence == "the list of digests is missing"
