"""Fills parameters into an endpoint's path, query, headers and body, encoded for the place they stand in."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from liberty.connectors.config import EndpointConfig
from liberty.errors import Invalid

FORM = "application/x-www-form-urlencoded"

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}|\$\{(?:params\.)?(\w+)\}")
_IN_PATH = re.compile(r"\{\{\s*(\w+)\s*\}\}|\$\{(?:params\.)?(\w+)\}|(?<=/):([A-Za-z_]\w*)")


def placeholders(endpoint: EndpointConfig) -> list[str]:
    names: dict[str, None] = {}

    def look(value: Any) -> None:
        if isinstance(value, str):
            names.update(dict.fromkeys(match[1] or match[2] for match in _PLACEHOLDER.finditer(value)))
        elif isinstance(value, Mapping):
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    names.update(
        dict.fromkeys(match[1] or match[2] or match[3] for match in _IN_PATH.finditer("/" + endpoint.path))
    )
    look([endpoint.query_params, endpoint.headers, endpoint.body])
    return list(names)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


def fill_text(template: str, values: Mapping[str, Any], encode: Callable[[str], str] = str) -> str:
    return _PLACEHOLDER.sub(lambda match: encode(_text(values.get(match[1] or match[2]))), template)


def fill_path(template: str, values: Mapping[str, Any]) -> str:
    """The path with values encoded as one segment each: no value can climb out of its place."""

    def segment(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3]
        text = _text(values.get(name))
        if text in ("", ".", ".."):
            raise Invalid(f"parameter {name!r} = {text!r} cannot stand in the path {template!r}")
        return quote(text, safe="")

    return _IN_PATH.sub(segment, f"/{template.lstrip('/')}" if template else "")


def fill_value(template: Any, values: Mapping[str, Any]) -> Any:
    """Like the text form, but a text that is exactly one placeholder becomes the value itself, type kept."""
    if isinstance(template, str):
        whole = _PLACEHOLDER.fullmatch(template)
        return values.get(whole[1] or whole[2]) if whole else fill_text(template, values)
    if isinstance(template, Mapping):
        return {name: fill_value(item, values) for name, item in template.items()}
    if isinstance(template, list | tuple):
        return [fill_value(item, values) for item in template]
    return template


def payload(
    endpoint: EndpointConfig, headers: Mapping[str, str], values: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """The body to send and the content type it needs."""
    if endpoint.body is None:
        return None, endpoint.content_type
    named = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    content_type = endpoint.content_type or named
    if not isinstance(endpoint.body, str):
        filled = fill_value(endpoint.body, values)
        if content_type is not None and content_type.startswith(FORM) and isinstance(filled, Mapping):
            return urlencode({name: _text(value) for name, value in filled.items()}), content_type
        return json.dumps(filled, default=str), content_type or "application/json"
    if content_type is None and endpoint.body.lstrip().startswith(("{", "[")):
        content_type = "application/json"
    if content_type is not None and content_type.startswith(FORM):
        return fill_text(endpoint.body, values, quote_plus), content_type
    if content_type is not None and "json" in content_type:
        return _fill_json_text(endpoint.body, values), content_type
    return fill_text(endpoint.body, values), content_type or "text/plain; charset=utf-8"


_JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _fill_json_text(template: str, values: Mapping[str, Any]) -> str:
    """JSON text with placeholders: escaped inside quotes, as a JSON value outside them."""

    def value(match: re.Match[str]) -> str:
        return json.dumps(values.get(match[1] or match[2]), default=str)

    def escaped(text: str) -> str:
        return json.dumps(text)[1:-1]

    filled: list[str] = []
    position = 0
    for part in _JSON_PARTS.finditer(template):
        filled.append(_PLACEHOLDER.sub(value, template[position : part.start()]))
        filled.append(fill_text(part[0], values, escaped))
        position = part.end()
    filled.append(_PLACEHOLDER.sub(value, template[position:]))
    return "".join(filled)
