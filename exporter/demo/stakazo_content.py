"""What the simulated Stakazo has to publish: videos arrive, jobs cut them into clips, some clips have campaigns."""

import json
from collections import deque
from collections.abc import Generator
from itertools import count
from random import Random

from exporter.demo.stakazo_tables import Desk, Record
from exporter.demo.world import DAY, HOUR, MINUTE, Agenda, Life, Moment, rhythm

VIDEOS_KEPT = 120
VIDEOS_IN_PLAY = 12
"""Clips of so many of the newest videos are published."""

PLATFORMS = ("instagram", "tiktok", "youtube")
TITLES = ("Rooftop", "Night Drive", "Slow Tide", "Paper Moon", "Static Bloom", "Glass Garden")
NOTHING = "null"
"""What a JSON column holds that was given None (contract b)."""

MAX_ATTEMPTS = 3


class Content:
    """Videos and all that is made of them; the newest `keep` are kept."""

    def __init__(self, agenda: Agenda, dice: Random, desk: Desk, keep: int = VIDEOS_KEPT) -> None:
        self._agenda, self._dice, self._desk, self._keep = agenda, dice, desk, keep
        self._numbers = count(1)
        self._videos: deque[Record] = deque()
        self._ready: deque[list[Record]] = deque(maxlen=VIDEOS_IN_PLAY)
        agenda.begin(self._uploads())

    def clip(self) -> Record | None:
        """One to publish; None as long as there is none."""
        return self._dice.choice(self._dice.choice(self._ready)) if self._ready else None

    def _uploads(self) -> Life:
        moment = yield 0.0
        while True:
            self._agenda.begin(self._video())
            moment = yield self._dice.expovariate(rhythm(moment.at) / (2 * HOUR))

    def _video(self) -> Life:
        video = self._uploaded((yield 0.0))
        self._videos.append(video)
        if len(self._videos) > self._keep:
            self._desk.delete(str(self._videos.popleft()["id"]))
        analysed, moment = yield from self._job("cut_analysis", video)
        if not analysed:
            return
        clips = [self._clip(video, moment) for _ in range(self._dice.randint(3, 6))]
        cut, moment = yield from self._job("clip_generation", video)
        for clip in clips:
            self._desk.change("clips", clip, moment, {"status": "READY" if cut else "FAILED"})
        if cut:
            self._ready.append(clips)
            yield from self._job("generate_variants", video, clips[0])
            if self._dice.random() < 0.35:
                yield from self._campaign(clips[0], str(video["title"]))

    def _uploaded(self, moment: Moment) -> Record:
        number, seconds = next(self._numbers), self._dice.randint(180, 720)
        return self._desk.add(
            "video_assets",
            moment,
            {
                "title": f"{self._dice.choice(TITLES)} {number}",
                "file_path": f"/storage/videos/{number}.mp4",
                "file_size": seconds * self._dice.randint(2_000_000, 4_000_000),
                "duration_ms": seconds * 1000,
                "idempotency_key": f"upload-{number}",
            },
        )

    def _clip(self, video: Record, moment: Moment) -> Record:
        length, start = self._dice.randint(15_000, 60_000), self._dice.randint(0, 120_000)
        return self._desk.add(
            "clips",
            moment,
            {
                "video_asset_id": video["id"],
                "start_ms": start,
                "end_ms": start + length,
                "duration_ms": length,
                "visual_score": round(self._dice.betavariate(5, 2), 4),
                "status": "PROCESSING",
                "params": NOTHING,
            },
        )

    def _job(
        self, kind: str, video: Record, clip: Record | None = None
    ) -> Generator[float, Moment, tuple[bool, Moment]]:
        """A job from its submission to its end; whether its work was done, and when it ended."""
        asked = {"platform": self._dice.choice(PLATFORMS), "duration": 30}
        made_of: Record = {"video_asset_id": video["id"], "clip_id": clip["id"] if clip else None}
        details: Record = {"job_type": kind, "params": json.dumps(asked), "result": NOTHING, **made_of}
        job = self._desk.add("jobs", (yield 0.0), {"status": "PENDING", "error_message": None, **details})
        for attempt in range(1, MAX_ATTEMPTS + 1):
            moment = yield self._dice.uniform(10, 5 * MINUTE)
            self._desk.change("jobs", job, moment, {"status": "PROCESSING"})
            moment = yield self._dice.lognormvariate(1.5, 0.6) * MINUTE
            if self._dice.random() > 0.25:
                self._desk.change("jobs", job, moment, {"status": "COMPLETED"})
                return True, moment
            status = "RETRY" if attempt < MAX_ATTEMPTS else "FAILED"
            self._desk.change("jobs", job, moment, {"status": status, "error_message": "ffmpeg exited with 1"})
        return False, moment

    def _campaign(self, clip: Record, title: str) -> Life:
        details: Record = {
            "name": f"{title} everywhere",
            "clip_id": clip["id"],
            "budget_cents": self._dice.randint(50, 4000) * 100,
            "targeting": json.dumps({"age": "18-35"}),
        }
        campaign = self._desk.add("campaigns", (yield 0.0), {"status": "DRAFT", **details})
        pause = self._dice.choice(((), ("PAUSED", "ACTIVE")))
        for status in ("ACTIVE", *pause, "COMPLETED"):
            self._desk.change("campaigns", campaign, (yield self._dice.uniform(4 * HOUR, DAY)), {"status": status})
