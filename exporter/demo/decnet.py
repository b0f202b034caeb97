"""DECNET in the simulated studio: its orchestrator acts on the decoys once a minute and notes each action in SQLite.

Tables, words, writing and pruning are those of the real one (contract decnet b).
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from uuid import UUID

from exporter.demo.studio import Studio, System, Write
from exporter.demo.world import MINUTE, Agenda, Life, Moment, Trouble, chance

DATABASE = "decnet.db"
MIGRATION = "4a914b1d62a0"

WEIGHTS = {"traffic": 45, "file": 45, "email": 10}
COMMANDS = ("df", "ls-home", "ps", "tail-syslog", "uptime", "who")
PEOPLE = ("ana.rojas", "j.smith", "li.wei", "m.garcia", "soren.k")
SUBJECTS = ("quarterly numbers", "door codes", "licence renewal", "lunch on Friday", "dailies at four")

PRUNE_EVERY = 100
EVENTS_KEPT = 10_000
EMAILS_KEPT = 5_000

Row = tuple[str | int | None, ...]

SCHEMA = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE orchestrator_events (
    uuid VARCHAR NOT NULL PRIMARY KEY,
    ts DATETIME NOT NULL,
    kind VARCHAR(16) NOT NULL,
    protocol VARCHAR(16) NOT NULL,
    action VARCHAR(64) NOT NULL,
    src_decky_uuid VARCHAR,
    dst_decky_uuid VARCHAR NOT NULL,
    success BOOLEAN NOT NULL,
    payload TEXT NOT NULL
);
CREATE TABLE orchestrator_emails (
    uuid VARCHAR NOT NULL PRIMARY KEY,
    ts DATETIME NOT NULL,
    mail_decky_uuid VARCHAR NOT NULL,
    thread_id VARCHAR NOT NULL,
    message_id VARCHAR(255) NOT NULL,
    in_reply_to VARCHAR(255),
    sender_email VARCHAR(255) NOT NULL,
    recipient_email VARCHAR(255) NOT NULL,
    subject VARCHAR(512) NOT NULL,
    language VARCHAR(8) NOT NULL,
    eml_path VARCHAR(1024) NOT NULL,
    success BOOLEAN NOT NULL,
    payload TEXT NOT NULL
);
"""

INDEXES = {
    "orchestrator_events": {
        **{column: column for column in ("dst_decky_uuid", "kind", "protocol", "src_decky_uuid", "success", "ts")},
        "dst_ts": "dst_decky_uuid, ts",
    },
    "orchestrator_emails": {
        **{c: c for c in ("mail_decky_uuid", "recipient_email", "sender_email", "success", "thread_id", "ts")},
        "mail_ts": "mail_decky_uuid, ts",
        "thread": "thread_id",
    },
}

INSERT_EVENT = "INSERT INTO orchestrator_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_EMAIL = "INSERT INTO orchestrator_emails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

PRUNE_EVENTS = """
DELETE FROM orchestrator_events WHERE uuid IN (SELECT uuid FROM (
    SELECT uuid, row_number() OVER (PARTITION BY dst_decky_uuid ORDER BY ts DESC) AS place FROM orchestrator_events
) WHERE place > ?)
"""
PRUNE_EMAILS = """
DELETE FROM orchestrator_emails WHERE uuid IN (SELECT uuid FROM (
    SELECT uuid, row_number() OVER (PARTITION BY mail_decky_uuid ORDER BY ts DESC) AS place FROM orchestrator_emails
) WHERE place > ?)
"""


class Orchestrator:
    """One action a minute; `events` and `emails` are the rows noted since `take` was last called.

    One operation at a time is in trouble now and then, for about as long as a dozen of its actions take.
    """

    def __init__(self, agenda: Agenda, dice: Random) -> None:
        self._dice = dice
        self._trouble = Trouble(dice, {kind: 12 * MINUTE * 100 / weight for kind, weight in WEIGHTS.items()})
        self._deckies = tuple(self._uuid() for _ in range(4))
        self._mail = tuple(self._uuid() for _ in range(2))
        self._threads = {subject: self._uuid() for subject in SUBJECTS}
        self._last_message: dict[str, str] = {}
        self._events: list[Row] = []
        self._emails: list[Row] = []
        self.ticks = 0
        agenda.begin(self._trouble.life())
        agenda.begin(self._actions())

    def take(self) -> tuple[list[Row], list[Row]]:
        """The rows of events and of emails noted since the last time."""
        taken = self._events, self._emails
        self._events, self._emails = [], []
        return taken

    def _actions(self) -> Life:
        while True:
            kind = self._dice.choices([*WEIGHTS], weights=[*WEIGHTS.values()])[0]
            moment = yield MINUTE + self._dice.uniform(0.1, 3)
            failed = self._trouble.strikes(kind)
            if kind == "email":
                self._emails.append(self._email(moment, failed))
            else:
                self._events.append(self._event(kind, moment, failed))
            self.ticks += 1

    def _event(self, kind: str, moment: Moment, failed: bool) -> Row:
        source, target = self._dice.sample(self._deckies, 2)
        if kind == "file":
            action, what = f"file:{self._dice.choice(('create', 'edit'))}", {"path": "/home/ana/notes.txt"}
            outcome = {"rc": 1, "stderr": "docker exec failed"} if failed else {"rc": 0, "stderr": None}
            payload, start = {**what, **outcome}, None
        else:
            action, start = f"exec:{self._dice.choice(COMMANDS)}", source
            payload = (
                {"rc": 255, "banner": None, "stderr": "connect: Connection refused"}
                if failed
                else {"rc": 0, "banner": "SSH-2.0-OpenSSH_9.2p1", "stderr": None}
            )
        ok, note = int(not failed), json.dumps(payload)
        return (self._uuid(), _ts(moment), kind, "ssh", action, start, target, ok, note)

    def _email(self, moment: Moment, failed: bool) -> Row:
        sender, recipient = (f"{name}@corp.example" for name in self._dice.sample(PEOPLE, 2))
        subject, mail = self._dice.choice(SUBJECTS), self._dice.choice(self._mail)
        before = self._last_message.get(subject)
        message, path = ("", "") if failed else (f"<{self._dice.getrandbits(64):016x}@corp.example>", "/var/mail/x.eml")
        if message:
            self._last_message[subject] = message
        title = f"Re: {subject}" if before else subject
        note = json.dumps({"stage": "llm" if failed else "delivered"})
        return (
            *(self._uuid(), _ts(moment), mail, self._threads[subject], message, before),
            *(sender, recipient, title, "en", path, int(not failed), note),
        )

    def _uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))


def create(database: Path) -> sqlite3.Connection:
    """A connection to a new database, set up as the real one sets up its own (contract decnet, SQLite use)."""
    connection = sqlite3.connect(database, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(SCHEMA)
    for table, indexes in INDEXES.items():
        for name, columns in indexes.items():
            connection.execute(f"CREATE INDEX ix_{table}_{name} ON {table} ({columns})")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (MIGRATION,))
    connection.commit()
    return connection


def prune(connection: sqlite3.Connection, events: int = EVENTS_KEPT, emails: int = EMAILS_KEPT) -> None:
    """Deletes all but the newest rows of each decky, as many as are given."""
    connection.execute(PRUNE_EVENTS, (events,))
    connection.execute(PRUNE_EMAILS, (emails,))


@contextmanager
def live(studio: Studio) -> Iterator[Write]:
    """DECNET's life; its writer inserts what was noted, and every 100 ticks prunes."""
    orchestrator = Orchestrator(studio.agenda, chance(studio.seed, "decnet"))
    pruned = 0

    with closing(create(studio.directory / DATABASE)) as connection:

        def write() -> None:
            nonlocal pruned
            events, emails = orchestrator.take()
            if not events and not emails:
                return
            with connection:
                connection.executemany(INSERT_EVENT, events)
                connection.executemany(INSERT_EMAIL, emails)
                if orchestrator.ticks // PRUNE_EVERY > pruned:
                    pruned = orchestrator.ticks // PRUNE_EVERY
                    prune(connection)

        yield write


def _ts(moment: Moment) -> str:
    return moment.utc.strftime("%Y-%m-%d %H:%M:%S.%f")


def _source(directory: Path) -> str:
    return f"""\
  - name: decoys
    kind: decnet
    api: {{token: demo}}
    database: {json.dumps(f"sqlite:///{directory / DATABASE}")}
"""


DECNET = System(_source, live, (f"{DATABASE}*",))
