"""The only rooms that touch the world; each translates its errors into `exporter.core.errors.ReadError`."""
