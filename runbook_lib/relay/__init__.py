"""Option 4: the files of a relay server, rendered from parameters; no I/O."""
