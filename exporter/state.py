"""The ledger as the configuration asks for it, on a thread and under a name of this process's own."""

import os
import socket
from uuid import uuid4

from exporter.config import Config
from exporter.core.finish import SECOND
from exporter.core.secret import Secret
from exporter.inputs.worker import Worker
from exporter.ledger.account import Terms
from exporter.ledger.ledger import Ledger
from exporter.ledger.store import Owner, Store


def ledger(state: Secret, config: Config, now: float) -> tuple[Ledger, Worker]:
    """The ledger whose store is at this URL, and its thread. Touches nothing of the world yet; `now` is epoch
    seconds."""
    owner, worker = Owner(uuid4().hex, socket.gethostname(), os.getpid(), alive), Worker("ledger")
    return Ledger(Store(state, owner), worker.run, terms(config), now), worker


def terms(config: Config) -> Terms:
    """What the configuration says of all accounts."""
    return Terms(round(config.ledger.overlap * SECOND), config.limits)


def alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
