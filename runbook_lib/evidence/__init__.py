"""After the kernel: closing, leak search, sums, ledger, seal and audit."""
