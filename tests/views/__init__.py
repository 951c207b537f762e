"""Tests of what people see: cards, report and panel."""
