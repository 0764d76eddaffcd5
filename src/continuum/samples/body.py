"""One person's body over the years: what a scale, a cuff and a laboratory would find on a given day.

Everything follows from what the person was born with, the illnesses and their treatment. Measurement noise is
added by those who measure.
"""

from dataclasses import dataclass, field
from datetime import date
from math import exp

from continuum.samples.data import families, growth
from continuum.samples.persons import Birth, Body, Sex
from continuum.samples.streams import curve

_PREGNANCY_GAIN_KG = 12.5


@dataclass(slots=True)
class Physiology:
    """Values by day. `onset` and `treated` give the first days of illnesses and of their treatment, by key."""

    sex: Sex
    born: date
    body: Body
    smoker: bool = False
    in_service: tuple[date, date] | None = None
    births: list[Birth] = field(default_factory=list)
    onset: dict[str, date] = field(default_factory=dict)
    treated: dict[str, date] = field(default_factory=dict)

    def age(self, day: date) -> float:
        """Age in years."""
        return (day - self.born).days / 365.25

    def height_cm(self, day: date) -> float:
        """Standing height, or length below two years."""
        median = curve(growth.HEIGHT_CM[self.sex], self.age(day))
        return median * (1 + growth.HEIGHT_SD_SHARE * self.body.height_z)

    def bmi(self, day: date) -> float:
        """Body mass index in kg/m2, without pregnancy."""
        age = self.age(day)
        value = curve(growth.BMI, age) * exp(curve(growth.BMI_LOG_SD, age) * self.body.weight_z)
        most = families.BMI_IN_SERVICE_MAX
        if value > most and self.in_service is not None and self.in_service[0] <= day <= self.in_service[1]:
            return most + 0.08 * (value - most)
        return value

    def weight_kg(self, day: date) -> float:
        """Body weight, a pregnancy included."""
        metres = self.height_cm(day) / 100
        weight = self.bmi(day) * metres * metres
        birth = self.pregnancy(day)
        if birth is not None:
            share = (day - birth.conceived).days / max(1, (birth.born - birth.conceived).days)
            weight += _PREGNANCY_GAIN_KG * share**1.5
        return weight

    def pregnancy(self, day: date) -> Birth | None:
        """The pregnancy under way."""
        for birth in self.births:
            if birth.conceived <= day < birth.born:
                return birth
        return None

    def systolic_mmhg(self, day: date) -> float:
        """Systolic pressure: rises in the years before hypertension is found, falls in the months of treatment."""
        value = curve(growth.SYSTOLIC[self.sex], self.age(day)) + 4.5 * max(-2.0, min(2.0, self.body.pressure_z))
        onset = self.onset.get("hypertension")
        if onset is None:
            return min(value, 131.0)
        years = (day - onset).days / 365.25
        goal = max(127.0, min(value, 131.0))
        peak = max(value, 124.0) + 26
        value = value + (peak - value) * max(0.0, min(1.0, 1 + years / 4))
        treated = self.treated.get("hypertension")
        if treated is not None and day > treated:
            value -= (peak - goal) * min(1.0, (day - treated).days / 120)
        return value

    def diastolic_mmhg(self, day: date) -> float:
        """Diastolic pressure, in step with the systolic."""
        systolic = self.systolic_mmhg(day)
        stiffness = max(0.0, self.age(day) - 55) * 0.22
        return curve(growth.DIASTOLIC_SHARE, self.age(day)) * systolic + 1.5 - stiffness

    def pulse_bpm(self, day: date) -> float:
        """Resting heart rate per minute."""
        value = curve(growth.PULSE[self.sex], self.age(day)) + 5 * max(-2.0, min(2.0, self.body.pulse_z))
        if self.in_service is not None and self.in_service[0] <= day <= self.in_service[1]:
            value -= 5
        return value + (9 if self.pregnancy(day) is not None else 0)

    def breaths_per_minute(self, day: date) -> float:
        """Resting respiratory rate."""
        return curve(growth.BREATHS, self.age(day))

    def oxygen_percent(self, day: date) -> float:
        """Oxygen saturation at rest."""
        return 94.5 if self._has("copd", day) else 98.2

    def a1c_percent(self, day: date) -> float:
        """Haemoglobin A1c: creeps up before diabetes is found, is brought down within months of treatment."""
        base = 5.25 + 0.006 * max(0.0, self.age(day) - 30) + 0.05 * max(-1.5, min(1.5, self.body.weight_z))
        onset = self.onset.get("diabetes2")
        if onset is None:
            return min(base, 5.85)
        years = (day - onset).days / 365.25
        peak = 7.6 + 0.55 * max(-1.0, min(3.0, self.body.weight_z))
        value = base + (peak - base) * max(0.0, min(1.0, 1 + years / 5))
        treated = self.treated.get("diabetes2")
        if treated is not None and day > treated:
            goal = 6.6 + 0.18 * max(-1.0, min(3.0, self.body.weight_z))
            value = goal + (value - goal) * exp(-(day - treated).days / 110)
        return value

    def ldl_mg_dl(self, day: date) -> float:
        """LDL cholesterol: high in hyperlipidemia, 45 % lower under a statin."""
        value = curve(growth.LDL[self.sex], self.age(day)) + 14 * max(-2.0, min(2.0, self.body.lipids_z))
        value = max(value, 128.0) + 34 if self._has("hyperlipidemia", day) else min(value, 152.0)
        treated = self.treated.get("hyperlipidemia") or self.treated.get("coronary_disease")
        if treated is not None and day > treated:
            value *= 1 - growth.STATIN_LOWERS_LDL * min(1.0, (day - treated).days / 60)
        return value

    def hdl_mg_dl(self) -> float:
        """HDL cholesterol: the less, the more weight and LDL."""
        mean, spread = growth.HDL[self.sex]
        return mean - spread * (0.6 * self.body.weight_z + 0.75 * self.body.lipids_z)

    def egfr(self, day: date) -> float:
        """Estimated glomerular filtration rate in mL/min/1.73 m2."""
        value = curve(growth.EGFR, self.age(day)) + 5 * max(-1.5, min(1.5, self.body.height_z))
        if self._has("kidney_disease3", day):
            years = (day - self.onset["kidney_disease3"]).days / 365.25
            return max(32.0, 55.0 - 1.1 * years)
        return max(value, 63.0)

    def _has(self, key: str, day: date) -> bool:
        onset = self.onset.get(key)
        return onset is not None and onset <= day
