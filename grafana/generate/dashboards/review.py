"""Review and production: playlists, versions, and where records disagree."""

from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen
from grafana.generate.dashboards.style import (
    AnyPanel,
    Column,
    bars,
    coloured,
    lines,
    listing,
    sized,
    stacked,
    tile,
)

each = Chosen({"source": "source", "project": "project"})

PROJECT = Choice(
    "project",
    "Project",
    'label_values({__name__=~"studio_review_playlists|studio_shots",source=~"$source"}, project)',
    "The projects that have versions or playlists.",
)


def page(colours: Colours) -> Page:
    return Page(
        "studio-review",
        "How much there is to review, how the versions stand, and whether the records agree.",
        [source("studio_projects"), PROJECT],
        [Row("Now", now(colours)), Row("By project", projects(colours)), Row("Through time", history(colours))],
    )


def total(metric: str) -> str:
    return f"sum({each.best(metric, 'project')})"


def now(colours: Colours) -> list[AnyPanel]:
    return [
        tile(
            "Projects", "Projects known: configured, on record or found.", (f"sum({each.best('studio_projects')})", "")
        ),
        tile("Shots", "Distinct shots that have a version.", (total("studio_shots"), "")),
        tile("Playlists", "Review playlists that could be read.", (total("studio_review_playlists"), "")),
        tile(
            "Clips",
            "Versions with media in them; one counts in each of its playlists.",
            (total("studio_review_clips"), ""),
        ),
        tile("Footage", "For how long these clips run.", (total("studio_review_footage_seconds"), ""), unit="s"),
        tile(
            "Unread playlists",
            "Playlists that could not be read: they are missing in the numbers beside. Look at their rights and "
            "links in ShotGrid.",
            (total("studio_review_unread_playlists"), ""),
            colours=colours("review_unread"),
        ),
    ]


def projects(colours: Colours) -> list[AnyPanel]:
    def one(metric: str) -> str:
        return each.best(metric, "project")

    return [
        sized(
            listing(
                "Projects",
                "Every project: its shots, and its review. Sorted by the footage to review.",
                {"project": "Project", "source": "Source"},
                [
                    Column("Shots", one("studio_shots")),
                    Column("Approved", each.best("studio_versions", "project", where='status="approved"')),
                    Column("Playlists", one("studio_review_playlists")),
                    Column("Clips", one("studio_review_clips")),
                    Column("Footage", one("studio_review_footage_seconds"), "s"),
                    Column("Unread", one("studio_review_unread_playlists"), colours=colours("review_unread")),
                ],
                order="Footage",
            ),
            16,
            8,
        ),
        bars(
            "Records that disagree",
            "Versions that ShotGrid, the file system and S3 disagree about, by kind. Missing ones were not "
            "delivered or were lost; orphaned ones can be registered or removed.",
            (f"sum by (mismatch) ({each.best('studio_reconcile_errors', 'mismatch')})", "{{mismatch}}"),
            colours=colours("reconcile_errors"),
        ),
    ]


def history(colours: Colours) -> list[AnyPanel]:
    versions = each.best("studio_versions", "project", "status")
    mismatches = each.best("studio_reconcile_errors", "mismatch")
    return [
        coloured(
            stacked(
                lines(
                    "Versions, by status",
                    "The twenty commonest statuses of the versions on record, in the site's own words.",
                    (f"topk(20, sum by (status) ({versions}))", "{{status}}"),
                )
            ),
            "approved",
            "published",
            "unknown",
        ),
        lines(
            "Footage to review, by project",
            "For how long the clips of the playlists run, of the twenty projects that have most.",
            (f"topk(20, sum by (project) ({each.best('studio_review_footage_seconds', 'project')}))", "{{project}}"),
            unit="s",
        ),
        lines(
            "Clips, by project",
            "Clips in playlists, of the twenty projects that have most.",
            (f"topk(20, sum by (project) ({each.best('studio_review_clips', 'project')}))", "{{project}}"),
        ),
        lines(
            "Records that disagree",
            "By kind. A step upwards is an event: look at what ran then.",
            (f"sum by (mismatch) ({mismatches})", "{{mismatch}}"),
        ),
    ]
