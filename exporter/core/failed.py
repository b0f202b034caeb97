"""What stands for a value of a configuration that could not be decoded."""

from typing import Any, Final


class _Failed:
    """A value whose problem is noted. Where it is asked what several do wrong together, it is there, and neither less
    nor more than another."""

    __slots__ = ()

    def __rmul__(self, _: object) -> "_Failed":
        return self

    def __lt__(self, _: object) -> bool:
        return False

    def __gt__(self, _: object) -> bool:
        return False


FAILED: Final[Any] = _Failed()
