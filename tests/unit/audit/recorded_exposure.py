"""Security groups and network ACLs, in each state that a check tells from another."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from toolkit.audit.checks.exposure import EVERY_IPV4, EVERY_IPV6, NetworkAcls, SecurityGroups
from toolkit.findings import Status

from .conftest import HOME, Case, Flip, live

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
IPV4, IPV6 = (f"ec2_securitygroup_remote_administration_from_ipv{n}_restricted" for n in (4, 6))
CIFS, ACL = "ec2_securitygroup_cifs_restricted", "ec2_networkacl_remote_administration_restricted"
OFFICE = "192.0.2.0/24"


def rule(block: str, first: int | None = 22, last: int | None = 22, protocol: str = "tcp") -> dict[str, Any]:
    return {"protocol": protocol, "from": first, "to": last, "blocks": [block]}


def _halves(every: str) -> tuple[str, ...]:
    return tuple(map(str, ip_network(every).subnets()))


def _quarters(every: str) -> tuple[str, ...]:
    return tuple(map(str, ip_network(every).subnets(prefixlen_diff=2)))


def _groups(check: str, expected: Status, *rules: dict[str, Any], flips: tuple[Flip, ...] = ()) -> Case:
    groups = (live({"rules": []}, "the empty group"), live({"rules": list(rules)}, "the group"))
    return Case(check, expected, {SecurityGroups(HOME): groups}, flips)


def _flips(expected: Status, **values: Any) -> tuple[Flip, ...]:
    return tuple(Flip(f"rules.0.{name}", value, expected, at=1) for name, value in values.items())


def _of_groups(check: str, every: str, other: str, port: int) -> tuple[Case, ...]:
    """A rule that lets in every address, and what about it would make it harmless."""
    harmless = {"blocks": [OFFICE], "protocol": "udp", "from": port + 1, "to": port - 1}
    return (
        _groups(check, FAIL, rule(every, port, port), flips=_flips(PASS, **harmless)),
        _groups(check, FAIL, rule(every, 0, 65535), flips=_flips(PASS, **{"from": 3390, "to": 21})),
        _groups(check, FAIL, rule(every, None, None, "-1"), flips=_flips(PASS, protocol="1")),
        _groups(check, FAIL, rule(every, port, port, "6")),
        # A rule of TCP without ports is not known from AWS: no reason to pass.
        _groups(check, FAIL, rule(every, None, None)),
        _groups(check, FAIL, rule(OFFICE, 0, 65535), rule(every, port, port)),
        _groups(
            check,
            PASS,
            rule(OFFICE, 0, 65535),
            flips=(*_flips(FAIL, blocks=[OFFICE, every]), Flip("rules", [rule(every, port, port)], FAIL)),
        ),
        _groups(
            check, PASS, rule(every, 443, 443), flips=_flips(FAIL, **({"from": 0} if port < 443 else {"to": 65535}))
        ),
        _groups(check, PASS, rule(every, 0, 0, "icmp"), flips=_flips(FAIL, protocol="-1")),
        # Every address by several rules, of which each is about fewer.
        _groups(
            check,
            FAIL,
            *(rule(one, port, port) for one in _halves(every)),
            flips=(
                *_flips(PASS, blocks=[OFFICE], protocol="udp"),
                Flip("rules.1.from", port + 1, PASS, at=1),
                Flip("rules.1.blocks", [_halves(every)[0]], PASS, at=1),
            ),
        ),
        _groups(check, FAIL, {**rule(every, port, port), "blocks": [OFFICE, *_quarters(every)]}),
        _groups(check, PASS, {**rule(every, port, port), "blocks": [*_quarters(every)[1:], OFFICE]}),
        Case(check, NOT_APPLICABLE, {SecurityGroups(HOME): ()}),
        *((_groups(check, PASS, rule(other, port, port), flips=_flips(FAIL, blocks=[every])),) if other else ()),
    )


def entry(
    action: str, block: str, first: int | None = None, last: int | None = None, protocol: str = "-1"
) -> dict[str, Any]:
    return {"action": action, "protocol": protocol, "from": first, "to": last, "blocks": [block]}


def _acls(expected: Status, *rules: dict[str, Any], flips: tuple[Flip, ...] = ()) -> Case:
    return Case(ACL, expected, {NetworkAcls(HOME): (live({"rules": list(rules)}, "the ACL"),)}, flips)


def _change(place: str, value: Any, expected: Status) -> Flip:
    return Flip(f"rules.{place}", value, expected)


CLOSED = entry("deny", EVERY_IPV4)

CASES = (
    *_of_groups(IPV4, EVERY_IPV4, EVERY_IPV6, 22),
    *_of_groups(IPV4, EVERY_IPV4, EVERY_IPV6, 3389),
    *_of_groups(IPV6, EVERY_IPV6, EVERY_IPV4, 22),
    *_of_groups(IPV6, EVERY_IPV6, EVERY_IPV4, 3389),
    *_of_groups(CIFS, EVERY_IPV4, "", 139),
    *_of_groups(CIFS, EVERY_IPV6, "", 445),
    # What AWS sets up: everything is allowed, before the entry that denies the rest.
    _acls(
        FAIL,
        entry("allow", EVERY_IPV4),
        CLOSED,
        flips=(
            _change("0.action", "deny", PASS),
            _change("0.blocks", [OFFICE], PASS),
            _change("0.protocol", "17", PASS),
        ),
    ),
    _acls(FAIL, entry("allow", EVERY_IPV6), flips=(_change("0.blocks", [OFFICE], PASS),)),
    _acls(
        FAIL,
        entry("allow", EVERY_IPV4, 22, 22, "6"),
        CLOSED,
        flips=(_change("0.from", 23, PASS), _change("0.to", 21, PASS), _change("0.protocol", "17", PASS)),
    ),
    _acls(FAIL, entry("allow", EVERY_IPV4, 3389, 3389, "6"), CLOSED, flips=(_change("0.action", "deny", PASS),)),
    # The first entry that is about the port decides, but only for the addresses that it is about.
    _acls(
        PASS,
        entry("deny", EVERY_IPV4, 22, 22, "6"),
        entry("deny", EVERY_IPV4, 3389, 3389, "6"),
        entry("allow", EVERY_IPV4),
        flips=(
            _change("0.action", "allow", FAIL),
            _change("0.blocks", [OFFICE], FAIL),
            _change("0.protocol", "17", FAIL),
            _change("1.from", 3390, FAIL),
            _change("1.to", 3388, FAIL),
        ),
    ),
    _acls(FAIL, entry("deny", OFFICE), entry("allow", EVERY_IPV4)),
    _acls(FAIL, entry("deny", EVERY_IPV6), entry("allow", EVERY_IPV4)),
    _acls(PASS, entry("allow", OFFICE, 22, 22, "6"), CLOSED, flips=(_change("0.blocks", [EVERY_IPV4], FAIL),)),
    _acls(PASS, entry("allow", EVERY_IPV4, 443, 443, "6"), CLOSED, flips=(_change("0.to", 65535, FAIL),)),
    *(
        case
        for every in (EVERY_IPV4, EVERY_IPV6)
        for first, second in [_halves(every)]
        for case in (
            _acls(
                FAIL,
                entry("allow", first),
                entry("allow", second),
                entry("deny", every),
                flips=(
                    _change("0.action", "deny", PASS),
                    _change("1.action", "deny", PASS),
                    _change("1.protocol", "17", PASS),
                    _change("1.blocks", [first], PASS),
                ),
            ),
            _acls(PASS, entry("deny", first), entry("deny", second), entry("allow", every)),
            _acls(PASS, entry("allow", first), entry("deny", every), entry("allow", second)),
            _acls(FAIL, entry("deny", first), entry("allow", every)),
            _acls(FAIL, entry("allow", first), entry("deny", OFFICE), entry("allow", second)),
        )
    ),
    Case(ACL, NOT_APPLICABLE, {NetworkAcls(HOME): ()}),
)
