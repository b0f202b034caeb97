"""Names and passwords: who is let in, what that costs, and what is remembered."""

import asyncio
import subprocess
import sys
import threading

import bcrypt
import pytest

from exporter.core.secret import Secret
from exporter.web import basic
from exporter.web.basic import MOST_WAITING, MOST_WRONG, CrowdedError, Users, sent
from tests.web.terms import HASH, OTHER_HASH, PASSWORD
from tests.web.terms import basic as sending


def header(name: str, password: str) -> str:
    return sending(name, password)["Authorization"]


def hashed(password: bytes) -> Secret:
    return Secret(bcrypt.hashpw(password[:72], bcrypt.gensalt(4)).decode())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Secret]:
    """The hashes that passwords were compared with."""
    found: list[Secret] = []
    right = basic.same

    def same(password: Secret, of: Secret) -> bool:
        found.append(of)
        return right(password, of)

    monkeypatch.setattr(basic, "same", same)
    return found


def users() -> Users:
    return Users({"alice": Secret(HASH), "bob": Secret(OTHER_HASH)})


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (header("alice", PASSWORD), True),
        (header("alice", PASSWORD).replace("Basic", "bAsIc"), True),
        (header("alice", "wrong"), False),
        (header("alice", ""), False),
        (header("bob", PASSWORD), False),
        (header("carol", PASSWORD), False),
        (header("carol", "something else"), False),
        (header("", ""), False),
    ],
)
async def test_who_is_let_in(given: str, right: bool) -> None:
    assert await users().admits(given) is right


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic YWxpY2U=",  # no colon
        "Basic /////w==",  # no UTF-8
        "Basic \udcff",
        f"Bearer {PASSWORD}",
        header("alice", f"{PASSWORD}\0"),
    ],
)
async def test_what_is_no_name_and_password_costs_nothing(given: str, looks: list[Secret]) -> None:
    assert sent(given) is None
    assert not await users().admits(given)
    assert looks == []


async def test_names_and_passwords_of_any_script_and_length() -> None:
    long = ("pässwört" * 20).encode()
    some = Users({"Ünal": hashed(long), "colon": hashed(b"a:b")})
    assert await some.admits(header("Ünal", long.decode()))
    assert await some.admits(header("colon", "a:b"))


async def test_what_was_found_out_is_remembered(looks: list[Secret]) -> None:
    some = users()
    for _ in range(3):
        assert await some.admits(header("alice", PASSWORD))
        assert not await some.admits(header("alice", "wrong"))
        assert not await some.admits(header("carol", PASSWORD))
    assert len(looks) == 3
    assert PASSWORD not in repr(vars(some))


async def test_a_name_that_is_unknown_costs_as_much_as_one_that_is_known(looks: list[Secret]) -> None:
    some = users()
    for number in range(20):
        for name in ("carol", "dave", "erin", "frank", "grace", "heidi"):
            assert not await some.admits(header(name, f"guess {number}"))
    assert len(looks) == 120
    by_name = [{*looks[number::6]} for number in range(6)]
    assert all(len(each) == 1 and each <= {*some.hashes.values()} for each in by_name)


async def test_wrong_passwords_do_not_crowd_out_right_ones(
    looks: list[Secret], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = users()
    assert await some.admits(header("alice", PASSWORD))
    monkeypatch.setattr(basic, "same", lambda password, of: looks.append(of))
    for number in range(MOST_WRONG + 1):
        assert not await some.admits(header("alice", f"guess {number}"))
    assert len(looks) == MOST_WRONG + 2
    assert await some.admits(header("alice", PASSWORD))
    assert not await some.admits(header("alice", f"guess {MOST_WRONG}"))
    assert len(looks) == MOST_WRONG + 2
    assert not await some.admits(header("alice", "guess 0"))  # the oldest is forgotten
    assert len(looks) == MOST_WRONG + 3


async def test_passwords_are_looked_at_one_at_a_time_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    go, threads = threading.Event(), []

    def same(password: Secret, of: Secret) -> bool:
        threads.append(threading.current_thread())
        return go.wait(20) and password == Secret(PASSWORD)

    monkeypatch.setattr(basic, "same", same)
    some = users()
    asked = [asyncio.create_task(some.admits(header("alice", PASSWORD))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(CrowdedError):
        await some.admits(header("alice", "one too many"))
    go.set()
    assert await asyncio.gather(*asked) == [True] * MOST_WAITING
    assert len(threads) == 1  # the others had sent the same
    assert threads[0] is not threading.main_thread()
    assert await some.admits(header("alice", "one too many")) is False


def test_bcrypt_is_loaded_only_by_who_has_users() -> None:
    script = "import sys, exporter.cli; print('bcrypt' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
