"""Long tests, run by name: `make soak NAME=…`."""
