"""A small living studio for newcomers: a simulator in a process of its own."""
