"""Field types that several step types share."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from liberty.jobs.tokens import single_token

_CALLABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class Templatable:
    """Marks a field that is not text but may be written as exactly one `${…}` token.

    The definition then holds the token; the rendered step that executes holds the checked value.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_keep_token, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": r"^\$\{[^{}]*\}$"}]}


def _keep_token(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str) and single_token(value) is not None:
        return value
    return validate(value)


def check_callable(reference: str) -> str:
    """`module.path:function`, neither part private with two underscores. Raises ValueError."""
    if not _CALLABLE.fullmatch(reference):
        raise ValueError(f"{reference!r} is not of the form 'module.path:function'")
    if "__" in reference:
        raise ValueError(f"{reference!r} names a double-underscore attribute, which cannot be a step")
    return reference


type CallableRef = Annotated[
    str,
    AfterValidator(check_callable),
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"),
]
