"""Batches: engines, supervision, isolation, resumption."""
