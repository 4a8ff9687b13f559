"""What a directory's bytes become, and how values stand in filters and names."""

from datetime import UTC, datetime

import pytest

from liberty.connectors.ldap import escaped_for_dn, escaped_for_filter
from liberty.connectors.ldap_config import LdapPoolConfig
from liberty.connectors.ldap_values import text_of, texts_of
from liberty.jobs.lookup import Scope
from liberty.jobs.params import render_step
from liberty.jobs.steps.ldap_sync import LdapSyncStep


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("mail", [b"a@x.org", b"b@x.org"], "a@x.org;b@x.org"),
        ("cn", ["Zoë".encode()], "Zoë"),
        ("cn", [], None),
        ("objectGUID", [bytes(range(16))], "03020100-0504-0706-0809-0a0b0c0d0e0f"),
        (
            "objectSid",
            [bytes.fromhex("010500000000000515000000" + "a065cf7e" + "784b9b5f" + "e77c8770" + "091c0100")],
            "S-1-5-21-2127521184-1604012920-1887927527-72713",
        ),
        ("pwdLastSet", [b"132539328000000000"], "2021-01-01T00:00:00Z"),
        ("lastLogonTimestamp", [b"0"], None),
        ("accountExpires", [b"9223372036854775807"], None),
        ("accountExpires", [b"9223372036854775806"], None),
        ("whenCreated", [b"20240229083015.0Z"], "2024-02-29T08:30:15Z"),
        ("createTimestamp", [b"20240229083015Z"], "2024-02-29T08:30:15Z"),
        ("createTimestamp", [b"2024022908+0130"], "2024-02-29T06:30:00Z"),
        ("x", [b"20240229083015,5-0100"], "2024-02-29T09:30:15.500000Z"),
        ("x", [b"20240230083015Z"], "20240230083015Z"),
        ("telephoneNumber", [b"20240229083015"], "20240229083015"),
        ("userCertificate;binary", [b"0\x82"], "MII="),
        ("jpegPhoto", [b"plain"], "cGxhaW4="),
        ("blob", [b"\xff\xfe"], "//4="),
        ("objectGUID", [b"short"], "short"),
    ],
)
def test_values_are_readable(name: str, values: list[bytes], text: str | None) -> None:
    assert text_of(name, values) == text


def test_names_are_lower_case_and_without_options() -> None:
    assert texts_of({"sn;lang-de": [b"a"], "UID": [b"b"]}) == {"sn": "a", "uid": "b"}


@pytest.mark.parametrize(
    ("value", "in_filter"),
    [
        ("*", "\\2a"),
        ("a)(uid=*", "a\\29\\28uid=\\2a"),
        ("\\", "\\5c"),
        ("\0", "\\00"),
        ("plain", "plain"),
    ],
)
def test_a_value_in_a_filter_is_nothing_but_a_value(value: str, in_filter: str) -> None:
    assert escaped_for_filter(value) == in_filter


@pytest.mark.parametrize("value", ["a,dc=evil", "a+uid=b", '"', "#a", " a ", "a\\", "a;b", "<>", "a=b"])
def test_a_value_in_a_name_is_one_value(value: str) -> None:
    from ldap3.utils.dn import parse_dn

    parts = parse_dn(f"uid={escaped_for_dn(value)},dc=example")
    assert [part[0].lower() for part in parts] == ["uid", "dc"]


def test_tokens_in_filter_and_base_are_escaped_and_whole_ones_are_not() -> None:
    step = LdapSyncStep.model_validate(
        {
            "name": "sync",
            "ldap_pool": "ad",
            "search_base": "ou=${params.unit},${env:BASE}",
            "search_filter": "(&(cn=${params.who})(x=$${who}))",
            "target_connector": "crm",
            "target_table": "users",
            "key_column": "uid",
        }
    )
    scope = Scope(
        job="nightly",
        now=datetime(2026, 1, 1, tzinfo=UTC),
        params={"unit": "a,dc=evil", "who": "*)(uid=*"},
        environ={"BASE": "dc=example,dc=org"},
    )
    rendered = render_step(step, scope)
    assert isinstance(rendered, LdapSyncStep)
    assert rendered.search_base == "ou=a\\,dc\\=evil,dc=example,dc=org"
    assert rendered.search_filter == "(&(cn=\\2a\\29\\28uid=\\2a)(x=${who}))"
    whole = step.model_copy(update={"search_filter": "${params.who}", "search_base": "dc=x"})
    again = render_step(LdapSyncStep.model_validate(whole.model_dump(exclude_unset=True)), scope)
    assert isinstance(again, LdapSyncStep)
    assert again.search_filter == "*)(uid=*"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"url": "http://x"}, "must start with ldap"),
        ({"url": "ldap://x/dc=y"}, "with a port at most"),
        ({"url": "ldaps://x", "start_tls": True}, "start_tls"),
        ({"url": "ldaps://x", "bind_dn": "cn=a"}, "both 'bind_dn' and 'bind_password'"),
        ({"url": "ldaps://x", "bind_dn": "cn=a", "bind_password": ""}, "'bind_password' is empty"),
    ],
)
def test_a_pool_that_cannot_work_is_refused(keys: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        LdapPoolConfig.model_validate(keys)
