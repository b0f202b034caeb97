"""What the status page says besides how reads go, of an app that runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exporter.config import SourceConfig
from exporter.core.errors import Unreachable
from exporter.core.source import Index, Limits, Source
from exporter.notes import notes, works
from tests.fakes import START, Time, until
from tests.test_app import Studio, entry, running, work, working
from tests.test_app import Worked as Working

UPDATED = Index("here", "publish_logs", ("updated_at",), "counting", vital=True, there=False, statement="", plan=())


class Indexed(Studio):
    """Its sources look up indexes; the first look of each fails."""

    def __init__(self, *indexes: Index) -> None:
        super().__init__(entry("a"))
        self.looks: list[Sequence[Index] | Unreachable] = [Unreachable("nobody answers"), indexes]

    def make(self, config: SourceConfig, limits: Limits) -> Source:
        async def look(now: float) -> Sequence[Index]:
            found = self.looks.pop(0)
            if isinstance(found, Unreachable):
                raise found
            return found

        return replace(super().make(config, limits), indexes=look)


async def test_finished_work_is_told_by_lane(tmp_path: Path) -> None:
    studio, time = Working(), Time()
    studio.config = working(tmp_path / "state")
    async with running(studio, time) as app:
        await work(app, time)
        [told] = works(app)
        assert (told.source, told.pipeline, told.lane, told.last_success) == ("a", "render", "a", None)
        assert told.finished == told.failed
        assert told.streak == told.finished + 1  # one had failed before the account was opened
        assert told.last_failure is not None
        assert START <= told.last_failure <= time.clock.now()
        assert notes(app) == ()


async def test_a_ledger_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    studio = Studio(entry("a"))
    studio.config = working(tmp_path / "nowhere" / "state")
    async with running(studio, Time()) as app:
        await until(lambda: notes(app))
        [told] = notes(app)
        assert (told.level, told.where) == ("bad", "Ledger")
        assert told.words.startswith(f"ledger {tmp_path / 'nowhere' / 'state'}: it cannot be opened")
        assert works(app) == ()


async def test_an_index_that_is_missing_is_told_once_the_database_was_looked_at() -> None:
    studio, time = Indexed(UPDATED, replace(UPDATED, vital=False), replace(UPDATED, there=True)), Time()
    async with running(studio, time) as app:
        await until(lambda: time.sleeping == 3)
        assert notes(app) == ()
        time.advance(600)
        await until(lambda: notes(app))
        [told] = notes(app)
        assert (told.level, told.where) == ("old", "a")
        assert told.words == (
            "no index on publish_logs(updated_at): counting goes through the whole table each time; "
            "the command indexes has the SQL"
        )
