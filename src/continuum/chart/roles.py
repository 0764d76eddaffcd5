"""What the roles of staff and of others at the door are called, for people."""

from collections.abc import Mapping

from continuum.chart.entry import N_

ROLES: Mapping[str, str] = {
    "administrator": N_("administrator"),
    "clinician": N_("care team"),
    "commander": N_("commander"),
    "dental-technician": N_("dental technician"),
    "dentist": N_("dentist"),
    "help-desk": N_("help desk"),
    "imaging": N_("imaging"),
    "laboratory": N_("laboratory"),
    "medic": N_("medic"),
    "nurse": N_("nurse"),
    "patient": N_("you or your family"),
    "pharmacist": N_("pharmacist"),
    "physician": N_("physician"),
    "population-analyst": N_("population analyst"),
    "privacy-officer": N_("privacy officer"),
    "proxy": N_("representative"),
    "readiness-clerk": N_("readiness clerk"),
    "registrar": N_("registrar"),
    "scheduler": N_("scheduler"),
    "system": N_("program"),
}
"""Roles by their name in policies (access/actor.py)."""
