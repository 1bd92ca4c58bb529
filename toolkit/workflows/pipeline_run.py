"""Which run of a pipeline this is, so that a plan of another run can be told from one of this run.

In: the process environment. Out: a URL or an ARN; None outside of a pipeline. Jobs of one run have the same one, and so
have its later attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

VARIABLE = "TOOLKIT_RUN"
"""Names the run where no row below knows the system, or where plan and apply are separate jobs of it."""

_Named = Callable[[Mapping[str, str]], str]
_SYSTEMS: tuple[tuple[tuple[str, ...], _Named], ...] = (
    ((VARIABLE,), lambda e: e[VARIABLE]),
    # https://docs.github.com/actions/reference/workflows-and-actions/variables
    (
        ("GITHUB_ACTIONS", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
        lambda e: f"{e['GITHUB_SERVER_URL']}/{e['GITHUB_REPOSITORY']}/actions/runs/{e['GITHUB_RUN_ID']}",
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    (("GITLAB_CI", "CI_PIPELINE_URL"), lambda e: e["CI_PIPELINE_URL"]),
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    (("CODEBUILD_BUILD_ARN",), lambda e: e["CODEBUILD_BUILD_ARN"]),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables
    (
        ("TF_BUILD", "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_BUILDID"),
        lambda e: f"{e['SYSTEM_COLLECTIONURI']}{e['SYSTEM_TEAMPROJECTID']}/_build/results?buildId={e['BUILD_BUILDID']}",
    ),
    # https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
    (("JENKINS_URL", "BUILD_URL"), lambda e: e["BUILD_URL"]),
)


def pipeline_run(environ: Mapping[str, str]) -> str | None:
    """The run that this process is part of; None outside of a pipeline."""
    return next((named(environ) for names, named in _SYSTEMS if all(environ.get(name) for name in names)), None)
