"""Where deliveries may go: URLs, and the addresses that names lead to."""

from ipaddress import ip_network

import pytest

from app.delivery.address import (
    AddressPolicy,
    FaultyUrl,
    RefusedAddress,
    check_url,
    endpoint,
    literal,
    special,
)

SPECIAL = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_an_address_that_is_not_public_is_refused_with_the_reason(address: str) -> None:
    assert special(address)
    with pytest.raises(RefusedAddress, match="SLATIMER_ALLOW_NETWORKS"):
        AddressPolicy().check([address])


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert special(address) is None
    AddressPolicy().check([address])


def test_one_refused_address_among_several_refuses_the_host() -> None:
    with pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
        AddressPolicy().check(["1.1.1.1", "10.0.0.1"])


def test_the_operator_can_allow_a_network_and_only_that_network() -> None:
    gate = AddressPolicy((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    gate.check(["10.1.2.3", "fd12::1", "::ffff:10.1.2.3"])
    with pytest.raises(RefusedAddress):
        gate.check(["10.2.0.1"])


def test_plain_http_reaches_allowed_networks_only() -> None:
    gate = AddressPolicy((ip_network("10.1.0.0/16"),))
    gate.check(["10.1.2.3"], public=False)
    with pytest.raises(RefusedAddress, match="https only"):
        gate.check(["1.1.1.1"], public=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "https://"),
        ("example.org/hook", "https://"),
        ("https:///hook", "has no host"),
        ("https://user:word@example.org/", "credentials"),
        ("https://token@example.org/", "credentials"),
        ("https://example.org/#top", "fragment"),
        ("https://example.org:0/", "invalid port, 0"),
        ("https://example.org:99999/", "invalid port, 99999"),
        ("https://exa mple.org/", "invalid host"),
        ("https://[::1/", "is not a valid URL"),
        ("https://example.org/" + "a" * 3000, "longer"),
        ("https://example.org/\r\nX-Injected: 1", "is not a valid URL"),
        ("", "https://"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::ffff:169.254.169.254]/latest/meta-data", "link-local"),
        ("http://example.org/", "https://"),
        ("https://127.1/", r"127\.0\.0\.1 is not public \(loopback\)"),
        ("https://0x7f.1/", "loopback"),
        ("https://0X7F000001/", "loopback"),
        ("https://0177.1/", "loopback"),
        ("https://0177.0.0.1/", "Invalid IPv4 address"),
        ("https://2130706433/", "loopback"),
        ("https://127.0.0.1./", "loopback"),
        ("https://127\u30020\u30020\u30021/", "loopback"),
        ("https://10.65535/", r"10\.0\.255\.255 is not public \(private\)"),
        ("https://0xa9fea9fe/latest/meta-data", "link-local"),
        ("https://0/", "unspecified"),
        ("https://[::127.0.0.1]/", "loopback"),
        ("https://[0:0:0:0:0:ffff:7f00:1]/", "loopback"),
        ("https://[64:ff9b::7f00:1]/", "loopback"),
        ("https://1.2.3.4.5/", "neither a name nor an IP address"),
        ("https://4294967296/", "neither a name nor an IP address"),
        ("https://example.1/", "neither a name nor an IP address"),
        ("https://example.0x/", "neither a name nor an IP address"),
    ],
)
def test_an_invalid_url_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(FaultyUrl, match=why):
        check_url(url, AddressPolicy())


@pytest.mark.parametrize("host", ["1.1", "0x01010101", "16843009", "[2606:4700:4700::1111]", "1.1.1.1."])
def test_a_public_address_in_any_notation_is_allowed(host: str) -> None:
    check_url(f"https://{host}/hook", AddressPolicy())


@pytest.mark.parametrize("host", ["example.org", "0x7f.example", "1e3.example.", "127.0.0.1.nip.io", "a1"])
def test_a_name_that_looks_like_an_address_is_a_name(host: str) -> None:
    assert literal(host) is None
    check_url(f"https://{host}/hook", AddressPolicy())


def test_an_address_in_another_notation_is_in_the_network_that_the_operator_allows() -> None:
    gate = AddressPolicy((ip_network("127.0.0.0/8"),))
    assert check_url("http://127.1:8000/hook", gate).port == 8000
    with pytest.raises(FaultyUrl, match="https only"):
        check_url("http://1.1/", gate)


def test_plain_http_urls_need_an_allowed_network() -> None:
    gate = AddressPolicy((ip_network("127.0.0.0/8"),))
    assert check_url("http://127.0.0.1:8000/hook", gate).port == 8000
    with pytest.raises(FaultyUrl, match="https only"):
        check_url("http://1.1.1.1/", gate)


def test_a_name_is_not_resolved_when_its_url_is_checked() -> None:
    assert check_url("https://no-such-host.invalid/hook", AddressPolicy()).host == "no-such-host.invalid"


def test_the_checked_parts_of_a_url_are_the_ones_that_are_called() -> None:
    found = endpoint("https://Bücher.example:8443/hook/a%20b?x=1")
    assert (found.host, found.port, found.target) == ("xn--bcher-kva.example", 8443, b"/hook/a%20b?x=1")
    assert found.origin == "https://xn--bcher-kva.example:8443"
    assert endpoint("https://[2606:4700::1]/x").origin == "https://[2606:4700::1]"
