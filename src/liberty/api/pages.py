"""The web page: its one document for every address of the application, and its files. Read from disk when first asked.

The document is the same for everybody and holds nothing; what a person may see is decided by the API behind it.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from liberty.api.errors import problem

DIST = Path(__file__).parent.parent / "web" / "dist"
PAGE_PATHS = ("/", "/sign-in", "/nomaflow", "/nomaflow/{rest:path}", "/settings", "/settings/{rest:path}")
"""The addresses of the application; the page itself knows what is at each."""

_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8}\.(?:js|css|svg)$")
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Nomaflow</title>
<h1>Nomaflow runs, but its page was not built</h1>
<p>From a checkout, <code>./start</code> builds it; it needs Node.js 20.19 or later, or the network once.
A released package brings it along. The API and <code>liberty-admin</code> work without it:
<a href="{prefix}/docs">the API</a>.</p></html>"""


@dataclass(frozen=True, slots=True)
class _Built:
    """What a build left: the document and every file that may be asked for, by name."""

    changed_ns: int
    document: str
    files: Mapping[str, Path]


class Pages:
    """The built page in `folder`. A newer build is taken up by itself."""

    def __init__(self, folder: Path = DIST) -> None:
        self._folder = folder
        self._built: _Built | None = None

    def routes(self) -> list[Route]:
        """To be added to the application; all are in the access table as pages."""
        return [
            Route("/assets/{name}", self._asset, methods=["GET"], include_in_schema=False),
            *(Route(path, self._page, methods=["GET"], include_in_schema=False) for path in PAGE_PATHS),
        ]

    async def _page(self, request: Request) -> Response:
        if not wants_page(request):
            return problem(404, "no such page")
        prefix = prefix_of(request)
        built = self._current()
        if built is None:
            return HTMLResponse(_NOT_BUILT.replace("{prefix}", prefix), 503)
        nonce = secrets.token_urlsafe(18)
        text = built.document.replace("__NONCE__", nonce).replace("__BASE__", prefix)
        text = text.replace('"./assets/', f'"{prefix}/assets/')
        return HTMLResponse(text, headers={"Content-Security-Policy": _policy(nonce)})

    async def _asset(self, request: Request) -> Response:
        built = self._current()
        name = request.path_params["name"]
        path = built.files.get(name) if built is not None else None
        if built is None or path is None or path.suffix not in _TYPES:
            return problem(404, "no such file")
        headers = {
            "Cache-Control": _FOREVER if _HASHED.search(name) else "no-cache",
            "Vary": "Accept-Encoding",
        }
        accepted = request.headers.get("accept-encoding", "")
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            smaller = built.files.get(name + suffix)
            if smaller is not None and re.search(
                rf"\b{encoding}\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", accepted
            ):
                headers["Content-Encoding"] = encoding
                return FileResponse(smaller, headers=headers, media_type=_TYPES[path.suffix])
        return FileResponse(path, headers=headers, media_type=_TYPES[path.suffix])

    def _current(self) -> _Built | None:
        index = self._folder / "index.html"
        try:
            changed_ns = index.stat().st_mtime_ns
            if self._built is None or self._built.changed_ns != changed_ns:
                assets = {path.name: path for path in (self._folder / "assets").iterdir() if path.is_file()}
                self._built = _Built(changed_ns, index.read_text(encoding="utf-8"), assets)
        except FileNotFoundError:
            self._built = None
        return self._built


def wants_page(request: Request) -> bool:
    """Whether a browser goes there, rather than a program that asks for data."""
    return "text/html" in request.headers.get("accept", "")


def prefix_of(request: Request) -> str:
    """The path under which a proxy or a surrounding application shows this one: empty, or `/like/this`.

    Anybody can send the header, and so choose the addresses in the answer to themselves; it is never stored.
    """
    told: str = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    prefix = told or request.scope.get("root_path", "")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def _policy(nonce: str) -> str:
    """Scripts are files of ours. Styles are too, but for those that components make while the page runs."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    )
