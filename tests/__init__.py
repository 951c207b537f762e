"""Tests of the runbooks, folder by folder as the package."""
