"""The page at the root of the dashboard: where everything is, and nothing of what it says."""

LINKS = (
    ("/status", "Project status overview"),
    ("/metrics", "The numbers of all parts"),
    ("/errors", "Reconciliation mismatches"),
    ("/errors/summary", "Mismatches by type and path"),
    ("/admin/cache", "Cache administration"),
    ("/openapi.json", "All paths, as OpenAPI"),
)
PATTERNS = (
    "/projects/&lt;project&gt;",
    "/projects/&lt;project&gt;/episodes",
    "/projects/&lt;project&gt;/playlists",
    "/runs",
    "/jobs",
    "/farms",
)

_ITEMS = "\n".join(
    [
        *(f'        <li><a href="{path.removeprefix("/")}">{text}</a></li>' for path, text in LINKS),
        *(f"        <li><code>{path}</code></li>" for path in PATTERNS),
    ]
)

PAGE = f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>OnePiece Dashboard</title>
    <style>
      :root {{ color-scheme: light dark; }}
      body {{ font-family: system-ui, sans-serif; line-height: 1.5; margin: 2rem; }}
    </style>
  </head>
  <body>
    <h1>OnePiece Production Dashboard</h1>
    <p>Every path but this one wants the token: <code>Authorization: Bearer …</code>.</p>
    <nav>
      <ul>
{_ITEMS}
      </ul>
    </nav>
  </body>
</html>
""".encode()
