"""Tests of what happens to a record after its kernel has ended."""
