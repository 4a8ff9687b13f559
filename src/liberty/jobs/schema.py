"""JSON Schema of `jobs.toml` and `connectors.toml`, so that editors complete and check them."""

import json
from pathlib import Path
from typing import Any

from liberty.jobs.aliases import JOB_KEYS, RETRY_KEYS, STEP_KEYS
from liberty.jobs.definition import NAME
from liberty.jobs.job import Job, ParamSpec
from liberty.jobs.steps import STEP_TYPES
from liberty.toml_files import write_atomic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
JOBS_FILE = "jobs.schema.json"
CONNECTORS_FILE = "connectors.schema.json"


def jobs_schema() -> dict[str, Any]:
    """The schema of `jobs.toml`: every key with its description, default and alternatives."""
    job = Job.model_json_schema(ref_template="#/$defs/{model}", mode="validation")
    definitions: dict[str, Any] = job.pop("$defs", {})
    for internal in ("StepConfig", "Origin"):
        definitions.pop(internal, None)
    steps = {kind: _step(kind, definitions) for kind in STEP_TYPES}
    definitions.update(steps)
    definitions["ParamSpec"] = ParamSpec.model_json_schema()
    _accept(definitions["RetryPolicy"], RETRY_KEYS)
    for named in ("Preset", "NamedSchedule"):
        _accept(definitions[named], {"kwargs": "op_kwargs"})
    definitions["RetryPolicy"]["properties"]["backoff"]["enum"] += ["constant", "none"]
    _job(job, list(steps))
    definitions["Job"] = job
    return {
        "$schema": DIALECT,
        "title": "jobs.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "meta": {
                "type": "object",
                "description": "About the file itself.",
                "additionalProperties": False,
                "properties": {"version": {"type": "integer"}, "retention": {"type": "object"}},
            },
            "jobs": {"type": "array", "description": "One table per job.", "items": {"$ref": "#/$defs/Job"}},
        },
        "$defs": definitions,
    }


def step_schema(kind: str) -> dict[str, Any]:
    """The schema of one step type by itself, for forms. Raises KeyError for an unknown type."""
    return STEP_TYPES[kind].model_json_schema(by_alias=True)


def connectors_schema() -> dict[str, Any]:
    """The schema of `connectors.toml`."""
    from liberty.connectors.config import json_schema

    return json_schema()


def write_schemas(folder: Path) -> list[Path]:
    """Write both schemas into `folder`, which is made when missing; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in ((JOBS_FILE, jobs_schema()), (CONNECTORS_FILE, connectors_schema())):
        path = folder / name
        write_atomic(path, json.dumps(schema, indent=2, ensure_ascii=False) + "\n", mode=0o644)
        written.append(path)
    return written


def _step(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = STEP_TYPES[kind].model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    _accept(schema, {alias: key for alias, key in STEP_KEYS.items() if key in schema["properties"]})
    schema["properties"]["type"] = {"const": kind, "description": schema.get("description", "")}
    # Keys may come from [jobs.step_defaults], so only the type can be demanded of every step.
    schema["required"] = ["type"]
    return schema


def _job(schema: dict[str, Any], kinds: list[str]) -> None:
    properties: dict[str, Any] = schema["properties"]
    properties.pop("param_specs")
    properties.pop("origin", None)
    properties["name"]["pattern"] = f"^{NAME.pattern}$"
    properties["params"] = {
        "description": "Values every step sees; or a list of declarations.",
        "anyOf": [
            {"type": "object", "additionalProperties": True},
            {"type": "array", "items": {"$ref": "#/$defs/ParamSpec"}},
        ],
    }
    properties["steps"]["items"] = {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds]}
    properties["step_defaults"] = {
        "type": "object",
        "description": "Keys merged into every step that knows them; a step's own value wins.",
    }
    depends_on = properties["depends_on"]
    properties["depends_on"] = {
        "description": depends_on.pop("description"),
        "anyOf": [depends_on, {"type": "string"}],
    }
    schema["title"] = "Job"
    schema["required"] = ["steps"]
    schema["anyOf"] = [{"required": ["name"]}, {"required": ["id"]}]
    _accept(schema, JOB_KEYS)


def _accept(schema: dict[str, Any], aliases: dict[str, str]) -> None:
    """Let `schema` know the spellings that are read but not written."""
    properties: dict[str, Any] = schema["properties"]
    for alias, key in aliases.items():
        properties[alias] = {**properties[key], "deprecated": True, "description": f"Same as `{key}`."}
    required = [key for key in schema.get("required", []) if key not in aliases.values()]
    if "required" in schema:
        schema["required"] = required
