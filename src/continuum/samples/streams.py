"""Randomness and ids that depend only on names: a seed, a family, a person, a kind of event.

Each part draws from a stream of its own, so a new part never moves what another one draws, and a family is the
same whichever process makes it.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from random import Random
from typing import Generic, TypeVar

Item = TypeVar("Item")


def stream(*key: object) -> Random:
    """A stream of random numbers that belongs to this key and to no other."""
    text = "\x1f".join(map(str, key))
    return Random(int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big"))  # noqa: S311  not a secret


def identity(*key: object) -> str:
    """A UUID (version 8, RFC 9562 §5.8) that belongs to this key."""
    return _uuid("\x1f".join(map(str, key)))


def _uuid(text: str) -> str:
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


class Draw:
    """What one contributor draws for one person: `rng` for chance, `id()` for the next resource's id."""

    __slots__ = ("_count", "_prefix", "rng")

    def __init__(self, *key: object) -> None:
        self.rng = stream("draw", *key)
        self._prefix = "\x1f".join(map(str, ("id", *key))) + "\x1f"
        self._count = 0

    def id(self) -> str:
        """The next id of this contributor for this person."""
        self._count += 1
        return _uuid(f"{self._prefix}{self._count}")


class Weighted(Generic[Item]):
    """A choice among items with weights of any positive sum."""

    __slots__ = ("_cumulative", "items")

    def __init__(self, pairs: Sequence[tuple[Item, float]]) -> None:
        self.items = [item for item, _ in pairs]
        self._cumulative: list[float] = []
        total = 0.0
        for _, weight in pairs:
            total += weight
            self._cumulative.append(total)

    def pick(self, rng: Random) -> Item:
        """One item."""
        return rng.choices(self.items, cum_weights=self._cumulative)[0]


def curve(knots: Sequence[tuple[float, float]], x: float) -> float:
    """The piecewise linear curve through the knots (x ascending), level beyond its ends."""
    if x <= knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in pairwise(knots):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return knots[-1][1]


def poisson(rng: Random, mean: float) -> int:
    """How often something with this expected number happens (Knuth's method; for means up to about 20)."""
    if mean <= 0:
        return 0
    count = 0
    left = rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count
