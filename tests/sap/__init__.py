"""Tests of what is read from SAP's screens and from tools on its host."""
