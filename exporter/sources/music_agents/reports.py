"""The daily training reports: boxes of text, by the grammar of contract 2.3."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from exporter.domains.training import Agent
from exporter.inputs.documents import Skip

ROSTER = (
    *(f"agent_{number}" for number in range(1, 5)),
    "agent_5a",
    "agent_5b",
    *(f"agent_{number}" for number in range(6, 12)),
)
"""The agents that every report should have; there is no agent_12 (contract 1.1)."""

PATTERN = "*daily_report*.txt"
"""The names that the system takes for reports; the sample it ships is among them."""

DATE = re.compile(r"DAILY TRAINING REPORT \[([^\]\n]*)\]")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DURATION = re.compile(r"Training Duration: ([0-9.]+) minutes")
SYSTEM = re.compile(r"Overall System Quality: ([0-9.]+)/10 \([+-][0-9.]+%\)")
CHANGE = re.compile(r"Overall System Quality: [0-9.]+/10 \(([+-][0-9.]+)%\)")
NAME = re.compile(r"(.+)\((agent_[0-9A-Za-z_]+)\)")
QUALITY = re.compile(r"Quality: ([0-9.]+)/10 \(([+-][0-9.]+) vs yesterday\)")
PROCESSING = re.compile(r"Processing: ([0-9.]+)s")
NO_DATA = "Status: No data available"
END = "╚"


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says.

    `quality` is that of the whole system (0 to 10), `change` that of it in percent, `duration` in seconds; None where
    it does not say, or no number. `agents` are those it has data of, `silent` those it names without, `names` what it
    calls them. `whole`: it has its end. `flaws`: what of it cannot be read, by reason.
    """

    day: date
    duration: float | None
    quality: float | None
    agents: Mapping[str, Agent]
    silent: frozenset[str]
    whole: bool
    flaws: Mapping[str, int]
    change: float | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def decode(data: bytes) -> Report | Skip:
    """The report that a file is; a Skip says why it is none.

    What has a date is a report, as far as it goes. Where upstream gives up on the whole of a report because of one
    number such as `8.2.1`, here only that number is missing, and is counted.
    """
    try:
        return _report(data.decode())
    except UnicodeDecodeError:
        return Skip("encoding")
    except Skip as skip:
        return Skip(skip.reason)  # without the traceback, which would keep the file's text


def _report(text: str) -> Report:
    lines = [line for raw in text.splitlines() if (line := raw.strip("║ \t"))]
    flaws: Counter[str] = Counter()
    whole = bool(lines) and lines[-1].startswith(END)
    headings = [(at, found) for at, line in enumerate(lines) if (found := NAME.fullmatch(line))]
    named = [(at, found[2]) for at, found in headings]
    agents = {name: agent for at, name in named if (agent := _agent(lines[at + 1 : at + 3], flaws))}
    silent = {name for at, name in named if name not in agents and (whole or _silent(lines, at))}
    minutes = _number(DURATION, text, flaws)
    report = Report(
        day=_day(text),
        duration=None if minutes is None else minutes * 60,
        quality=_number(SYSTEM, text, flaws),
        agents=agents,
        silent=frozenset(silent),
        whole=whole,
        flaws=flaws,
        change=_number(CHANGE, text, flaws),
        names={found[2]: found[1].strip() for _, found in headings},
    )
    if not whole:
        flaws["missing"] += 1
    return report


def _day(text: str) -> date:
    if not (found := DATE.search(text)):
        raise Skip("missing")
    try:
        if DAY.fullmatch(found[1]):
            return date.fromisoformat(found[1])
    except ValueError:
        pass
    raise Skip("invalid")


def _agent(lines: list[str], flaws: Counter[str]) -> Agent | None:
    """An agent has data only where its name is followed by both lines at once."""
    if len(lines) < 2 or not (quality := QUALITY.fullmatch(lines[0])) or not (spent := PROCESSING.fullmatch(lines[1])):
        return None
    agent = Agent(_decimal(quality[1], flaws), _decimal(quality[2], flaws), _decimal(spent[1], flaws))
    return None if agent == Agent(None, None, None) else agent


def _silent(lines: list[str], at: int) -> bool:
    """Whether a report that is cut short still says that the agent named in this line has no data."""
    return lines[at + 1 : at + 2] == [NO_DATA] or at + 3 < len(lines)


def _number(pattern: re.Pattern[str], text: str, flaws: Counter[str]) -> float | None:
    found = pattern.search(text)
    return _decimal(found[1], flaws) if found else None


def _decimal(text: str, flaws: Counter[str]) -> float | None:
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if math.isfinite(number):
        return number
    flaws["invalid"] += 1
    return None
