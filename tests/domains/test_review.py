"""Review's families: a project that could not be read has no numbers but the one that says so."""

from exporter.domains.review import FAMILIES, Playlists, Review
from tests.domains.points import points

FACTS = Review({"b": Playlists(2, 5, 3, 10.5), "a": Playlists(), "c": None}, {"a": 0, "b": 1, "c": 1})


def test_what_was_read_is_told_and_what_was_not_is_counted() -> None:
    assert points(FAMILIES, FACTS) == {
        "studio_review_playlists": {("a",): 0, ("b",): 2},
        "studio_review_clips": {("a",): 0, ("b",): 5},
        "studio_review_shots": {("a",): 0, ("b",): 3},
        "studio_review_footage_seconds": {("a",): 0.0, ("b",): 10.5},
        "studio_review_unread_playlists": {("a",): 0, ("b",): 1, ("c",): 1},
    }


def test_points_come_in_the_order_of_their_labels() -> None:
    for family in FAMILIES:
        labels = [labels for labels, _ in family.points(FACTS)]
        assert labels == sorted(labels)
