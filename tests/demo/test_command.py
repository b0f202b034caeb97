"""The command `demo` as users run it."""

import signal
import socket
from pathlib import Path

from exporter.demo.launch import MARK
from tests.command import command


async def test_it_ends_by_itself_when_its_time_is_over_and_leaves_what_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for _ in range(2):
        async with command("demo", "--for=500ms", "--keep", kept, cwd=tmp_path) as exporter:
            await exporter.listening()
            assert await exporter.ended() == 0
            assert "msg=stopping" in exporter.log
        names = {path.name for path in kept.iterdir()}
        assert {MARK, "config.yaml", "decnet.db", "stakazo.db", "ingest_runs.json", "reconcile.json"} <= names


async def test_a_place_that_is_taken_is_a_clear_error(tmp_path: Path) -> None:
    async with command("demo", "--keep=kept", cwd=tmp_path) as first:
        await first.listening()
        async with command("demo", "--keep=kept", cwd=tmp_path) as second:
            assert await second.ended() == 1
            assert second.log == "kept: another demo lives there; end it, or give this one another place\n"
        first.process.send_signal(signal.SIGTERM)
        assert await first.ended() == 0


async def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        async with command(f"--web.listen-address={at}", "demo", cwd=tmp_path) as exporter:
            assert await exporter.ended() == 1
            assert exporter.log == f"--web.listen-address: cannot listen on {at}: address already in use\n"


async def test_a_duration_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    async with command("demo", "--for=3", cwd=tmp_path) as exporter:
        assert await exporter.ended() == 2
        assert "argument --for: expected a duration" in exporter.log
