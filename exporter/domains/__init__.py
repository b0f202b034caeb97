"""What every studio has: the facts of each subject and its declared families. Knows no system."""

from collections.abc import Mapping
from typing import Any

from exporter.core.family import Family
from exporter.domains import (
    campaigns,
    host,
    ingest,
    operations,
    production,
    publishing,
    render,
    review,
    training,
)

DOMAINS: Mapping[str, tuple[Family[Any], ...]] = {
    "production": production.FAMILIES,
    "ingest": ingest.FAMILIES,
    "render": render.FAMILIES,
    "review": review.FAMILIES,
    "publishing": publishing.FAMILIES,
    "campaigns": campaigns.FAMILIES,
    "operations": operations.FAMILIES,
    "training": training.FAMILIES,
    "host": host.FAMILIES,
}
"""Every subject in the order of the page."""
