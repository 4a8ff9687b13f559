"""Who may call what: the one table of every route and socket event, and the dependency that enforces it.

A route that is not in the table is not served: the start fails on it. Forbidden and absent look the same (404).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request

from liberty.api.models import ProblemDocument
from liberty.auth.credentials import check_change, identify
from liberty.auth.principal import Verb
from liberty.errors import Internal, NotFound
from liberty.jobs.service import Caller
from liberty.jobs.service.arrival import caller_of

if TYPE_CHECKING:
    from liberty.api.services import Services

type Kind = Literal["public", "page", "signed-in", "permission", "job", "run"]


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller needs.

    public: nothing. page: nothing either; it is the same for everybody and holds no data. signed-in: to be known;
    what is listed is limited to what they may read. permission: any one of `permissions`, in which `{x}` stands for
    the path's x. job: `verb` on the job the path names. run: `verb` on the job of the run the path, or a query, names,
    which the service checks as it reads the run.
    """

    kind: Kind
    permissions: tuple[str, ...] = ()
    verb: Verb | None = None


PUBLIC = Access("public")
PAGE = Access("page")
SIGNED_IN = Access("signed-in")


def _permission(*names: str) -> Access:
    return Access("permission", names)


def _job(verb: Verb) -> Access:
    return Access("job", verb=verb)


def _run(verb: Verb) -> Access:
    return Access("run", verb=verb)


_EDIT = _permission("settings:jobs")
_CHANNELS = _permission("settings:notifications")
_RELOAD = _permission("settings:jobs", "settings:reload")

ROUTES: Mapping[tuple[str, str], Access] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/api/healthz"): PUBLIC,
    ("GET", "/health"): PUBLIC,
    ("GET", "/ready"): PUBLIC,
    ("GET", "/info"): SIGNED_IN,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/"): PAGE,
    ("GET", "/sign-in"): PAGE,
    ("GET", "/nomaflow"): PAGE,
    ("GET", "/nomaflow/{rest:path}"): PAGE,
    ("GET", "/settings"): PAGE,
    ("GET", "/settings/{rest:path}"): PAGE,
    ("GET", "/assets/{name}"): PAGE,
    ("POST", "/auth/login"): PUBLIC,
    ("POST", "/auth/refresh"): PUBLIC,
    ("POST", "/auth/session"): PUBLIC,
    ("GET", "/auth/link"): PUBLIC,
    ("POST", "/auth/logout"): SIGNED_IN,
    ("GET", "/auth/me"): SIGNED_IN,
    ("GET", "/metrics"): _permission("monitoring:view"),
    ("GET", "/admin/jobs"): SIGNED_IN,
    ("GET", "/admin/jobs/runs"): SIGNED_IN,
    ("GET", "/admin/jobs/runs/counts"): SIGNED_IN,
    ("GET", "/admin/jobs/runs/export"): SIGNED_IN,
    ("GET", "/admin/jobs/runs/compare"): _run("read"),
    ("POST", "/admin/jobs/runs/abort"): SIGNED_IN,
    ("POST", "/admin/jobs/runs/replay"): SIGNED_IN,
    ("GET", "/admin/jobs/runs/{run_id}"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/story"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/changes"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/logs/summary"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/logs/shape"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/logs/search"): _run("read"),
    ("GET", "/admin/jobs/runs/{run_id}/logs"): _run("read"),
    ("POST", "/admin/jobs/runs/{run_id}/abort"): _run("abort"),
    ("POST", "/admin/jobs/runs/{run_id}/cancel"): _run("abort"),
    ("POST", "/admin/jobs/runs/{run_id}/replay"): _run("run"),
    ("GET", "/admin/jobs/{name:path}"): _job("read"),
    ("POST", "/admin/jobs/{name:path}/run"): _job("run"),
    ("GET", "/admin/jobs/health"): _permission("settings:technical", "monitoring:view"),
    ("GET", "/admin/jobs/schedule"): SIGNED_IN,
    ("GET", "/admin/jobs/cron-preview"): SIGNED_IN,
    ("GET", "/admin/jobs/callables"): _EDIT,
    ("POST", "/admin/jobs/validate"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/enable"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/disable"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/pause"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/resume"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/backfill"): _job("run"),
    ("GET", "/admin/jobs/{name:path}/backfills"): _job("read"),
    ("POST", "/admin/jobs/{name:path}/backfills/{number}/cancel"): _job("abort"),
    ("GET", "/admin/jobs/{name:path}/marks"): _job("read"),
    ("DELETE", "/admin/jobs/{name:path}/marks/{step}"): _EDIT,
    ("GET", "/admin/jobs/{name:path}/why"): _job("read"),
    ("GET", "/admin/jobs/{name:path}/plan"): _job("run"),
    ("POST", "/admin/jobs"): _EDIT,
    ("GET", "/admin/job-files"): _EDIT,
    ("GET", "/admin/jobs/{name:path}/definition"): _EDIT,
    ("PUT", "/admin/jobs/{name:path}/definition"): _EDIT,
    ("DELETE", "/admin/jobs/{name:path}/definition"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/rename"): _EDIT,
    ("POST", "/admin/jobs/{name:path}/duplicate"): _EDIT,
    ("GET", "/admin/jobs/{name:path}/form"): _job("run"),
    ("GET", "/admin/jobs/{name:path}/versions"): _job("read"),
    ("GET", "/admin/jobs/{name:path}/versions/{version}"): _job("read"),
    ("POST", "/admin/jobs/{name:path}/versions/{version}/restore"): _EDIT,
    ("GET", "/admin/jobs/{name:path}/diff"): _job("read"),
    # Whoever tries a step out must also have the right to run the job, which the service checks.
    ("POST", "/admin/drafts"): _EDIT,
    ("POST", "/admin/drafts/preview-step"): _EDIT,
    ("POST", "/admin/drafts/test-step"): _EDIT,
    ("GET", "/admin/overview/jobs"): SIGNED_IN,
    ("GET", "/admin/overview/load"): SIGNED_IN,
    ("GET", "/admin/overview/calendar"): SIGNED_IN,
    ("GET", "/admin/pools"): _permission("settings:connectors", "settings:technical"),
    ("POST", "/admin/pools/{pool}/test"): _permission("settings:connectors", "settings:technical"),
    ("POST", "/admin/pools/{pool}/reload"): _permission("settings:connectors", "settings:reload"),
    ("GET", "/admin/pools/{pool}/attributes"): _permission("settings:connectors", "settings:jobs"),
    ("POST", "/admin/connectors/{connector}/endpoints/{endpoint}/run"): _permission(
        "settings:connectors", "api:{connector}:{endpoint}"
    ),
    ("GET", "/admin/connectors"): _permission("settings:connectors", "settings:jobs"),
    ("GET", "/admin/connectors/names"): SIGNED_IN,
    ("POST", "/admin/connectors/{connector}/queries/{query}/run"): _permission(
        "settings:connectors", "sql:{connector}:{query}"
    ),
    ("GET", "/admin/connectors/{connector}/tables"): _permission("settings:connectors", "settings:jobs"),
    ("GET", "/admin/connectors/{connector}/tables/{table}/columns"): _permission(
        "settings:connectors", "settings:jobs"
    ),
    # Incidents and messages are limited to jobs the caller may read; changing one needs the right to run its job.
    ("GET", "/admin/incidents"): SIGNED_IN,
    ("GET", "/admin/incidents/{number}"): SIGNED_IN,
    ("POST", "/admin/incidents/{number}/acknowledge"): SIGNED_IN,
    ("POST", "/admin/incidents/{number}/snooze"): SIGNED_IN,
    ("POST", "/admin/incidents/{number}/note"): SIGNED_IN,
    ("GET", "/admin/notices"): SIGNED_IN,
    ("GET", "/admin/deliveries"): _CHANNELS,
    ("GET", "/admin/channels"): _CHANNELS,
    ("POST", "/admin/channels/{channel}/test"): _CHANNELS,
    ("GET", "/admin/freeze"): SIGNED_IN,
    ("POST", "/admin/freeze"): _EDIT,
    ("DELETE", "/admin/freeze"): _EDIT,
    ("POST", "/admin/reload"): _RELOAD,
    ("POST", "/admin/plugins/{name}/reload"): _RELOAD,
    ("GET", "/admin/config/{section}"): _permission("settings:{section}"),
    ("PUT", "/admin/config/{section}"): _permission("settings:{section}"),
    ("GET", "/admin/files/connectors"): _permission("settings:connectors"),
    ("PUT", "/admin/files/connectors"): _permission("settings:connectors"),
    ("POST", "/admin/files/connectors/check"): _permission("settings:connectors"),
    ("GET", "/admin/schema/jobs.json"): SIGNED_IN,
    ("GET", "/admin/schema/connectors.json"): SIGNED_IN,
    ("GET", "/admin/schema/notifications.json"): SIGNED_IN,
}

EVENTS: Mapping[str, Access] = {
    "connect": SIGNED_IN,
    "disconnect": PUBLIC,
    "run.subscribe": _run("read"),
    "run.unsubscribe": SIGNED_IN,
    "jobs.subscribe": SIGNED_IN,
    "jobs.unsubscribe": SIGNED_IN,
    "pools.subscribe": _permission("settings:technical"),
    "pools.unsubscribe": SIGNED_IN,
}
"""What clients may send. `run.subscribe` names its run in the data."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check_complete(routes: Iterable[tuple[str, str]], events: Iterable[str]) -> None:
    """Raises Internal naming every route or event without an entry, and every entry without a route or event."""
    served, handled = set(routes), set(events)
    unguarded = [f"{method} {path}" for method, path in sorted(served - ROUTES.keys())]
    unguarded += sorted(handled - EVENTS.keys())
    gone = [f"{method} {path}" for method, path in sorted(ROUTES.keys() - served)]
    gone += sorted(EVENTS.keys() - handled)
    if unguarded or gone:
        raise Internal(
            f"the access table is wrong: without an entry: {', '.join(unguarded) or 'none'}; "
            f"entries for nothing: {', '.join(gone) or 'none'}"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in: who asks, and what answers."""

    caller: Caller
    services: "Services"
    session: str | None = None


async def guard(request: Request) -> Asked | None:
    """Let the request in or raise Unauthenticated, Forbidden or NotFound; None on a public route."""
    scope = request.scope
    method = request.method if request.method != "HEAD" else "GET"
    access = ROUTES.get((method, scope["route"].path))
    if access is None:
        raise NotFound("no such page")
    services: Services = request.app.state.services
    settings = services.runtime.settings
    if access.kind == "public" or (scope["path"] == "/metrics" and settings.app.metrics_public):
        return None
    credentials = await identify(services.runtime.accounts, request.headers)
    if credentials.session is not None and method not in _SAFE:
        check_change(request.headers, credentials.session, settings.app.cors_origins)
    caller = caller_of(credentials, request.client.host if request.client else None, request.headers)
    if access.kind == "permission":
        if not allowed(caller, access, request.path_params):
            raise NotFound("no such page")
    elif access.kind == "job" and access.verb is not None:
        caller.job_name(services.runtime.generation.catalogue, request.path_params["name"], access.verb)
    return Asked(caller, services, credentials.session)


async def required(asked: Annotated[Asked | None, Depends(guard)]) -> Asked:
    """The same for a handler that needs to know who asks. Raises Internal on a public route."""
    if asked is None:
        raise Internal("this route is public and cannot ask who is calling")
    return asked


type Guarded = Annotated[Asked, Depends(required)]


def allowed(caller: Caller, access: Access, path: Mapping[str, str]) -> bool:
    """Whether the caller holds any one of the permissions."""
    names = (name.format_map(path) if "{" in name else name for name in access.permissions)
    return any(caller.principal.may(name) for name in names)


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ProblemDocument, "description": "Refused; `code` says why."},
    "503": {"model": ProblemDocument, "description": "Try again later."},
}


def resource(tag: str, prefix: str = "") -> APIRouter:
    """The router of one resource, every route of it behind the guard."""
    return APIRouter(prefix=prefix, tags=[tag], dependencies=[Depends(guard)], responses=_PROBLEMS)
