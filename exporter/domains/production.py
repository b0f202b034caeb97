"""Production: projects, their shots and versions, and where the records of them disagree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import Family, Point

APPROVED = "approved"
PUBLISHED = "published"
UNKNOWN = "unknown"
STATUSES = (APPROVED, PUBLISHED, UNKNOWN)
"""Statuses that every project has a count of. Others are words of the site's own, in lower case: each studio makes up
some, and to fold them into one would hide most of its versions."""

MISSING_IN_FS = "missing_in_fs"
MISSING_IN_S3 = "missing_in_s3"
ORPHAN_IN_FS = "orphan_in_fs"
ORPHAN_IN_S3 = "orphan_in_s3"
VERSION_MISMATCH = "version_mismatch"


@dataclass(frozen=True, slots=True)
class Projects:
    """The names of all projects known, sorted."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Production:
    """Distinct `shots` by project, and `versions` by project and status."""

    shots: Mapping[str, int]
    versions: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Mismatches by kind, an entry for each kind that was looked for."""

    mismatches: Mapping[str, int]


def _versions(facts: Production) -> Iterator[Point]:
    every = {(project, status): 0 for project, _ in facts.versions for status in STATUSES}
    yield from sorted({**every, **facts.versions}.items())


PROJECTS: tuple[Family[Projects], ...] = (
    Family(
        "gauge",
        "studio_projects",
        "Projects known at the last background read: configured, on record or found, each name once. Sum over sources, "
        "after max by (source) where several exporters watch one source.",
        lambda facts: (((), len(facts.names)),),
    ),
)

VERSIONS: tuple[Family[Production], ...] = (
    Family(
        "gauge",
        "studio_shots",
        "Distinct shots that have a version on record at the last background read, by project. Sum over projects; "
        "where several exporters watch one source, after max by (source, project).",
        lambda facts: (((project,), count) for project, count in sorted(facts.shots.items())),
        labels=("project",),
        named=("project",),
    ),
    Family(
        "gauge",
        "studio_versions",
        "Versions on record at the last background read, by project and status: approved, published, unknown (none is "
        "set) and the site's own words in lower case. Sum over projects and statuses; where several exporters watch "
        "one source, after max by (source, project, status).",
        _versions,
        labels=("project", "status"),
        named=("project", "status"),
    ),
)

RECONCILE: tuple[Family[Reconciled], ...] = (
    Family(
        "gauge",
        "studio_reconcile_errors",
        "Versions that the records of the last background read disagree about, by kind: missing or orphaned in the "
        "file system or in S3 (absent where no S3 records are kept), or a shot whose newest versions differ. A version "
        "can count under several kinds. Sum over kinds and sources.",
        lambda facts: (((kind,), count) for kind, count in sorted(facts.mismatches.items())),
        labels=("mismatch",),
    ),
)

FAMILIES: tuple[Family[Projects] | Family[Production] | Family[Reconciled], ...] = (*PROJECTS, *VERSIONS, *RECONCILE)
