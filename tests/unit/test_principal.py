"""Who may do what: permission patterns, verbs on jobs, denials and the scope of tokens."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liberty.auth.principal import VERBS, Principal, Verb, checked_permissions, matches
from liberty.errors import Invalid

ALL: tuple[Verb, ...] = ("read", "run", "abort")

# Names are drawn from a handful, so that jobs, apps and verbs collide as often as they can.
words = st.sampled_from(["a", "ab", "crm", "nightly", "read", "run", "abort", "job", "_default"])
verbs = st.sampled_from(ALL)
pattern_words = st.one_of(words, st.just("*"))
patterns = st.builds(
    lambda denied, parts: ("!" if denied else "") + ":".join(parts),
    st.booleans(),
    st.one_of(
        st.lists(pattern_words, min_size=1, max_size=5),
        st.lists(pattern_words, min_size=1, max_size=4).map(lambda parts: ["job", *parts]),
    ),
)
lists_of_patterns = st.lists(patterns, max_size=6).map(tuple)


def verbs_of(*permissions: str, name: str = "nightly", app: str = "crm") -> set[str]:
    principal = Principal("alice", permissions)
    return {verb for verb in ALL if principal.may_job(verb, name, app)}


@pytest.mark.parametrize(
    ("pattern", "permission", "covered"),
    [
        ("settings:jobs", "settings:jobs", True),
        ("settings:jobs", "settings:job", False),
        ("settings:job", "settings:jobs", False),
        ("settings:jobs", "settings:jobs:read", False),
        ("settings:*", "settings:jobs", True),
        ("settings:*", "settings:jobs:read", True),
        ("settings:*", "settings", False),
        ("*", "settings:jobs:read", True),
        ("*:view", "monitoring:view", True),
        ("*:view", "monitoring:pools:view", False),
        ("sql:*:query", "sql:crm:query", True),
        ("sql:*:query", "sql:crm:other", False),
        ("sql:*:query", "sql:crm:query:write", False),
    ],
)
def test_patterns_match_word_by_word(pattern: str, permission: str, covered: bool) -> None:
    assert matches(pattern, permission) is covered
    assert Principal("alice", (pattern,)).may(permission) is covered


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", {"read", "run", "abort"}),
        ("job:*", {"read", "run", "abort"}),
        ("job:nightly", {"read", "run"}),
        ("job:nightly:read", {"read"}),
        ("job:nightly:run", {"run"}),
        ("job:nightly:abort", {"abort"}),
        ("job:*:read", {"read"}),
        ("job:crm:*", {"read", "run", "abort"}),
        ("job:crm:nightly", {"read", "run"}),
        ("job:crm:nightly:abort", {"abort"}),
        ("job:crm:nightly:*", {"read", "run", "abort"}),
        ("job:crm:*:abort", {"abort"}),
        ("job:*:nightly", {"read", "run"}),
        ("job:NIGHTLY", {"read", "run"}),
        ("job:crm", set()),
        ("job:other:*", set()),
        ("job:other:nightly", set()),
        ("job:nightly:*", set()),
        ("job:night", set()),
        ("job:nightly2", set()),
        ("job:crm:nightly:delete", set()),
        ("job:crm:nightly:read:more", set()),
        ("job", set()),
        ("settings:jobs", set()),
    ],
)
def test_each_pattern_on_jobs_has_one_reading(pattern: str, allowed: set[str]) -> None:
    assert verbs_of(pattern) == allowed


def test_a_pattern_for_an_app_gives_nothing_on_a_job_called_like_it() -> None:
    assert verbs_of("job:crm:*", name="crm", app="other") == set()
    assert verbs_of("job:crm", name="crm", app="other") == {"read", "run"}
    assert verbs_of("job:crm", name="nightly", app="crm") == set()


def test_a_job_called_like_a_verb_is_not_reached_by_the_verb() -> None:
    assert verbs_of("job:crm:read", name="read", app="crm") == set()
    assert verbs_of("job:crm:read", name="crm", app="other") == {"read"}
    assert verbs_of("job:read", name="read", app="crm") == {"read", "run"}
    assert verbs_of("job:crm:read:*", name="read", app="crm") == {"read", "run", "abort"}


def test_a_built_in_job_is_granted_by_its_name() -> None:
    assert verbs_of(
        "job:_default/cleanup-job-history", name="_default/cleanup-job-history", app="_default"
    ) == {"read", "run"}


@pytest.mark.parametrize(
    ("denied", "left"),
    [
        ("!job:nightly:abort", {"read", "run"}),
        ("!job:*:run", {"read", "abort"}),
        ("!job:nightly", set()),
        ("!job:Nightly", set()),
        ("!job:crm:nightly", set()),
        ("!job:crm:*", set()),
        ("!job:*", set()),
        ("!*", set()),
        ("!job:other", {"read", "run", "abort"}),
        ("!job:other:*", {"read", "run", "abort"}),
    ],
)
def test_a_denial_wins_over_the_widest_grant(denied: str, left: set[str]) -> None:
    assert verbs_of("*", denied) == left
    assert verbs_of(denied, "job:*", "job:nightly", "job:nightly:abort") == left


def test_a_denied_permission_outside_jobs_is_denied() -> None:
    principal = Principal("alice", ("settings:*", "!settings:raw"))
    assert principal.may("settings:jobs")
    assert not principal.may("settings:raw")


def test_a_superuser_heeds_no_denial_but_a_scope() -> None:
    admin = Principal("admin", ("!*",), superuser=True)
    assert admin.may("settings:raw")
    assert admin.may_job("abort", "nightly", "crm")
    scoped = Principal("admin", superuser=True, kind="token", scope=("job:nightly",))
    assert scoped.may_job("run", "nightly", "crm")
    assert not scoped.may_job("abort", "nightly", "crm")
    assert not scoped.may("settings:raw")
    assert not scoped.may_every_job("read")


def test_a_token_has_the_intersection_of_its_scope_and_its_owner() -> None:
    token = Principal("alice", ("job:a", "job:b"), kind="token", scope=("job:b", "job:c", "settings:*"))
    assert {name for name in "abc" if token.may_job("run", name, "x")} == {"b"}
    assert not token.may("settings:jobs")
    assert not Principal("alice", ("*",), kind="token", scope=()).may("settings:jobs")


def test_permissions_on_jobs_are_not_asked_as_text() -> None:
    for asked in ("job", "job:nightly", "job:nightly:abort"):
        with pytest.raises(ValueError, match="may_job"):
            Principal("admin", superuser=True).may(asked)


def test_case_folds_only_in_ascii() -> None:
    kelvin = "\u212a"  # lowers to an ASCII k
    assert verbs_of("job:" + kelvin, name="k") == set()
    assert verbs_of("job:k", name=kelvin) == set()


def test_only_the_jobs_one_may_see_are_listed() -> None:
    jobs = [("a", "x"), ("ab", "x"), ("a-b", "y"), ("secret", "y")]
    assert Principal("alice", ("job:a:read", "job:y:*", "!job:secret")).visible_jobs(jobs) == {"a", "a-b"}
    assert Principal("charlie").visible_jobs(jobs) == frozenset()
    assert Principal("bob", ("job:a:abort",)).visible_jobs(jobs) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "!", ":", "job:", "job::a", "a b", "job:a*", "job:é", "job:a\nb", "**"),
        *("job", "!job", "job:a:b:c", "job:a:b:read:d", "x" * 300, "!!job:a"),
    ],
)
def test_a_pattern_that_cannot_match_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match="not a permission"):
        checked_permissions([wrong])


def test_good_patterns_are_kept_in_order_without_repeats() -> None:
    given_ = [" job:a ", "job:*", "!job:_default/x:abort", "job:*", "settings:jobs"]
    assert checked_permissions(given_) == ("job:a", "job:*", "!job:_default/x:abort", "settings:jobs")


@given(lists_of_patterns, verbs, words, words)
def test_without_a_grant_on_jobs_nothing_is_allowed(
    listed: tuple[str, ...], verb: Verb, name: str, app: str
) -> None:
    grants = [p for p in listed if not p.startswith("!") and p.split(":")[0] in ("job", "*")]
    if not grants:
        assert not Principal("charlie", listed).may_job(verb, name, app)


@given(lists_of_patterns, patterns, verbs, words, words)
def test_a_grant_never_takes_and_a_denial_never_gives(
    listed: tuple[str, ...], more: str, verb: Verb, name: str, app: str
) -> None:
    before = Principal("alice", listed).may_job(verb, name, app)
    after = Principal("alice", (*listed, more)).may_job(verb, name, app)
    if more.startswith("!"):
        assert before or not after
    else:
        assert after or not before


@given(lists_of_patterns, st.randoms(use_true_random=False), verbs, words, words)
def test_order_and_repetition_do_not_matter(
    listed: tuple[str, ...], shuffler: Random, verb: Verb, name: str, app: str
) -> None:
    shuffled = [*listed, *listed]
    shuffler.shuffle(shuffled)
    assert Principal("a", listed).may_job(verb, name, app) is Principal("a", tuple(shuffled)).may_job(
        verb, name, app
    )


@given(lists_of_patterns, lists_of_patterns, st.booleans(), verbs, words, words)
def test_a_scope_is_an_intersection(
    owner: tuple[str, ...], scope: tuple[str, ...], superuser: bool, verb: Verb, name: str, app: str
) -> None:
    token = Principal("alice", owner, superuser=superuser, kind="token", scope=scope)
    by_owner = Principal("alice", owner, superuser=superuser).may_job(verb, name, app)
    by_scope = Principal("alice", scope).may_job(verb, name, app)
    assert token.may_job(verb, name, app) is (by_owner and by_scope)


@given(lists_of_patterns, verbs)
def test_whoever_may_do_it_to_every_job_may_do_it_to_each(listed: tuple[str, ...], verb: Verb) -> None:
    principal = Principal("alice", listed)
    names = ("a", "ab", "crm", "nightly", "read", "run", "abort", "job", "_default", "unheard-of")
    if principal.may_every_job(verb):
        assert all(principal.may_job(verb, name, app) for name in names for app in names)


@given(st.lists(st.sampled_from(["a", "ab", "abc", "b", "a-b"]), min_size=2, max_size=2, unique=True), verbs)
def test_a_name_never_opens_another_that_begins_like_it(names: list[str], verb: Verb) -> None:
    mine, other = names
    granted = (f"job:{mine}", f"job:{mine}:abort", f"job:x:{mine}:*")
    assert Principal("alice", granted).may_job(verb, mine, "x")
    assert not Principal("alice", granted).may_job(verb, other, "x")


@given(words, words)
def test_verbs_are_separate_rights(name: str, app: str) -> None:
    for verb in ALL:
        principal = Principal("bob", (f"job:{app}:{name}:{verb}",))
        assert [other for other in ALL if principal.may_job(other, name, app)] == [verb]
    assert set(ALL) == VERBS


def test_rights_on_the_test_of_a_step_are_those_on_its_job() -> None:
    for permissions in (("job:nightly",), ("job:*", "!job:nightly:run"), ("job:other",), ("job:crm:*",)):
        assert verbs_of(*permissions, name="_test/nightly") == verbs_of(*permissions)
