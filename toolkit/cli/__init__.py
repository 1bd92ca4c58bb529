"""The command line: parses, calls one workflow, shows its result, maps errors to exit codes. No work of its own."""
