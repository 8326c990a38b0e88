"""What a run of the generator is told, and the numbers that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from orchestration.demo.text import DAY, mixed

# Persons are made in blocks of this size, each from its own random stream: memory stays flat,
# blocks can be made in parallel, and the first 50,000 persons are the same whatever the total.
BLOCK = 50_000


@dataclass(frozen=True)
class Settings:
    """One run: persons, seed and the period (microseconds since 1970, UTC)."""

    persons: int
    seed: int
    start: int
    end: int
    block_size: int = BLOCK

    @classmethod
    def of(
        cls, persons: int, seed: int, first: date, as_of: date, block_size: int = BLOCK
    ) -> Settings:
        def midnight(day: date) -> int:
            return (day - date(1970, 1, 1)).days * DAY

        return cls(persons, seed, midnight(first), midnight(as_of), block_size)

    @property
    def blocks(self) -> int:
        return max(1, -(-self.persons // self.block_size))

    @property
    def span(self) -> int:
        """Length of the period in microseconds."""
        return self.end - self.start

    def rng(self, name: str, block: int = 0) -> np.random.Generator:
        """A random stream of its own for each module and block, so that one module's draws
        do not move another's."""
        label = int.from_bytes(name.encode()[:8].ljust(8, b"_"), "big")
        return np.random.default_rng(np.random.SeedSequence([self.seed, label, block]))


def scattered(values: np.ndarray, seed: int, stream: int, modulus: int) -> np.ndarray:
    """A bijection of 0..modulus-1 for modulus prime: native keys must not betray the person."""
    factor, offset = (
        1 + int(number % np.uint64(modulus - 2))
        for number in mixed(np.array([2 * stream, 2 * stream + 1]), seed)
    )
    high, low = factor >> 20, factor & 0xFFFFF
    values = np.asarray(values, dtype=np.int64)
    # The product is split, so that it fits into 64 bits.
    top = values * high % modulus
    return ((top << 20) % modulus + values * low % modulus + offset) % modulus
