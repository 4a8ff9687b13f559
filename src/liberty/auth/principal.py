"""Who is asking and what they may do: the one place where permissions are matched.

A permission is words joined by colons, such as `settings:jobs`. In a granted pattern `*` stands for one word,
a last `*` for one or more words, `*` alone for everything, and a leading `!` denies. A denial wins over any
grant; without a grant the answer is no. A superuser needs no grant and heeds no denial. A token that has a
scope may do what its owner may *and* its scope allows, also when the owner is a superuser.

Permissions on jobs are not compared word by word, because a job and an app may have the same name. Each
pattern has exactly one reading, as (app, name, verbs):

    job:*                   every verb on every job (also `*`)
    job:<name>              read and run; denied: every verb
    job:<name>:<verb>       that verb; the verbs are read, run, abort
    job:<app>:*             every verb on every job of the app, and none on a job called like the app
    job:<app>:<name>        read and run; denied: every verb
    job:<app>:<name>:<verb> that verb (`*`: every verb)

So in three words a last `read`, `run` or `abort` is always the verb; a job with such a name is granted by
`job:read` or `job:<app>:read:*`. Anything else that starts with `job:` means nothing. Upper and lower case
are the same for jobs and apps, as in the catalogue, so that a denial cannot be dodged by spelling.
Runs that try a step out are kept under `_test/<job>`; the rights on them are the rights on the job.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Self, get_args

from liberty.errors import Invalid

type Verb = Literal["read", "run", "abort"]
type Kind = Literal["session", "token", "cli"]

VERBS: frozenset[str] = frozenset(get_args(Verb.__value__))
_READ_AND_RUN = frozenset({"read", "run"})
_ANY = "*"
_PATTERN = re.compile(
    r"!?(?:\*|[a-z0-9_][a-z0-9_./-]*)(?::(?:\*|[a-z0-9_][a-z0-9_./-]*))*", re.IGNORECASE | re.ASCII
)
_MAX_LENGTH = 200


def checked_permissions(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns without repeats, in order. Raises Invalid when one can never match anything."""
    kept: dict[str, None] = {}
    for pattern in patterns:
        text = pattern.strip()
        if len(text) > _MAX_LENGTH or not _PATTERN.fullmatch(text):
            raise Invalid(
                f"not a permission: {text[:_MAX_LENGTH]!r}; write words joined by colons, `*` for any word, "
                "`!` in front to deny, e.g. 'job:nightly' or 'settings:*'"
            )
        words = text.removeprefix("!").split(":")
        if words[0].lower() == "job" and _JobRule.read(words, denied=False) is None:
            raise Invalid(
                f"not a permission on jobs: {text!r}; write job:<name>, job:<name>:<verb>, job:<app>:*, "
                f"job:<app>:<name> or job:<app>:<name>:<verb>, with a verb of {', '.join(sorted(VERBS))}"
            )
        kept[text] = None
    return tuple(kept)


def matches(pattern: str, permission: str) -> bool:
    """Whether a pattern (without `!`) covers a permission, word by word."""
    wanted = pattern.split(":")
    words = permission.split(":")
    fits = len(words) >= len(wanted) if wanted[-1] == _ANY else len(words) == len(wanted)
    return fits and all(want in (_ANY, word) for want, word in zip(wanted, words, strict=False))


def _same_case(text: str) -> str:
    # Only ASCII is folded: U+212A (Kelvin) lowers to `k`, and must not pass for it.
    return text.lower() if text.isascii() else text


TEST_PREFIX = "_test/"
"""How the names begin under which runs are kept that try out one step of a job."""


@dataclass(frozen=True, slots=True)
class _JobRule:
    """One reading of a pattern on jobs; `*` in app or name stands for any."""

    app: str
    name: str
    verbs: frozenset[str]

    @classmethod
    def read(cls, words: list[str], *, denied: bool) -> Self | None:
        """The rule in `words` (the pattern split at colons), or None when it says nothing about jobs."""
        head, *rest = [_same_case(word) for word in words]
        usual = VERBS if denied else _READ_AND_RUN
        if head not in ("job", _ANY):
            return None
        match rest:
            case [] if head == _ANY:
                return cls(_ANY, _ANY, VERBS)
            case ["*"]:
                return cls(_ANY, _ANY, VERBS)
            case [name]:
                return cls(_ANY, name, usual)
            case [app, "*"]:
                return cls(app, _ANY, VERBS)
            case [name, verb] if verb in VERBS:
                return cls(_ANY, name, frozenset({verb}))
            case [app, name]:
                return cls(app, name, usual)
            case [app, name, "*"]:
                return cls(app, name, VERBS)
            case [app, name, verb] if verb in VERBS:
                return cls(app, name, frozenset({verb}))
            case _:
                return None

    def covers(self, verb: str, name: str, app: str) -> bool:
        return verb in self.verbs and self.name in (_ANY, name) and self.app in (_ANY, app)

    def covers_all(self, verb: str) -> bool:
        return verb in self.verbs and self.name == _ANY and self.app == _ANY


_MAX_ANSWERS = 4096


class _Rights:
    """A list of patterns, parsed once, and the answers it has given: the same few are asked for all the time."""

    __slots__ = ("_answers", "_denied", "_granted", "_job_denied", "_job_granted")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._granted = tuple(p for p in patterns if not p.startswith("!"))
        self._denied = tuple(p[1:] for p in patterns if p.startswith("!"))
        self._job_granted = self._rules(self._granted, denied=False)
        self._job_denied = self._rules(self._denied, denied=True)
        self._answers: dict[tuple[str, str, str], bool] = {}

    @staticmethod
    def _rules(patterns: tuple[str, ...], *, denied: bool) -> tuple[_JobRule, ...]:
        rules = (_JobRule.read(pattern.split(":"), denied=denied) for pattern in patterns)
        return tuple(rule for rule in rules if rule is not None)

    def allow(self, permission: str) -> bool:
        return any(matches(p, permission) for p in self._granted) and not any(
            matches(p, permission) for p in self._denied
        )

    def allow_job(self, verb: str, name: str, app: str) -> bool:
        asked = (verb, name, app)
        known = self._answers.get(asked)
        if known is None:
            if len(self._answers) >= _MAX_ANSWERS:
                self._answers = {}
            known = self._answers[asked] = self._allow_job(verb, _same_case(name), _same_case(app))
        return known

    def _allow_job(self, verb: str, name: str, app: str) -> bool:
        return any(rule.covers(verb, name, app) for rule in self._job_granted) and not any(
            rule.covers(verb, name, app) for rule in self._job_denied
        )

    def allow_every_job(self, verb: str) -> bool:
        return any(rule.covers_all(verb) for rule in self._job_granted) and not any(
            verb in rule.verbs for rule in self._job_denied
        )


_rights = lru_cache(maxsize=1024)(_Rights)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known: a signed-in person, the holder of a token, or the command line on this machine."""

    name: str
    permissions: tuple[str, ...] = ()
    superuser: bool = False
    kind: Kind = "session"
    scope: tuple[str, ...] | None = None
    user_id: int | None = None
    token_id: int | None = None
    _owner: _Rights = field(init=False, repr=False, compare=False)
    _token: _Rights | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_owner", _rights(self.permissions))
        object.__setattr__(self, "_token", None if self.scope is None else _rights(self.scope))

    def may(self, permission: str) -> bool:
        """Whether this permission is held. Raises ValueError for one on jobs: only `may_job` reads those."""
        if permission == "job" or permission.startswith("job:"):
            raise ValueError(f"ask may_job, not may, about {permission!r}")
        return (self.superuser or self._owner.allow(permission)) and (
            self._token is None or self._token.allow(permission)
        )

    def may_job(self, verb: Verb, name: str, app: str) -> bool:
        """Whether the job `name` of `app` may be read, run or aborted; each verb is a right of its own."""
        if verb not in VERBS:
            raise ValueError(f"no verb {verb!r} on jobs")
        name = name.removeprefix(TEST_PREFIX)
        return (self.superuser or self._owner.allow_job(verb, name, app)) and (
            self._token is None or self._token.allow_job(verb, name, app)
        )

    def may_every_job(self, verb: Verb) -> bool:
        """Whether the verb is held on all jobs, present and future, so that a query needs no filter."""
        return (self.superuser or self._owner.allow_every_job(verb)) and (
            self._token is None or self._token.allow_every_job(verb)
        )

    def visible_jobs(self, jobs: Iterable[tuple[str, str]], verb: Verb = "read") -> frozenset[str]:
        """The names, of these (name, app) pairs, on which the verb is held."""
        return frozenset(name for name, app in jobs if self.may_job(verb, name, app))
