"""Batches: one notebook for many tenants, each in a process and record of its own."""
