"""Continuum: one health record, from point of injury to the hospital ward."""
