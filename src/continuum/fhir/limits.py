"""The bounds of the language: units of measure and places."""

NEAR_DEFAULT_KM = 50
"""How far is near, when a search for places near a point does not say."""
UNIT_CHARS_MAX = 120
"""Characters of a unit's code that are read; what is longer is comparable only with itself."""
UNIT_DIGITS_MAX = 12
"""Digits of a number within a unit, as the 24 of `mg/(24.h)`."""
UNIT_EXPONENT_MAX = 36
"""The greatest exponent within a unit, as the 3 of `10*3/uL`."""
UNIT_DEPTH_MAX = 8
"""Parentheses within parentheses of a unit."""
UNIT_FORM_CHARS_MAX = 160
"""Characters of what a unit means, as it is filed; a unit with more is comparable only with itself."""
UNITS_CACHED_MAX = 8_192
"""Codes of units that a process remembers the meaning of."""
VALUE_SET_DEPTH_MAX = 8
"""Value sets that are made of value sets."""
