"""Definitions: shown, edited, tried out, and their versions."""

from typing import Any, Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body, Instant, Level, ProblemDocument, Values
from liberty.api.models.jobs import PlannedStepModel, ScheduleModel

MAX_TEXT = 256 * 1024
"""Characters of one job's text: each change of it is checked on the whole."""

_TOML = """\
[[jobs]]
name = "nightly"
schedule = "0 2 * * *"

[[jobs.steps]]
type = "python"
callable = "sales.load:run"
"""
_DEFINITION = {
    "name": "nightly",
    "schedule": "0 2 * * *",
    "steps": [{"type": "python", "callable": "sales.load:run"}],
}

type FieldKind = Literal["string", "int", "float", "bool", "date", "datetime", "list", "table", "any"]


class DraftProblemModel(Answer):
    """Something wrong or doubtful, and where in the text: line and column count from 1."""

    message: str = Field(examples=["unknown key 'schedul'; did you mean 'schedule'?"])
    line: int | None = Field(examples=[3])
    column: int | None = Field(examples=[1])
    path: list[str | int] = Field(description="From the job to the key.", examples=[["steps", 0, "query"]])
    key: str | None = Field(description="The same, written with dots.", examples=["steps[0].query"])
    job: str | None
    nearest: str | None = Field(description="What was probably meant.", examples=["schedule"])


class DraftModel(Answer):
    """A job's text and its form. Secrets are masked as `***`; saving a mask keeps the secret."""

    toml: str = Field(examples=[_TOML])
    definition: Any = Field(
        description="What stands in the text, key by key; null while it does not parse.",
        examples=[_DEFINITION],
    )
    effective: Any = Field(
        description="The definition as runs read it: older spellings replaced, steps named; null while something "
        "is wrong.",
        examples=[_DEFINITION],
    )
    ok: bool = Field(description="Whether it may be saved.")
    problems: list[DraftProblemModel]
    warnings: list[DraftProblemModel] = Field(description="Doubtful; it may be saved all the same.")
    schedules: list[ScheduleModel] = Field(description="In words, with the next instants.")


class DefinitionModel(DraftModel):
    """A job as it stands in its file now. `revision` is also the ETag; send it as If-Match when you save."""

    name: str = Field(examples=["nightly"])
    app: str
    file: str = Field(examples=["config/jobs.toml"])
    line: int = Field(description="Where the job begins in the file.", examples=[12])
    revision: str = Field(examples=["9f2c1b7a40d3e812"])
    version: int | None = Field(description="Null for a job that is quarantined.", examples=[4])
    editable: bool = Field(description="False for a job that ships with the program.")


class DraftChange(Body):
    """One change of the text. Paths start at the job; a number at the end stands for an element of a list.

    `set` a key; `remove` a key or an element; `insert` an element before that place; `move` an element `to` another.
    """

    op: Literal["set", "remove", "insert", "move"] = "set"
    path: list[str | int] = Field(min_length=1, max_length=30, examples=[["steps", 0, "query"]])
    value: Any = Field(None, examples=["select 1"])
    to: int | None = Field(None, description="Of `move`: the place it has afterwards.")


class DraftBody(Body):
    """A text, and what to change in it: single keys, or all that `definition` says differently, or both in this order.

    An empty text with a `definition` writes a new one.
    """

    toml: str = Field("", max_length=MAX_TEXT, examples=[_TOML])
    changes: list[DraftChange] = Field(default_factory=list, max_length=200)
    definition: Values | None = Field(None, examples=[_DEFINITION])
    name: str | None = Field(None, description="The saved job that this is a draft of.", examples=["nightly"])
    file: str | None = Field(
        None, description="Of a new job: the file it is to stand in.", examples=["plugins/sales/jobs.toml"]
    )


class SaveBody(Body):
    """What to save: a text, changes of it, or what it is to say. Without `toml`, of the text in the file."""

    toml: str | None = Field(None, max_length=MAX_TEXT, examples=[_TOML])
    changes: list[DraftChange] = Field(default_factory=list, max_length=200)
    definition: Values | None = Field(None, examples=[_DEFINITION])
    base: str | None = Field(
        None,
        max_length=MAX_TEXT,
        description="The text as you opened it: a conflict then tells what changed since.",
    )
    summary: str | None = Field(
        None, max_length=500, description="For the list of versions; default: the keys that changed."
    )


class CreateBody(Body):
    """A new job as text or as definition, and the file it goes into; default: the config folder's."""

    toml: str | None = Field(None, max_length=MAX_TEXT, examples=[_TOML])
    definition: Values | None = Field(None, examples=[_DEFINITION])
    file: str | None = Field(None, examples=["plugins/sales/jobs.toml"])
    summary: str | None = Field(None, max_length=500)


class RenameBody(Body):
    """The new name."""

    to: str = Field(min_length=1, max_length=64, examples=["nightly-load"])


class DuplicateBody(Body):
    """The name of the copy; its schedules are switched off unless `enabled`."""

    to: str = Field(min_length=1, max_length=64, examples=["nightly-copy"])
    file: str | None = None
    enabled: bool = False


class DeletedModel(Answer):
    """What was deleted. Runs and versions are kept; creating the job from `toml` brings it back."""

    name: str
    file: str
    toml: str


class JobFileModel(Answer):
    """A file in which jobs may be written; it need not exist yet."""

    file: str = Field(examples=["config/jobs.toml"])
    app: str = Field(description="Of jobs in it that name none.")
    jobs: int
    is_default: bool


class JobFilesModel(Answer):
    """The default first."""

    items: list[JobFileModel]


class FieldChangeModel(Answer):
    """A key that differs. A list that was reordered has its names before and after."""

    key: str = Field(examples=["steps.load.query"])
    how: Literal["added", "removed", "changed", "moved"]
    before: Any
    after: Any


class EditConflictModel(ProblemDocument):
    """The job was changed since it was opened: the text as it is now, and what changed since `base`."""

    revision: str | None = None
    toml: str | None = None
    diff: str | None = Field(None, description="Unified diff from `base` to the text as it is now.")
    changed: list[FieldChangeModel] | None = None


class DraftRefusedModel(ProblemDocument):
    """Nothing was written; `draft_problems` say what is wrong and where in the draft."""

    draft_problems: list[DraftProblemModel] | None = None


class VersionModel(Answer):
    """A version; `action` is `file` when it came with the file: edited on disk, or deployed."""

    version: int = Field(examples=[4])
    loaded_at: Instant
    current: bool
    saved_by: str | None = Field(examples=["user:alice"])
    saved_at: Instant | None
    action: Literal["create", "change", "restore", "rename", "duplicate", "file"]
    summary: str = Field(examples=["schedule changed, steps.load added"])
    file: str | None


class VersionPageModel(Answer):
    """Newest first."""

    items: list[VersionModel]
    next_cursor: str | None


class VersionDetailModel(VersionModel):
    """A version with its text; one that was not saved here is written out from the definition, without comments."""

    toml: str
    as_written: bool
    definition: Any


class VersionDiffModel(Answer):
    """What differs between two versions."""

    old: int = Field(alias="from")
    new: int = Field(alias="to")
    unified: str = Field(description="Unified diff of the texts.")
    changes: list[FieldChangeModel]


class FormFieldModel(Answer):
    """One value to ask for.

    `kind` is what to show: `bool` a box, `date` a picker, `choices` a list; `picker` a list of connectors or pools.
    """

    name: str = Field(examples=["day"])
    kind: FieldKind
    description: str
    default: Any = Field(description="What the run gets when nothing is sent.")
    has_default: bool
    is_token: bool = Field(description="The default is looked up when the run starts, e.g. `${yesterday}`.")
    required: bool
    optional: bool = Field(description="Whether nothing at all is a value too.")
    choices: list[Any] | None
    picker: Literal["connector", "pool"] | None
    is_secret: bool
    origin: Literal["declared", "params", "preset", "op_kwargs", "callable"]
    steps: list[str] = Field(description="The steps whose functions take it.")


class StepFormModel(Answer):
    """A step; its own values are sent as `op_kwargs[name]`, the switch as `step_enabled[name]`."""

    name: str
    type: str
    enabled: bool
    callable: str | None
    description: str
    fields: list[FormFieldModel]


class FormPresetModel(Answer):
    """A preset; send its name as `preset`, and only what differs from it."""

    name: str
    description: str
    params: Values
    op_kwargs: dict[str, Values]
    step_enabled: dict[str, bool]
    log_level: Level | None
    schedule: str | None


class RunFormModel(Answer):
    """Everything that may be sent with a run; `fields` go into `params`."""

    job: str
    log_level: Level
    log_levels: list[Level]
    fields: list[FormFieldModel]
    steps: list[StepFormModel]
    presets: list[FormPresetModel]


class StepTestBody(Body):
    """The draft, the step to try out, and with what.

    `outputs_of` names a run of the job whose outputs stand in for the earlier steps.
    """

    toml: str = Field(max_length=MAX_TEXT, examples=[_TOML])
    step: str = Field(min_length=1, examples=["load"])
    name: str | None = Field(None, description="The saved job that this is a draft of.")
    params: Values = Field(default_factory=dict)
    op_kwargs: Values = Field(default_factory=dict, description="Values for this step alone.")
    log_level: Level | None = None
    outputs_of: str | None = Field(None, examples=["r-1842"])


class StepPreviewModel(Answer):
    """What the step would do; nothing was changed. `preview` is empty for a step that can only be run."""

    job: str
    params: Any
    step: PlannedStepModel


class StepTestQueuedModel(Answer):
    """The run that tries the step out; follow it like any other. Its job is `_test/<job>`."""

    run_id: str = Field(examples=["r-1850"])
    job: str = Field(examples=["_test/nightly"])
    status: str
    reason: str | None
