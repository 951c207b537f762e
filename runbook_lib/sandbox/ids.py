"""Identifiers: their form, and a source of them that a seed decides.

From a seed, so that two runs give the same objects.
"""

import random
import string
import uuid

SECRET_ALPHABET = string.ascii_letters + string.digits + "~._-"


def is_guid(value: str) -> bool:
    """Say whether a text is a GUID in its usual form, whatever its case."""
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


class _CountingRandom(random.Random):
    """The usual generator; it counts the words of 32 bits that were drawn."""

    words = 0

    def getrandbits(self, k: int, /) -> int:
        """Return `k` random bits; everything else here is made of these."""
        self.words += (k + 31) // 32
        return super().getrandbits(k)


class IdSource:
    """Give GUIDs and short texts in an order that the seed decides.

    Each tenant has a source of its own: the ids of one tenant do not depend on
    how many others there are or on what is done to them.
    """

    def __init__(self, seed: str) -> None:
        """Start the sequence that belongs to `seed`."""
        self._seed = seed
        self._random = _CountingRandom(seed)

    def __getstate__(self) -> tuple[str, int]:
        """Pack the seed and how far the sequence is: less than the generator."""
        return self._seed, self._random.words

    def __setstate__(self, state: tuple[str, int]) -> None:
        """Go on where the sequence was."""
        self._seed, words = state
        self._random = _CountingRandom(self._seed)
        if words:
            self._random.getrandbits(32 * words)

    def guid(self) -> str:
        """Return the next GUID, version 4, in lower case."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hexadecimal(self, length: int) -> str:
        """Return the next `length` hexadecimal digits in lower case."""
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def letters(self, length: int) -> str:
        """Return the next `length` letters and digits."""
        alphabet = string.ascii_letters + string.digits
        return "".join(self._random.choice(alphabet) for _ in range(length))

    def number(self, low: int, high: int) -> int:
        """Return the next whole number between `low` and `high`, both included."""
        return self._random.randint(low, high)
