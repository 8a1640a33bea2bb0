"""Which IP addresses are public: an own table, because the standard library's is too generous.

``ipaddress.is_global`` says yes to multicast, to 192.0.0.192 (a cloud's metadata service), to the
IPv4 addresses that hide in NAT64, 6to4 and ``::a.b.c.d``, and to several reserved blocks.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL_4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # Azure's host agent, a public address with a private service
    "169.254.0.0/16",  # link-local, and the clouds' metadata services
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is 192.0.0.192
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
)
_GLOBAL_6 = "2000::/3"
_SPECIAL_6 = (
    "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4: an IPv4 address of anyone's choice inside
    "3fff::/20",  # documentation
)


def _span(network: str) -> tuple[int, int]:
    parsed = ipaddress.ip_network(network)
    return int(parsed.network_address), int(parsed.broadcast_address)


_SPANS_4 = tuple(_span(network) for network in _SPECIAL_4)
_SPAN_GLOBAL_6 = _span(_GLOBAL_6)
_SPANS_6 = tuple(_span(network) for network in _SPECIAL_6)


def is_public(address: str | Address) -> bool:
    """Whether an IP address is one of a server on the open internet.

    Args:
        address: An address, or its text as a resolver gives it; anything else is not public.
    """
    if isinstance(address, str):
        try:
            address = ipaddress.ip_address(address)
        except ValueError:
            return False
    number = int(address)
    if address.version == 4:
        return not any(low <= number <= high for low, high in _SPANS_4)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return False
    low, high = _SPAN_GLOBAL_6
    return low <= number <= high and not any(low <= number <= high for low, high in _SPANS_6)
