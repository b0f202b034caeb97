"""The views of storyboard projects: the system's one demonstration, or those that are kept where writes are allowed."""

from exporter.core.api import Answer, Asked
from exporter.sources.music_agents.api.answers import Listed, Opened, Refused
from exporter.sources.music_agents.api.asking import Seen, answer

CREATED, NAME, STATUS = "2025-11-14", "Dancing in the Heat", "generated"
"""The demonstration, which is all that the system ever showed (contract 1.7)."""

DEMO = Listed(CREATED, "proj_demo_1", NAME, 3, STATUS)


def demo(seen: Seen, asked: Asked) -> list[Listed]:
    return [DEMO]


def demo_opened(seen: Seen, asked: Asked) -> Opened:
    """The same for any id."""
    return Opened(CREATED, asked.path["project_id"], NAME, (), STATUS)


def kept(seen: Seen, asked: Asked) -> list[Listed]:
    """The projects that were created, the last first."""
    return [Listed(each.created, each.id, each.name, 0, each.status) for each in seen.database.tables.projects]


def kept_opened(seen: Seen, asked: Asked) -> Opened | Answer:
    name = asked.path["project_id"]
    found = next((each for each in seen.database.tables.projects if each.id == name), None)
    if found is None:
        return answer(Refused("Project not found", 404), 404)
    return Opened(found.created, found.id, found.name, (), found.status)
