"""The listeners: they read the board and never a source."""
