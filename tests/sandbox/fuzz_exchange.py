"""What InvokeCommand is fuzzed with, and what has to hold for every answer."""

import json
import string
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.exchange_cmdlets import HANDLERS
from runbook_lib.sandbox.exchange_contract import cmdlets
from tests.sandbox.cmdlet_parameters import CHANGING, READING
from tests.sandbox.mail import INBOX, MAILBOX
from tests.sandbox.world import World

TOKENS = ("operator", "graph", "none", "garbage")

LIKELY = st.sampled_from(
    [
        MAILBOX,
        INBOX,
        "contoso.com",
        "known",
        "*",
        "203.0.113.10",
        "203.0.113.0/24",
        "2026-11-25T00:00:00Z",
        "FullAccess",
        "SendAs",
        "Unlimited",
        "35MB",
        "0MB",
        "Alias -eq 'sap'",
        "11111111-2222-3333-4444-555555555555",
        "",
        "\x00",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | LIKELY
    | st.text(max_size=20)
)
HASH_TABLES = st.dictionaries(
    st.sampled_from(["@odata.type", "add", "remove", "Add", "x"]),
    st.just("#Exchange.GenericHashTable") | SCALARS | st.lists(SCALARS, max_size=3),
    max_size=4,
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | HASH_TABLES
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@dataclass(frozen=True)
class Request:
    """One request to the admin API; `token` is one of TOKENS."""

    token: str
    method: str
    path: str
    query: dict[str, str]
    prefer: str
    body: bytes


@st.composite
def invocations(draw: st.DrawFn) -> bytes:
    """Make the body of an InvokeCommand that is nearly right."""
    name = draw(st.sampled_from(sorted(HANDLERS)) | st.sampled_from(sorted(cmdlets())))
    known = cmdlets()[name.lower()]
    parameters: dict[str, Any] = dict({**CHANGING, **READING}.get(known.name, {}))
    names = st.sampled_from(sorted(p.name for p in known.parameters.values()))
    parameters |= draw(st.dictionaries(names, VALUES, max_size=4))
    for left_out in draw(st.lists(names, max_size=2)):
        parameters.pop(left_out, None)
    parameters |= draw(st.dictionaries(st.text(max_size=6), VALUES, max_size=1))
    given = {"CmdletName": known.name, "Parameters": parameters}
    return json.dumps({"CmdletInput": given}).encode()


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """Make the body of a batch that is nearly right."""
    items = []
    for number, body in enumerate(draw(st.lists(invocations(), max_size=3))):
        url = draw(st.sampled_from(["/InvokeCommand", "InvokeCommand?a=b", "", "/x"]))
        method = draw(st.sampled_from(["POST", "post", "GET"]))
        given = {"id": str(number), "method": method, "url": url}
        items.append({**given, "body": json.loads(body)})
    return json.dumps(
        {"requests": [*items, *draw(st.lists(JSON, max_size=1))]}
    ).encode()


BODIES = st.one_of(
    batches(),
    invocations(),
    invocations(),
    invocations(),
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"CmdletInput": value}).encode()),
    st.binary(max_size=60),
)
TEXTS = st.text(string.printable.replace("\x0b", "").replace("\x0c", ""), max_size=20)
REQUESTS = st.builds(
    Request,
    token=st.sampled_from(("operator", *TOKENS)),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "DELETE"]),
    path=st.sampled_from(
        ["beta/{id}/InvokeCommand"] * 6
        + ["v1.0/{id}/InvokeCommand", "beta/x/InvokeCommand", "beta/{id}/$batch"]
    ),
    query=st.just({})
    | st.just({"$select": "Name,Guid"})
    | st.just({"$skiptoken": "e30"})
    | st.dictionaries(st.sampled_from(["$skiptoken", "$select"]), TEXTS, max_size=2),
    prefer=st.sampled_from(["", "odata.maxpagesize=1", "odata.maxpagesize=0"]) | TEXTS,
    body=BODIES,
)


class ExchangeFuzz:
    """A world and the invariant of each answer."""

    def __init__(self, world: World) -> None:
        """Take tokens once."""
        self.world = world
        self.tokens = {
            "operator": world.token(),
            "graph": world.token(scope="https://graph.microsoft.com/.default"),
            "none": "",
            "garbage": "a.b.c",
        }

    def check(self, request: Request) -> None:
        """No answer of 500 or more; only permitted writes change something."""
        world = self.world
        before = dump(world.sandbox, world.tenant)
        status = self._send(request)
        assert status < 500, status
        unchanged = dump(world.sandbox, world.tenant) == before
        if request.token != "operator":
            assert status in (401, 403, 404, 405), status
            assert unchanged
        if status >= 400 or (self._reads(request) and "$batch" not in request.path):
            assert unchanged, (status, request.body)

    def _send(self, request: Request) -> int:
        """Send a request and return the status."""
        path = request.path.replace("{id}", self.world.tenant.tenant_id)
        headers = {"Authorization": f"Bearer {self.tokens[request.token]}"}
        prefer = request.prefer.encode("ascii", "ignore").decode()
        headers["Prefer"] = " ".join(prefer.split())
        built = self.world.client.build_request(
            request.method,
            f"https://outlook.office365.com/adminapi/{path}",
            params=request.query,
            headers=headers,
            content=request.body,
        )
        return self.world.raw_answer(built)[0]

    @staticmethod
    def _reads(request: Request) -> bool:
        """Say whether a body names a reading cmdlet."""
        return b'"CmdletName": "Get-' in request.body
