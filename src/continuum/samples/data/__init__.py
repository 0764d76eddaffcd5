"""Tables: what the invented world is made of and how often things happen. Each figure says where it is from.

`Source` marks a table: read (the publication or a faithful report of it was at hand when the table was written),
recalled (written from memory of the publication, to be checked before it is quoted), or chosen (no publication:
a plausible value that serves the samples).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures of a table come from, and how sure that is."""

    table: str
    publication: str
    kind: Literal["read", "recalled", "chosen"]
