"""Databases and file systems, in each state that a check tells from another."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.databases import DatabaseClusters, Databases, FileSystems
from toolkit.findings import Status
from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip, live

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE
GOOD = {
    "encrypted": True,
    "public": False,
    "minor_versions": True,
    "multi_az": True,
    "cluster": None,
    "engine": "postgres",
}


def database(**values: Any) -> Live:
    return live({**GOOD, **values}, "the database instance 'db'")


def _of_each(check: str, wanted: Wanted[Any], name: str, good: Live, bad: Live) -> tuple[Case, ...]:
    """One that is as it should be, one that is not, and none."""
    return (
        Case(check, PASS, {wanted: (good,)}, (Flip(name, bad.values[name], FAIL),)),
        Case(check, FAIL, {wanted: (good, bad)}, (Flip(name, good.values[name], PASS, at=1),)),
        Case(check, NOT_APPLICABLE, {wanted: ()}),
    )


DATABASES, CLUSTERS, FILES = Databases(HOME), DatabaseClusters(HOME), FileSystems(HOME)
STANDBY, MINOR = "rds_instance_multi_az", "rds_instance_minor_version_upgrade_enabled"
_POSTGRES = (Flip("engine", "postgres", FAIL),)

CASES = (
    *_of_each("rds_instance_storage_encrypted", DATABASES, "encrypted", database(), database(encrypted=False)),
    *_of_each("rds_instance_no_public_access", DATABASES, "public", database(), database(public=True)),
    *_of_each(MINOR, DATABASES, "minor_versions", database(), database(minor_versions=False)),
    *(
        Case(MINOR, NOT_APPLICABLE, {DATABASES: (database(minor_versions=False, engine=engine),)}, _POSTGRES)
        for engine in ("docdb", "custom-oracle-ee")
    ),
    Case(STANDBY, NOT_APPLICABLE, {DATABASES: (database(multi_az=False, engine="custom-oracle-ee"),)}, _POSTGRES),
    *_of_each(STANDBY, DATABASES, "multi_az", database(), database(multi_az=False)),
    # Of a cluster's instances, the cluster decides in which zones they are.
    Case(
        STANDBY,
        PASS,
        {DATABASES: (database(), database(multi_az=False, cluster="c"))},
        (Flip("cluster", None, FAIL, at=1),),
    ),
    Case(STANDBY, NOT_APPLICABLE, {DATABASES: (database(multi_az=False, cluster="c"),)}),
    *_of_each("rds_cluster_multi_az", CLUSTERS, "multi_az", live({"multi_az": True}), live({"multi_az": False})),
    *_of_each(
        "efs_encryption_at_rest_enabled", FILES, "encrypted", live({"encrypted": True}), live({"encrypted": False})
    ),
)
