"""Names and passwords: the Authorization header of a request against the bcrypt hashes of those who may ask."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from exporter.core.secret import Secret

LONGEST = 72
"""Bytes of a password that bcrypt looks at; all that make hashes leave out the rest."""

MOST_WRONG = 1024
"""How many wrong passwords are remembered, so that whoever sends one again and again costs little."""

MOST_WAITING = 16
"""How many passwords wait for their turn: one is looked at at a time, since each takes a core for a while."""


class CrowdedError(Exception):
    """So many passwords wait to be looked at that one more would wait too long."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A name and a password as they were sent."""

    name: str
    password: Secret


def sent(header: str) -> Sent | None:
    """What an Authorization header says; None where it has no name and password, or one that no hash is of."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):  # ValueError: what is no ASCII before, and no UTF-8 after
        return None
    return Sent(name, Secret(password)) if colon and "\0" not in password else None


class Users:
    """Those who may ask: their bcrypt hashes by name.

    What was found out is remembered, by marks that say nothing without a key of this process: of each user the one
    password that is right, which nobody can crowd out, and the wrong ones that came last.
    """

    def __init__(self, hashes: Mapping[str, Secret]) -> None:
        """There is at least one."""
        self.hashes = hashes
        self._everyone = [*hashes.values()]
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: dict[bytes, None] = {}
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def admits(self, header: str) -> bool:
        """Whether the header has the name and the password of one of them; CrowdedError where nobody looks at it now.

        A name that is unknown takes as long as any: its password is compared with the hash of somebody else, always
        the same, and is wrong.
        """
        if (given := sent(header)) is None:
            return False
        mark = self._mark(given.name, given.password.reveal())
        found = self._remembered(given.name, mark)
        return await self._looked_at(given, mark) if found is None else found

    async def _looked_at(self, given: Sent, mark: bytes) -> bool:
        if self._waiting >= MOST_WAITING:
            raise CrowdedError
        self._waiting += 1
        try:
            async with self._turn:
                found = self._remembered(given.name, mark)  # somebody before may have sent the same
                if found is None:
                    found = await asyncio.to_thread(same, given.password, self._hash(given.name))
                    found = found and given.name in self.hashes
                    self._remember(given.name, mark, found)
        finally:
            self._waiting -= 1
        return found

    def _hash(self, name: str) -> Secret:
        """That of a user; of a name that is unknown, that of somebody who is always the same."""
        anyone = int.from_bytes(self._mark(name)) % len(self._everyone)
        return self.hashes.get(name, self._everyone[anyone])

    def _mark(self, *texts: str) -> bytes:
        made = hashlib.blake2b(key=self._key, digest_size=32)
        for text in texts:
            made.update(hashlib.sha256(text.encode()).digest())
        return made.digest()

    def _remembered(self, name: str, mark: bytes) -> bool | None:
        if hmac.compare_digest(self._right.get(name, b""), mark):
            return True
        return False if mark in self._wrong else None

    def _remember(self, name: str, mark: bytes, right: bool) -> None:
        if right:
            self._right[name] = mark
            return
        self._wrong[mark] = None
        if len(self._wrong) > MOST_WRONG:
            del self._wrong[next(iter(self._wrong))]


def same(password: Secret, of: Secret) -> bool:
    """Whether a bcrypt hash is of this password. Takes the time that the hash asks for, without the interpreter."""
    from bcrypt import checkpw  # here, so that who has no users has not loaded it

    return checkpw(password.reveal().encode()[:LONGEST], of.reveal().encode())
