"""The frame that the pages for people stand in: head, style, script, navigation, and the headers that go with them."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from aiohttp import web

from exporter import __version__
from exporter.web.markup import Html, join, tag

PAGES = {"/": "Status", "/catalogue": "Catalogue", "/api": "APIs", "/metrics": "Metrics", "/-/ready": "Readiness"}


def allowed(content: str) -> str:
    """How a Content-Security-Policy names inline content, which runs only if it is exactly this."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@dataclass(frozen=True, slots=True)
class Frame:
    """Read once, from the files beside this one."""

    template: Template
    style: str
    script: str
    headers: Mapping[str, str]

    @classmethod
    def load(cls) -> "Frame":
        here = files(__package__)
        html, style, script = (here.joinpath(name).read_text("utf-8") for name in ("page.html", "page.css", "page.js"))
        policy = (
            f"default-src 'none'; style-src {allowed(style)}; script-src {allowed(script)}; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return cls(Template(html), style, script, headers)

    def page(self, path: str, title: str, main: Html) -> web.Response:
        """A whole page; the one at `/` keeps itself up to date where scripts run."""
        links = [tag("a", name, href=to, aria_current="page" if to == path else None) for to, name in PAGES.items()]
        html = self.template.substitute(
            title=tag("title", title),
            style=self.style,
            version=tag("span", __version__),
            links=join(*links),
            main=main,
            script=self.script if path == "/" else "",
        )
        body = html.encode("utf-8", "replace")  # messages may hold names of files that are not UTF-8
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=self.headers)
