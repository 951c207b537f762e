"""Tests of the engine against a world in memory."""
