"""Which addresses outgoing HTTP may reach."""

import pytest

from liberty.connectors.http_policy import HttpPolicy, Reach, literal_of, reach_of
from liberty.errors import Forbidden, Invalid


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:5601:5601",
        "fd00::5efe:169.254.169.254",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_metadata_and_link_local_addresses_are_never_reached(address: str) -> None:
    assert reach_of(address) is Reach.NEVER
    policy = HttpPolicy.of([f"{address}:80", f"[{address}]:80"], "allow")
    with pytest.raises(Forbidden, match="never"):
        policy.check(address, host=address, port=80, trusted=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "::",
        "fd12:3456::1",
        "::ffff:127.0.0.1",
        "::7f00:1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::1",
        "240.0.0.1",
        "192.0.2.1",
    ],
)
def test_private_addresses_need_a_written_origin_or_an_entry(address: str) -> None:
    assert reach_of(address) is Reach.PRIVATE
    HttpPolicy().check(address, host="svc", port=80, trusted=True)
    with pytest.raises(Forbidden, match=r"svc:80.*http_allow"):
        HttpPolicy().check(address, host="svc", port=80, trusted=False)
    with pytest.raises(Forbidden, match="http_private"):
        HttpPolicy(private="deny").check(address, host="svc", port=80, trusted=True)
    listed = HttpPolicy.of(["SVC:80"], "deny")
    listed.check(address, host="svc", port=80, trusted=False)
    with pytest.raises(Forbidden):
        listed.check(address, host="svc", port=81, trusted=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_open(address: str) -> None:
    assert reach_of(address) is Reach.PUBLIC
    HttpPolicy(private="deny").check(address, host=address, port=443, trusted=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0x7f000001",
        "017700000001",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "0x7f.1",
        "[::zz]",
        "a.0x1",
    ],
)
def test_odd_spellings_of_addresses_are_refused(host: str) -> None:
    with pytest.raises(Invalid, match="plain address"):
        literal_of(host)


@pytest.mark.parametrize(
    ("host", "literal"),
    [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("example.com", None), ("4chan.org", None), ("a1", None)],
)
def test_names_and_plain_addresses_are_told_apart(host: str, literal: str | None) -> None:
    assert literal_of(host) == literal
