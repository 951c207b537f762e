"""Tests of the steps against fakes that know only the calls a step may make."""
