"""The command line, for those who run a Continuum server."""
