"""The handover sheet: what is done in SAP, by whom, with which values, and proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook_lib.sap.release import Product
from runbook_lib.sap.values import SapValue

BASIS = "SAP Basis"
ECS = "SAP ECS, by service request"
NETWORK = "Network team"
BTP_ADMIN = "BTP administrator"
KEY_USER = "SAP key user"
SAP_SUPPORT = "SAP, by support case"
CONNECTOR_ADMIN = "Cloud Connector administrator"
CHOOSER = "Whoever chose the option"
UNKNOWN = "known after apply"


@dataclass(frozen=True)
class SheetFacts:
    """What a sheet is made from; texts that are not known yet are `UNKNOWN`.

    `option` is 1 to 4. `credential` is secret or certificate. `port_line` is the
    line of an SMTP service that pasted evidence shows, `free_index` the next
    free index of `icm/server_port_<n>` in it; both None without evidence.
    `senders` are the From addresses that the run judged, each with what covers it.
    `steps` are the steps of the run's notebook: only they take evidence in.
    """

    option: int
    product: Product
    run: str
    tenant_id: str
    login: str
    scope: str
    mail_host: str
    mailbox: str
    domain: str
    recipient: str
    app_id: str = UNKNOWN
    key_id: str = UNKNOWN
    secret_until: str = UNKNOWN
    certificate_sha1: str = UNKNOWN
    certificate_until: str = UNKNOWN
    credential: str = "secret"
    free_index: int | None = None
    port_line: str | None = None
    senders: tuple[tuple[str, str], ...] = ()
    steps: frozenset[str] = field(default_factory=frozenset)

    @property
    def port(self) -> int:
        """Return the port of the mail host."""
        return 587 if self.option == 1 else 25

    @property
    def marker(self) -> str:
        """Return what the title of a test message has to hold."""
        return f"runbook:{self.run}"

    @property
    def in_sap_cloud(self) -> bool:
        """Tell whether nobody but SAP reaches host, trust and transactions."""
        return self.product in (Product.BTP_ABAP, Product.S4_PUBLIC)

    @property
    def operated_by_sap(self) -> bool:
        """Tell whether profile, ICM and STRUST are in SAP's hands."""
        return self.product is Product.S4_PRIVATE


@dataclass(frozen=True)
class Action:
    """One thing to do in SAP.

    `place` is transaction and menu path, `values` what is entered there, `steps`
    what is done in which order. `reason` says why, `proof` what shows that it
    is done, `evidence` the step of the runbook that takes it in. `corrections`
    say where the guide is wrong. `back_out` undoes it.
    """

    id: str
    title: str
    executor: str
    place: str
    steps: tuple[str, ...]
    reason: str
    proof: str
    back_out: str
    values: tuple[SapValue, ...] = ()
    evidence: str | None = None
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expiry:
    """One date after which mail stops, or a rule changes; `until` is as read."""

    what: str
    until: str
    then: str


@dataclass(frozen=True)
class Blank:
    """A form to fill in and to hand back: for which step, and its lines."""

    step: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """One handover sheet: for one option and one product.

    `handing_over` is for the person who carries it, `words` are SAP's with their
    meaning. Without tests there is nothing to do in SAP.
    """

    title: str
    facts: SheetFacts
    intro: str
    actions: tuple[Action, ...]
    tests: tuple[str, ...]
    expiries: tuple[Expiry, ...]
    blanks: tuple[Blank, ...] = ()
    handing_over: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()

    @property
    def in_sap_gui(self) -> bool:
        """Tell whether the actions are transactions of a system of one's own."""
        return any(action.id == "previous-values" for action in self.actions)

    def by_executor(self) -> Mapping[str, Sequence[tuple[int, Action]]]:
        """Return who does what: actions with their numbers, in their order."""
        found: dict[str, list[tuple[int, Action]]] = {}
        for number, action in enumerate(self.actions, start=1):
            found.setdefault(action.executor, []).append((number, action))
        return found

    def backing_out(self) -> list[Action]:
        """Return the actions in the order in which they are undone."""
        return [action for action in reversed(self.actions) if action.back_out]
