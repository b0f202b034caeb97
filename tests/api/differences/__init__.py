"""Every difference from the systems replaced: one reviewed table, of which the README's is made."""

from tests.api.differences import decnet, music_agents, stakazo, trafalgar
from tests.api.table import Difference

DIFFERENCES: tuple[Difference, ...] = (*trafalgar.ROWS, *stakazo.ROWS, *music_agents.ROWS, *decnet.ROWS)
