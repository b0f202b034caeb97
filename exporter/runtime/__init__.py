"""Boards, loops and bytes: knows parts and families, never a particular system."""
