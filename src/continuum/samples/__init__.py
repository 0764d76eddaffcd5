"""Synthetic military families: FHIR R4 resources made from a seed, with no database and no clock.

`world.generate` is the way in. Every person, name, number and address is invented.
"""
