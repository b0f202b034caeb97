"""The systems this exporter knows: one line each."""

from collections.abc import Mapping

from exporter.core.source import Kind
from exporter.sources import decnet, music_agents, stakazo, trafalgar

KINDS: Mapping[str, Kind] = {
    "trafalgar": trafalgar.KIND,
    "stakazo": stakazo.KIND,
    "music_agents": music_agents.KIND,
    "decnet": decnet.KIND,
}
