"""Choosing an option."""
