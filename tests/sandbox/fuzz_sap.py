"""What is fuzzed of the SAP side: calls of the start service, reads of OData."""

import time
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import strategies as st

from runbook_lib.sandbox.btp_communication_types import SERVICES
from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.sapcontrol_methods import METHODS
from tests.sandbox.fuzzing import LONGEST_ANSWER, texts
from tests.sandbox.fuzzing import METHODS as HTTP_METHODS
from tests.sandbox.sap_systems import BTP, HOST, envelope, fault_of, sign_in
from tests.sandbox.world import World

WORDS = ("dev_icm", "0", "-5", "99999999999", "icm/server_port_1", "Stop", "&", "]]>")
CLAUSES = (
    "Name eq 'x'",
    "Name eq 'it''s' and TCPPort ne 25",
    "Properties($expand=PropertyValues($select=Value))",
    "UUID,Name,*",
    "(",
    "'",
    "1",
)
OPTIONS = ("$filter", "$select", "$expand", "$top", "$skip", "$count", "$orderby")

Shot = dict[str, Any]


class SapTarget:
    """Both hosts; whoever asks, nothing may change."""

    def __init__(self, world: World) -> None:
        """Know the users, and the state that has to stay."""
        self.world = world
        self.users = [sign_in(world, name) for name in world_users(world)]
        self.before = dump(world.sandbox, world.tenant)

    def shots(self) -> st.SearchStrategy[Shot]:
        """Return calls and reads."""
        names = sorted({part for m in METHODS.values() for part in m.takes} | {"x"})
        call = st.fixed_dictionaries(
            {
                "method": texts(*METHODS, "Stop"),
                "parameters": st.dictionaries(
                    st.sampled_from(names), texts(*WORDS), max_size=3
                ),
                "cut": st.integers(0, 300),
                "put": texts("<", ">", "\x00", "<!--", "<!DOCTYPE a>"),
                "user": st.sampled_from([None, *self.users]),
            }
        )
        sets = sorted({name for service in SERVICES.values() for name in service})
        read = st.fixed_dictionaries(
            {
                "verb": HTTP_METHODS,
                "service": st.sampled_from(list(SERVICES)),
                "path": st.lists(texts(*sets, "(1)", "$metadata", "/"), max_size=4),
                "query": st.dictionaries(texts(*OPTIONS), texts(*CLAUSES), max_size=3),
                "user": st.sampled_from([None, *self.users]),
            }
        )
        return st.one_of(call, read)

    def send(self, shot: Shot) -> None:
        """Send one; a server error is a fault in an envelope or it is none."""
        begin = time.monotonic()
        answer = self._called(shot) if "method" in shot else self._read(shot)
        assert time.monotonic() - begin < LONGEST_ANSWER
        assert dump(self.world.sandbox, self.world.tenant) == self.before
        if "method" in shot and answer.status_code != 200:
            assert fault_of(answer)[1]
        else:
            assert answer.status_code < 500

    def _called(self, shot: Shot) -> httpx.Response:
        """Call a method, with something put into the envelope now and then."""
        text, cut = envelope(quote(shot["method"]), shot["parameters"]), shot["cut"]
        if cut < 150:
            text = text[:cut] + shot["put"] + text[cut:]
        content = text.encode(errors="replace")
        return self.world.request("POST", HOST, content=content, auth=shot["user"])

    def _read(self, shot: Shot) -> httpx.Response:
        """Send a request to communication management."""
        service = shot["service"]
        root = f"{BTP}/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{service}/0001"
        path = quote("".join(shot["path"]), safe="/$()'=,", errors="replace")
        query = "&".join(
            f"{quote(name, errors='replace')}={quote(text, errors='replace')}"
            for name, text in shot["query"].items()
        )
        url = f"{root}/{path}" + (f"?{query}" if query else "")
        return self.world.request(shot["verb"], url, auth=shot["user"])


def world_users(world: World) -> list[str]:
    """Return the names of the users of both systems."""
    return list(world.plans[world.tenant.tenant_id].sap_users)
