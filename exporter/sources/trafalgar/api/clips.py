"""The playlists of a review as the system's API shows them."""

from collections.abc import Mapping

import msgspec


class ClipShown(msgspec.Struct, frozen=True, gc=False):
    """A version that can be played; the seconds that it runs are None where they are not known."""

    shot: str
    version: str
    source_path: str
    frame_range: str
    user: str
    duration_seconds: float | None


Playlist = tuple[ClipShown, ...]

Playlists = Mapping[str, Mapping[str, Playlist | None] | None]
"""By project and name; None for a playlist that could not be read, and for a project without even a list of them."""
