"""Whole runs against a sandbox process."""
