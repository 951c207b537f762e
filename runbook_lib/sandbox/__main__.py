"""`python -m runbook_lib.sandbox` is `runbook sandbox`."""

from runbook_lib.sandbox.command import sandbox

if __name__ == "__main__":
    sandbox()
