"""The API's documentation as one page without scripts, made from the OpenAPI document."""

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font-family:ui-monospace,monospace}dt{margin-top:1rem}dd{margin-left:1.5rem}"
    "b{display:inline-block;min-width:4rem}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}"
    "a{color:#8bf}}"
)


def page(document: Mapping[str, Any]) -> str:
    """One entry per operation, by tag."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            by_tag.setdefault(tag, []).append(_entry(method.upper(), path, operation))
    parts = [f"<h2>{escape(tag)}</h2><dl>{''.join(entries)}</dl>" for tag, entries in by_tag.items()]
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} API</title><style>{_STYLE}</style>'
        f"<h1>{title} {escape(document['info']['version'])}</h1>"
        '<p>Every schema and example: <a href="/openapi.json">openapi.json</a>. Send '
        f"<code>Authorization: Bearer …</code>; errors are problem documents with a stable <code>code</code>.</p>"
        f"{''.join(parts)}"
    )


def _entry(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = ", ".join(
        f"<code>{escape(parameter['name'])}</code>" for parameter in operation.get("parameters", ())
    )
    given = f"<br>Parameters: {parameters}" if parameters else ""
    body = "<br>Body: " + _schema(operation["requestBody"]) if "requestBody" in operation else ""
    text = escape(operation.get("description", operation.get("summary", "")))
    return f"<dt><b>{method}</b> <code>{escape(path)}</code></dt><dd>{text}{given}{body}</dd>"


def _schema(body: Mapping[str, Any]) -> str:
    schema = body["content"].get("application/json", {}).get("schema", {})
    found = schema.get("$ref") or next(
        (option["$ref"] for option in schema.get("anyOf", ()) if "$ref" in option), ""
    )
    return f"<code>{escape(str(found).rpartition('/')[2]) or 'JSON'}</code>"
