"""The wire: one module per service, with its URLs, authentication and errors.

A client knows hosts, identifiers and secrets; it never knows a tenant file, a
step or a run. Every exchange is reported to a `Traffic` receiver.
"""
