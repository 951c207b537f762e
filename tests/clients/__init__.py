"""Tests of the wire: local servers and transports, never the network."""
