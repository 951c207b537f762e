"""A Microsoft 365 tenant on loopback that speaks the published protocols.

It imports nothing of the rest of the package, so that it cannot agree with a
wrong client by construction.
"""
