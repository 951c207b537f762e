"""Numbers that the rules compare with, each with its source."""

from __future__ import annotations

# Releases, as plain numbers. Source: the guide; SAP Notes 1747180 and 510007.
OAUTH_BASIS = 750
CERTIFICATE_BASIS = 751
TLS_KERNEL = (721, 33)
TLS_CRYPTO_LIBRARY = (8, 4, 38)

# The guide says "multiple application servers"; the number is this project's.
MANY_SERVERS = 10
