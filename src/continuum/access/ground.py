"""What every part of a Session stands on: who asks, what is open to them, and how an act leaves its trace."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from continuum.access.audit import Context
from continuum.access.policy import Policy
from continuum.fhir.query import Query
from continuum.record.model import Operation, Written
from continuum.record.perform import Patch
from continuum.record.read import Connection

if TYPE_CHECKING:
    from continuum.access.door import Access

T = TypeVar("T")


class Ground(ABC):
    """The session's own means, for the parts that it is put together from."""

    _server: bool
    _door: "Access"
    _policy: Policy
    _context: Context
    acts: int

    @abstractmethod
    def parse(self, resource_type: str, text: str) -> Query:
        """Reads the criteria of a conditional interaction."""

    @abstractmethod
    async def _traced(
        self,
        name: str,
        work: Callable[[Connection], Awaitable[T]],
        resource_type: str | None,
        target: str | None = None,
        query: str | None = None,
    ) -> T:
        """Runs work that only reads, and leaves its one row."""

    @abstractmethod
    async def _written(self, name: str, operation: Operation, patches: Sequence[Patch] = ()) -> Written:
        """Carries out one write, and leaves its one row."""
