"""Numbers that the rules compare with, each with its source."""

from __future__ import annotations

# Microsoft Learn, "Exchange Online limits", receiving and sending limits.
RECIPIENTS_PER_DAY = 10_000
MESSAGES_PER_MINUTE = 30

# Microsoft Learn, "Tenant external recipient rate limit".
TRIAL_EXTERNAL_PER_DAY = 5_000

# Releases, as plain numbers. Source: the guide; SAP Notes 1747180 and 510007.
OAUTH_BASIS = 750
CERTIFICATE_BASIS = 751
TLS_KERNEL = (721, 33)
TLS_CRYPTO_LIBRARY = (8, 4, 38)

# The guide says "multiple application servers"; the number is this project's.
MANY_SERVERS = 10


def external_limit(licenses: int) -> int:
    """Return how many external recipients a tenant may have in 24 hours.

    0 licenses stand for a trial. Source: Microsoft Learn, "Tenant external
    recipient rate limit" (500 × licenses^0.7 + 9,500).
    """
    if licenses == 0:
        return TRIAL_EXTERNAL_PER_DAY
    return int(500 * licenses**0.7 + 9_500)
