"""The checks, a file per subject; each has `CHECKS`. `toolkit.audit.registry` finds them by themselves."""
