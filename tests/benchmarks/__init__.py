"""Measurements: what a batch costs, against the other ways of running a notebook."""
