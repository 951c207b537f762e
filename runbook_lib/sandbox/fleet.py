"""Thousands of tenants in one process: made when first asked for, packed when idle.

A tenant in use is a graph of some thousand Python objects. `Fleet` keeps the ones
used last as they are, and all others packed: a pickle, compressed. So memory per
tenant stays flat, and a request costs the same however many tenants there are.

A tenant that somebody still holds (an SMTP session between two commands) is never
packed: it would change without the fleet knowing.
"""

import pickle
import sys
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping

from runbook_lib.sandbox.state import Tenant

MOST_UNPACKED = 64

# What `sys.getrefcount` says of a tenant that nobody holds but the fleet: the
# dictionary, the local name, and the argument of the call.
_OWN_REFERENCES = 3
_FASTEST = 1  # level of compression


class Fleet(MutableMapping[str, Tenant]):
    """Tenants by id, in the order in which they were announced."""

    def __init__(self, most_unpacked: int = MOST_UNPACKED) -> None:
        """Begin without tenants; keep at most `most_unpacked` of them at hand."""
        self._makers: dict[str, Callable[[], Tenant] | None] = {}
        self._packed: dict[str, bytes] = {}
        self._unpacked: OrderedDict[str, Tenant] = OrderedDict()
        self._most = most_unpacked

    def announce(self, tenant_id: str, make: Callable[[], Tenant]) -> None:
        """Add a tenant that is made when it is first asked for."""
        self._makers[tenant_id] = make

    def __getitem__(self, tenant_id: str) -> Tenant:
        """Return a tenant; KeyError where there is none."""
        tenant = self._unpacked.get(tenant_id) or self._fetched(tenant_id)
        self._unpacked[tenant_id] = tenant
        self._unpacked.move_to_end(tenant_id)
        if len(self._unpacked) > self._most:
            self._pack_idle(but=tenant_id)
        return tenant

    def __setitem__(self, tenant_id: str, tenant: Tenant) -> None:
        """Add or replace a tenant."""
        self._makers[tenant_id] = None
        self._packed.pop(tenant_id, None)
        self._unpacked[tenant_id] = tenant

    def __delitem__(self, tenant_id: str) -> None:
        """Remove a tenant; KeyError where there is none."""
        del self._makers[tenant_id]
        self._packed.pop(tenant_id, None)
        self._unpacked.pop(tenant_id, None)

    def __contains__(self, tenant_id: object) -> bool:
        """Say whether a tenant is there, without making it."""
        return tenant_id in self._makers

    def __iter__(self) -> Iterator[str]:
        """Yield the tenant ids."""
        return iter(list(self._makers))

    def __len__(self) -> int:
        """Return how many tenants there are."""
        return len(self._makers)

    def _fetched(self, tenant_id: str) -> Tenant:
        """Return a tenant that is not at hand: unpacked, or made now."""
        make = self._makers[tenant_id]
        packed = self._packed.pop(tenant_id, None)
        if packed is not None:
            # Only what this very process packed is ever unpacked.
            tenant: Tenant = pickle.loads(zlib.decompress(packed))  # noqa: S301
            return tenant
        if make is None:
            raise KeyError(tenant_id)
        self._makers[tenant_id] = None
        return make()

    def _pack_idle(self, but: str) -> None:
        """Pack the tenant that was not used for longest and that nobody holds."""
        for tenant_id in self._unpacked:
            tenant = self._unpacked[tenant_id]
            if tenant_id != but and sys.getrefcount(tenant) <= _OWN_REFERENCES:
                text = pickle.dumps(tenant, pickle.HIGHEST_PROTOCOL)
                self._packed[tenant_id] = zlib.compress(text, _FASTEST)
                del self._unpacked[tenant_id]
                return
