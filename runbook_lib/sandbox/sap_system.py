"""What a tenant's SAP side is made of: plain data, no input or output.

Two systems belong to a tenant, since a customer has one or the other: an ABAP
system of their own, seen through the start service of one instance, and a BTP ABAP
environment, seen through communication management.
"""

from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]
Tables = dict[str, dict[str, list[Entity]]]


@dataclass
class SapInstance:
    """One instance of an ABAP system, as its start service sees it.

    `parameters` are the values in force, by name; one that is known and not set is
    missing. `traces` maps the name of a developer trace to its lines. Where
    `running` is false the start service answers and the ABAP stack does not.
    """

    sid: str = "S4D"
    number: str = "00"
    host: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    components: list[Entity] = field(default_factory=list)
    versions: list[Entity] = field(default_factory=list)
    traces: dict[str, list[str]] = field(default_factory=dict)
    running: bool = True

    @property
    def administrator(self) -> str:
        """Return the user of the operating system that may do everything."""
        return f"{self.sid.lower()}adm"

    @property
    def name(self) -> str:
        """Return the name of the instance: a dialogue instance."""
        return f"D{self.number}"

    @property
    def work_folder(self) -> str:
        """Return the folder of the developer traces."""
        return f"/usr/sap/{self.sid}/{self.name}/work"


@dataclass
class SapSide:
    """The SAP systems of one tenant, and who may sign in to them.

    `communication` maps a service of communication management and an entity set to
    its entities, as the service shows them. `scenarios` maps a communication user to
    the scenarios of its own arrangements. `password_hashes` maps a user of either
    system to SHA-256 of the password.
    """

    instance: SapInstance = field(default_factory=SapInstance)
    communication: Tables = field(default_factory=dict)
    scenarios: dict[str, list[str]] = field(default_factory=dict)
    password_hashes: dict[str, str] = field(default_factory=dict)
