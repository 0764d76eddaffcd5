"""Plays an earlier release, which did not know a search parameter yet, and says where it lies in each row."""

from typing import Any

from continuum.fhir import search_params
from continuum.record import entry


class Earlier:
    """Before `Observation.value-quantity` and `Observation.value-string`: neither is filed, neither has a rule."""

    NEW = ("value-quantity", "value-string")

    def __init__(self, monkeypatch: Any) -> None:
        self._monkeypatch = monkeypatch

    def begin(self) -> None:
        """From now on this process is the earlier release."""
        extract = entry.extract

        def without(resource: dict[str, Any]) -> Any:
            found = extract(resource)
            if resource["resourceType"] == "Observation":
                found.quantities = [one for one in found.quantities if one[0] not in self.NEW]
                found.strings = [one for one in found.strings if one[0] not in self.NEW]
            return found

        marks = dict(search_params.FINGERPRINTS["Observation"])
        for code in self.NEW:
            del marks[code]
        self._monkeypatch.setattr(entry, "extract", without)
        self._monkeypatch.setattr(search_params, "FINGERPRINTS", {**search_params.FINGERPRINTS, "Observation": marks})

    def end(self) -> None:
        """From now on it is this release."""
        self._monkeypatch.undo()
