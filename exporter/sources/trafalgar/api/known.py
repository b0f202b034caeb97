"""Which parts there are, and what is said where one of them is not known."""

from collections.abc import Iterable
from dataclasses import dataclass

from exporter.core.api import Answer, Reading
from exporter.sources.trafalgar.api.replies import detail


@dataclass(frozen=True, slots=True)
class Known:
    """The parts that are configured. One that is not has nothing, as a system had that was told of no such file."""

    parts: tuple[str, ...]

    def only(self, parts: Iterable[str]) -> tuple[str, ...]:
        """Those that are configured."""
        return tuple(part for part in parts if part in self.parts)

    def lacking(self, reading: Reading, *parts: str) -> Answer | None:
        """The answer where a part that is configured was not read yet, or not for too long; None where all were."""
        names = [part for part in self.only(parts) if part not in reading.values]
        if not names:
            return None
        said = f"Not read yet, or not for too long: {', '.join(names)}."
        return detail(said, 503, {"Retry-After": "1"})
