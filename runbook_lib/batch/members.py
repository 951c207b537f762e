"""The tenants of a batch: found, read and checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_lib import opening
from runbook_lib.engine.record import utc_now
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, RunbookError
from runbook_lib.parameters import Parameters
from runbook_lib.secret import SecretReference
from runbook_lib.tenant import Tenant, read_tenant

BATCHES = "batches"  # the folder of the batches' records stands beside the tenants'
PATTERNS = ("*.yaml", "*.yml")


@dataclass(frozen=True)
class Member:
    """One tenant of a batch: its file, its folder, and the name of its run.

    `variables` are the environment variables that hold its secrets.
    """

    name: str
    file: Path
    tenant_id: str
    folder: Path
    run: str
    variables: frozenset[str] = frozenset()

    @property
    def record(self) -> Path:
        """Return the folder of its record."""
        return self.folder / self.run

    @property
    def journal(self) -> Path:
        """Return the journal of the attempt that is under way."""
        return self.folder / f".{self.run}.journal"

    @property
    def notebook(self) -> Path:
        """Return where its notebook waits to be taken into the record."""
        return self.folder / f".{self.run}.ipynb"


@dataclass(frozen=True)
class Broken:
    """A tenant file that cannot be used, and why."""

    file: Path
    error: RunbookError


def tenant_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and the YAML files of folders, sorted.

    Raises:
        InputError: a path does not exist, or a folder holds no tenant file.
    """
    found: list[Path] = []
    for path in paths:
        files = _in_folder(path) if path.is_dir() else [path]
        if not files or not path.exists():
            raise InputError(
                f"--tenants: {path}: no tenant file is here",
                remedy="Give tenant files, or folders that hold them as *.yaml.",
            )
        found += files
    return list(dict.fromkeys(file.absolute() for file in found))


def _in_folder(folder: Path) -> list[Path]:
    return sorted(file for pattern in PATTERNS for file in folder.glob(pattern))


def read_members(
    files: Iterable[Path], parameters: Parameters, runs: Mapping[str, str]
) -> tuple[list[Member], list[Broken]]:
    """Read tenant files; return the members, and the files that cannot be used.

    `runs` gives the run id of a tenant by its name, in a batch that is resumed;
    others get a new one.
    """
    members: dict[str, Member] = {}
    broken: list[Broken] = []
    for file in files:
        try:
            member = _member(file, parameters, runs)
            _distinct(member, members.get(member.name))
        except RunbookError as error:
            broken.append(Broken(file, error))
        else:
            members[member.name] = member
    return list(members.values()), broken


def _member(file: Path, parameters: Parameters, runs: Mapping[str, str]) -> Member:
    tenant = read_tenant(file)
    opening.allowed(Mode(parameters["mode"]), tenant)
    if tenant.name == BATCHES:
        raise InputError(
            f"{file}: name: {BATCHES} is the folder of the batches' records",
            remedy="Give the tenant another name.",
        )
    return Member(
        name=tenant.name,
        file=file,
        tenant_id=str(tenant.tenant_id),
        folder=opening.tenant_folder(parameters, tenant),
        run=runs.get(tenant.name) or opening.new_run_id(utc_now()),
        variables=_variables(tenant),
    )


def _distinct(member: Member, other: Member | None) -> None:
    if other is not None:
        raise InputError(
            f"{member.file}: name: {member.name} is also the name in {other.file}",
            remedy="Give each tenant of a batch a name of its own.",
        )


def _variables(tenant: Tenant) -> frozenset[str]:
    """Return the environment variables that the tenant's secrets come from."""
    reference = SecretReference.parse(tenant.operator.secret)
    return frozenset({reference.rest} if reference.scheme == "env" else ())


def refuse_broken(broken: list[Broken], *, of: int) -> None:
    """Refuse a batch with files that cannot be used.

    Raises:
        InputError: there are some; it names each with its reason.
    """
    if broken:
        lines = [f"{len(broken)} of {of} tenant files cannot be used; nothing started"]
        lines += [item.error.message for item in broken]
        raise InputError(
            "\n".join(lines),
            remedy="Correct them, or give --keep-going to run the others.",
        )


def environment_of(
    member: Member, secrets: frozenset[str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment without the variables of other tenants' secrets.

    `secrets` are the variables of all members.
    """
    others = secrets - member.variables
    return {name: text for name, text in environment.items() if name not in others}
