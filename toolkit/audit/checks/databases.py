"""RDS databases and EFS file systems: encryption, public addresses, minor versions, standbys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


@dataclass(frozen=True)
class Databases(Fact):
    """Every database instance of a region; RDS answers for Aurora, Neptune and DocumentDB, too.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    """

    region: str

    named = "every database instance in {region}"
    calls = ("rds:DescribeDBInstances",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The instances; `cluster` is None for one that is in none."""
        return tuple(
            Live(
                {"identifier": one["DBInstanceIdentifier"]},
                {
                    "encrypted": one["StorageEncrypted"],
                    "public": one["PubliclyAccessible"],
                    "minor_versions": one["AutoMinorVersionUpgrade"],
                    "multi_az": one["MultiAZ"],
                    "cluster": one.get("DBClusterIdentifier"),
                    "engine": one["Engine"],
                },
                f"the database instance {one['DBInstanceIdentifier']!r}",
                one["DBInstanceIdentifier"],
                one["DBInstanceArn"],
                type="aws_db_instance",
                region=self.region,
            )
            for one in source.pages("rds", "describe_db_instances", "DBInstances", self.region)
        )


@dataclass(frozen=True)
class DatabaseClusters(Fact):
    """Every database cluster of a region, and whether it is `multi_az`.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBCluster.html
    """

    region: str

    named = "every database cluster in {region}"
    calls = ("rds:DescribeDBClusters",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The clusters."""
        return tuple(
            Live(
                {"cluster_identifier": one["DBClusterIdentifier"]},
                {"multi_az": one["MultiAZ"]},
                f"the database cluster {one['DBClusterIdentifier']!r}",
                one["DBClusterIdentifier"],
                one["DBClusterArn"],
                type="aws_rds_cluster",
                region=self.region,
            )
            for one in source.pages("rds", "describe_db_clusters", "DBClusters", self.region)
        )


@dataclass(frozen=True)
class FileSystems(Fact):
    """Every EFS file system of a region, and whether it is `encrypted`.

    https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html
    """

    region: str

    named = "every EFS file system in {region}"
    calls = ("elasticfilesystem:DescribeFileSystems",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The file systems."""
        return tuple(
            Live(
                {"id": one["FileSystemId"]},
                {"encrypted": one["Encrypted"]},
                f"the file system {one['FileSystemId']}",
                one["FileSystemId"],
                type="aws_efs_file_system",
                region=self.region,
            )
            for one in source.pages("efs", "describe_file_systems", "FileSystems", self.region)
        )


_Region = Callable[[str], Fact]


def _check(
    name: str,
    title: str,
    severity: Severity,
    service: str,
    fact: _Region,
    wrong: Callable[[Live], str | None],
    right: str,
    remedy: str,
    why: str,
    source: str,
    about: Callable[[Live], bool] = lambda _: True,
) -> Check:
    """A check of each resource by itself.

    Args:
        name: The check's id.
        title: What passes.
        severity: Of a finding.
        service: As IAM names it.
        fact: The question, by region.
        wrong: What a resource does wrong, after its name; None: nothing.
        right: What all of them do, after "all 3".
        remedy: What to do.
        why: Why it matters.
        source: AWS's documentation.
        about: Which of the resources it is about.
    """

    def needs(scope: Scope) -> Iterator[Fact]:
        yield fact(scope.region)

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        every = [one for one in answers[fact(scope.region)] if about(one)]
        said = [(one, wrong(one)) for one in every]
        yield from (Outcome(Status.FAIL, f"{one.called} {problem}", one) for one, problem in said if problem)
        if every and not any(problem for _, problem in said):
            yield Outcome(Status.PASS, f"all {len(every):,} {right}")

    return Check(name, title, severity, service, needs, judge, Remedy(remedy), why, regional=True, source=source)


def _is_custom(instance: Live) -> bool:
    """Whether it is of RDS Custom, which has neither standbys nor minor versions that RDS installs.

    Amazon DocumentDB never installs minor versions by itself, whatever the setting says.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_CreateDBInstance.html
    """
    return str(instance.values["engine"]).startswith("custom-")


CHECKS = (
    _check(
        "rds_instance_storage_encrypted",
        "Each database instance is encrypted.",
        Severity.HIGH,
        "rds",
        Databases,
        lambda one: None if one.values["encrypted"] else "is not encrypted",
        "database instances are encrypted",
        "copy a snapshot of the database with a KMS key, and restore the copy: an instance cannot be encrypted later",
        "Without encryption, every principal that can copy a snapshot can read the data.",
        f"{_RDS}Overview.Encryption.html",
    ),
    _check(
        "rds_instance_no_public_access",
        "No database instance is publicly accessible.",
        Severity.CRITICAL,
        "rds",
        Databases,
        lambda one: "is publicly accessible" if one.values["public"] else None,
        "database instances are reachable from inside their VPC only",
        "set PubliclyAccessible to false: its name then resolves to a private address",
        "A public address lets everyone try passwords and exploits, as soon as a security group allows it.",
        f"{_RDS}USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    ),
    _check(
        "rds_instance_minor_version_upgrade_enabled",
        "Each database instance installs minor versions by itself.",
        Severity.MEDIUM,
        "rds",
        Databases,
        lambda one: None if one.values["minor_versions"] else "does not install minor versions by itself",
        "database instances install minor versions by themselves",
        "set AutoMinorVersionUpgrade to true",
        "Minor versions have fixes of known vulnerabilities.",
        f"{_RDS}USER_UpgradeDBInstance.Upgrading.html",
        lambda one: one.values["engine"] != "docdb" and not _is_custom(one),
    ),
    _check(
        "rds_instance_multi_az",
        "Each database instance outside of a cluster has a standby in another Availability Zone.",
        Severity.MEDIUM,
        "rds",
        Databases,
        lambda one: None if one.values["multi_az"] else "has no standby in another Availability Zone",
        "database instances have a standby in another Availability Zone",
        "set MultiAZ to true; the standby is billed as a second instance",
        "If its Availability Zone fails, the database is not available until the zone is.",
        f"{_RDS}Concepts.MultiAZ.html",
        lambda one: one.values["cluster"] is None and not _is_custom(one),
    ),
    _check(
        "rds_cluster_multi_az",
        "Each database cluster has instances in several Availability Zones.",
        Severity.MEDIUM,
        "rds",
        DatabaseClusters,
        lambda one: None if one.values["multi_az"] else "has instances in one Availability Zone only",
        "database clusters have instances in several Availability Zones",
        "add an instance in another Availability Zone",
        "If its Availability Zone fails, the cluster is not available until it has a new instance.",
        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html",
    ),
    _check(
        "efs_encryption_at_rest_enabled",
        "Each EFS file system is encrypted.",
        Severity.MEDIUM,
        "elasticfilesystem",
        FileSystems,
        lambda one: None if one.values["encrypted"] else "is not encrypted",
        "file systems are encrypted",
        "create an encrypted file system and copy the files: a file system cannot be encrypted later",
        "Files are stored in clear, on AWS's disks and in backups.",
        "https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html",
    ),
)
