"""Who may reach administration and file sharing: security groups and network ACLs that let in every address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import collapse_addresses, ip_network
from typing import Any

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

EVERY_IPV4, EVERY_IPV6 = "0.0.0.0/0", "::/0"
_ADMINISTRATION = {22: "SSH", 3389: "RDP"}
"""Ports by which Security Hub judges EC2.21, EC2.53 and EC2.54.

https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html
"""
_FILE_SHARING = {139: "NetBIOS", 445: "CIFS"}
_TCP = ("tcp", "6")
"""As security groups and network ACLs name it."""
_EVERY_PROTOCOL = "-1"


def prefix_list(source: Source, region: str, identifier: str) -> tuple[str, ...]:
    """The CIDR blocks of a prefix list, also of AWS's own.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetManagedPrefixListEntries.html
    """
    entries = source.pages("ec2", "get_managed_prefix_list_entries", "Entries", region, PrefixListId=identifier)
    return tuple(one["Cidr"] for one in entries)


@dataclass(frozen=True)
class SecurityGroups(Fact):
    """Every security group of a region, with what its rules let in.

    Values: `rules`, each with `protocol`, `from` and `to` (None: every port) and the CIDR blocks it admits, those of
    prefix lists among them. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """

    region: str

    named = "every security group in {region}"
    calls = ("ec2:DescribeSecurityGroups", "ec2:GetManagedPrefixListEntries")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The groups."""
        return tuple(
            Live(
                {"id": one["GroupId"]},
                {"rules": [self._rule(source, rule) for rule in one["IpPermissions"]]},
                f"the security group {one['GroupId']} ({one['GroupName']})",
                one["GroupId"],
                type="aws_security_group",
                region=self.region,
            )
            for one in source.pages("ec2", "describe_security_groups", "SecurityGroups", self.region)
        )

    def _rule(self, source: Source, rule: Mapping[str, Any]) -> dict[str, Any]:
        lists = [prefix_list(source, self.region, one["PrefixListId"]) for one in rule.get("PrefixListIds", ())]
        blocks = [
            *(one["CidrIp"] for one in rule.get("IpRanges", ())),
            *(one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ())),
            *(block for one in lists for block in one),
        ]
        return {
            "protocol": rule["IpProtocol"],
            "from": rule.get("FromPort"),
            "to": rule.get("ToPort"),
            "blocks": blocks,
        }


@dataclass(frozen=True)
class NetworkAcls(Fact):
    """Every network ACL of a region, with its inbound entries in the order in which they are evaluated.

    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    """

    region: str

    named = "every network ACL in {region}"
    calls = ("ec2:DescribeNetworkAcls",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The ACLs."""
        return tuple(
            Live(
                {"id": one["NetworkAclId"]},
                {"rules": [_entry(entry) for entry in sorted(one["Entries"], key=_number) if not entry["Egress"]]},
                f"the network ACL {one['NetworkAclId']}",
                one["NetworkAclId"],
                type="aws_network_acl",
                region=self.region,
            )
            for one in source.pages("ec2", "describe_network_acls", "NetworkAcls", self.region)
        )


def _number(entry: Mapping[str, Any]) -> int:
    return int(entry["RuleNumber"])


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    ports = entry.get("PortRange", {})
    return {
        "action": entry["RuleAction"],
        "protocol": entry["Protocol"],
        "from": ports.get("From"),
        "to": ports.get("To"),
        "blocks": [block for name in ("CidrBlock", "Ipv6CidrBlock") if (block := entry.get(name))],
    }


def _is_about(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule is about a TCP port."""
    if rule["protocol"] == _EVERY_PROTOCOL:
        return True
    if rule["protocol"] not in _TCP:
        return False
    first, last = rule["from"], rule["to"]
    return first is None or last is None or first <= port <= last


_network = cache(ip_network)


def _are_all(blocks: Iterable[str], every: str) -> bool:
    """Whether CIDR blocks are together every address, as 0.0.0.0/1 and 128.0.0.0/1 are."""
    networks: list[Any] = [_network(block, strict=False) for block in blocks]
    whole = _network(every, strict=False)
    return whole in list(collapse_addresses([one for one in networks if one.version == whole.version]))


def _open_in_group(group: Live, block: str, port: int) -> bool:
    """Whether the rules that are about the port let in every address, together or one by itself."""
    rules = (rule for rule in group.values["rules"] if _is_about(rule, port))
    return _are_all((one for rule in rules for one in rule["blocks"]), block)


def _open_in_acl(acl: Live, block: str, port: int) -> bool:
    """Whether the entries that are about the port allow every address, together or by one, before others deny all.

    An entry for fewer addresses decides for these alone.
    """
    allowed: list[str] = []
    denied: list[str] = []
    for rule in acl.values["rules"]:
        if _is_about(rule, port):
            allows: bool = rule["action"] == "allow"
            so_far = allowed if allows else denied
            so_far += rule["blocks"]
            if _are_all(so_far, block):
                return allows
    return False


def _check(
    name: str,
    title: str,
    severity: Severity,
    fact: Callable[[str], Fact],
    is_open: Callable[[Live, str, int], bool],
    blocks: Iterable[str],
    ports: Mapping[int, str],
    what: str,
    remedy: str,
    source: str,
) -> Check:
    def needs(scope: Scope) -> Iterator[Fact]:
        yield fact(scope.region)

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        every = answers[fact(scope.region)]
        let_in = [
            (one, found)
            for one in every
            if (found := [(block, port) for block in blocks for port in ports if is_open(one, block, port)])
        ]
        for one, found in let_in:
            said = ", ".join(f"{block} to port {port} ({ports[port]})" for block, port in found)
            yield Outcome(Status.FAIL, f"{one.called} lets in {said}", one, facts=tuple(said.split(", ")))
        if every and not let_in:
            yield Outcome(Status.PASS, f"none of {len(every):,} {what} lets every address reach these ports")

    why = "Every host that finds the address can try passwords and exploits."
    return Check(name, title, severity, "ec2", needs, judge, Remedy(remedy), why, regional=True, source=source)


_GROUPS_GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"
_GROUP_REMEDY = "allow the addresses that need it instead, or none and use AWS Systems Manager Session Manager"

CHECKS = (
    _check(
        "ec2_securitygroup_remote_administration_from_ipv4_restricted",
        "No security group lets every IPv4 address reach SSH or RDP.",
        Severity.HIGH,
        SecurityGroups,
        _open_in_group,
        (EVERY_IPV4,),
        _ADMINISTRATION,
        "security groups",
        _GROUP_REMEDY,
        _GROUPS_GUIDE,
    ),
    _check(
        "ec2_securitygroup_remote_administration_from_ipv6_restricted",
        "No security group lets every IPv6 address reach SSH or RDP.",
        Severity.HIGH,
        SecurityGroups,
        _open_in_group,
        (EVERY_IPV6,),
        _ADMINISTRATION,
        "security groups",
        _GROUP_REMEDY,
        _GROUPS_GUIDE,
    ),
    _check(
        "ec2_securitygroup_cifs_restricted",
        "No security group lets every address reach NetBIOS or CIFS.",
        Severity.CRITICAL,
        SecurityGroups,
        _open_in_group,
        (EVERY_IPV4, EVERY_IPV6),
        _FILE_SHARING,
        "security groups",
        "allow the addresses of trusted networks instead",
        _GROUPS_GUIDE,
    ),
    _check(
        "ec2_networkacl_remote_administration_restricted",
        "No network ACL lets every address reach SSH or RDP.",
        Severity.HIGH,
        NetworkAcls,
        _open_in_acl,
        (EVERY_IPV4, EVERY_IPV6),
        _ADMINISTRATION,
        "network ACLs",
        "add entries before the one that allows all: allow the addresses that need it, then deny ports 22 and 3389; a "
        "VPC's default network ACL allows everything until then",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html",
    ),
)
