"""Generated code; see scripts/."""
