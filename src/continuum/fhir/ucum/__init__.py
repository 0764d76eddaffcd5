"""Units of measure as UCUM writes them: which can be compared, and by what factor, exactly."""

from continuum.fhir.ucum.unit import UCUM, Unit, unit_of

__all__ = ["UCUM", "Unit", "unit_of"]
