"""Tokens of pipelines, genuine and forged, against the trust policies that Terraform renders.

The tokens are written down here as GitHub and GitLab document them, and nothing of the product makes them. Claims that
a row does not name are those of a genuine token: of a forgery, only what it forges is wrong.

Sources: https://docs.github.com/en/actions/reference/security/oidc (claims, subjects),
https://docs.gitlab.com/ci/secrets/id_token_authentication/ (the same of GitLab); read 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from toolkit.iam import Policies, PolicyDocument, Request, evaluate
from toolkit.iam.pipelines import openings, unjudged

IAM = "arn:aws:iam::123456789012"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
OWNER, NAME = "example", "infrastructure"
CLASSIC, IMMUTABLE = f"repo:{OWNER}/{NAME}", f"repo:{OWNER}@123456/{NAME}@456789"
FILE = f"{OWNER}/{NAME}/.github/workflows"
NIGHTLY = "baseline-nightly.yml"
MAIN, PULL = "refs/heads/main", "refs/pull/17/merge"
Claims = Mapping[str, str | None]


@dataclass(frozen=True)
class Form:
    """A role for pipelines, and what its runs present.

    Attributes:
        role: Name.
        provider: Host of the provider.
        genuine: Claims of a run that the role is for.
        runs: How other runs that it is for differ.
        forged: What a forgery is → how it differs; None: the claim is missing.
    """

    role: str
    provider: str
    genuine: Mapping[str, str]
    runs: tuple[Claims, ...]
    forged: Mapping[str, Claims]

    def token(self, claims: Claims) -> dict[str, str]:
        return {name: value for name, value in {**self.genuine, **claims}.items() if value is not None}


def accepted(trust: PolicyDocument, role: str, issuer: str, claims: Mapping[str, str], provider: str = "") -> bool:
    context = {f"{issuer}:{name}": value for name, value in claims.items()}
    principal = f"{IAM}:oidc-provider/{provider or issuer}"
    request = Request(principal, "sts:AssumeRoleWithWebIdentity", f"{IAM}:role/{role}", context=context)
    return evaluate(request, Policies(resource=trust)).allowed


def github(form: str, part: str, *repositories: str, workflows: tuple[str, ...], pulls: bool) -> Form:
    """The form of a role of GitHub's: NAME-plan runs in plan-prod, NAME-apply in aws-prod."""
    environment, other = ("plan-prod", "aws-prod") if part == "plan" else ("aws-prod", "plan-prod")
    first, end = repositories[0], f":environment:{environment}"
    genuine = {
        "aud": "sts.amazonaws.com",
        "sub": f"{first}{end}",
        "environment": environment,
        "ref": MAIN,
        "ref_type": "branch",
        "job_workflow_ref": f"{FILE}/{workflows[0]}@{MAIN}",
        "workflow_ref": f"{FILE}/{workflows[0]}@{MAIN}",
        "workflow": "baseline",
        "repository": f"{OWNER}/{NAME}",
        "repository_id": "456789",
        "repository_owner": OWNER,
        "repository_owner_id": "123456",
        "repository_visibility": "private",
        "event_name": "push",
        "actor": "anna",
        "actor_id": "1001",
        "base_ref": "",
        "head_ref": "",
        "runner_environment": "github-hosted",
    }

    def on(ref: str, workflow: str = workflows[0]) -> Claims:
        return {"ref": ref, "job_workflow_ref": f"{FILE}/{workflow}@{ref}", "workflow_ref": f"{FILE}/{workflow}@{ref}"}

    pull = {
        **on(PULL),
        "event_name": "pull_request",
        "base_ref": "main",
        "head_ref": "change",
        "ref_protected": "false",
    }
    runs: list[Claims] = [
        {},
        *({"sub": f"{repository}{end}"} for repository in repositories[1:]),
        *(on(MAIN, workflow) for workflow in workflows[1:]),
        *([on(MAIN, NIGHTLY)] if part == "plan" and form != "both" else []),
        *({"event_name": event} for event in ("schedule", "workflow_dispatch", "repository_dispatch", "merge_group")),
        {"actor": "bert", "actor_id": "1002"},
        {"actor": "github-actions[bot]", "actor_id": "41898282"},
        {"repository_visibility": "internal", "enterprise": "example", "enterprise_id": "77"},
        {"runner_environment": "self-hosted"},
        {"ref_protected": "true", "sha": "0" * 40},
        {"run_attempt": "2", "run_id": "99", "run_number": "3"},
    ]
    if pulls:
        runs += [pull, {**pull, **on("refs/pull/1/merge")}, {**pull, **on("refs/pull/123456/merge")}]
    fork = {
        "sub": f"repo:attacker/{NAME}{end}" if first == CLASSIC else f"repo:attacker@9/{NAME}@8{end}",
        "job_workflow_ref": f"attacker/{NAME}/.github/workflows/{workflows[0]}@{MAIN}",
        "repository": f"attacker/{NAME}",
        "repository_id": "8",
        "repository_owner": "attacker",
        "repository_owner_id": "9",
    }
    elsewhere = f"repo:{OWNER}/site" if first == CLASSIC else f"repo:{OWNER}@123456/site@333"
    forged: dict[str, Claims] = {
        "fork": fork,
        "fork, with our workflow called from it": {**fork, "job_workflow_ref": genuine["job_workflow_ref"]},
        "fork, subject alone": {"sub": fork["sub"]},
        "pull request of a fork, without an environment": {**pull, "sub": f"{first}:pull_request", "environment": None},
        "pull request of a fork that asks for the environment": {**fork, **{k: pull[k] for k in ("ref", "event_name")}},
        "pull request by its subject": {"sub": f"{first}:pull_request"},
        "another repository of the owner": {"sub": f"{elsewhere}{end}", "repository_id": "333"},
        "another repository, subject alone": {"sub": f"{elsewhere}{end}"},
        "a repository whose name begins like ours": {"sub": f"{first}-2{end}"},
        "a repository whose name ends like ours": {"sub": f"{first.replace(f'/{NAME}', f'/x-{NAME}')}{end}"},
        "another owner": {"sub": first.replace(OWNER, f"{OWNER}-2") + end, "repository_owner_id": "99"},
        "recycled names": {"repository_id": "987654", "repository_owner_id": "654321"},
        "recycled name of the repository": {"repository_id": "987654"},
        "recycled name of the owner": {"repository_owner_id": "654321"},
        "id that begins like ours": {"repository_id": "4567890"},
        "id of the owner that begins like ours": {"repository_owner_id": "1234567"},
        "no id of the repository": {"repository_id": None},
        "no id of the owner": {"repository_owner_id": None},
        "immutable subject of another repository": {"sub": f"repo:{OWNER}@123456/{NAME}@987654{end}"},
        "immutable subject of another owner": {"sub": f"repo:{OWNER}@654321/{NAME}@456789{end}"},
        "subject that is half immutable": {"sub": f"repo:{OWNER}@123456/{NAME}{end}"},
        "subject that is half immutable, the other half": {"sub": f"repo:{OWNER}/{NAME}@456789{end}"},
        "another environment": {"sub": f"{first}:environment:{other}", "environment": other},
        "another environment, subject alone": {"sub": f"{first}:environment:{other}"},
        "another environment, claim alone": {"environment": other},
        "environment of another environment": {"sub": f"{first}:environment:aws-test", "environment": "aws-test"},
        "environment that begins like ours": {"sub": f"{first}{end}-2", "environment": f"{environment}-2"},
        "no environment": {"sub": f"{first}:ref:{MAIN}", "environment": None},
        "environment missing from the claims": {"environment": None},
        "branch by its subject": {"sub": f"{first}:ref:{MAIN}"},
        "another branch": on("refs/heads/attacker"),
        "another branch that calls the workflow of main": {"ref": "refs/heads/attacker"},
        "branch that begins like ours": on("refs/heads/main-2"),
        "branch below ours": on("refs/heads/main/x"),
        "tag named like the branch": {**on("refs/tags/main"), "ref_type": "tag"},
        "tag named like the branch, by its ref alone": {"ref": "refs/tags/main"},
        "branch called like a ref": on("refs/heads/refs/heads/main"),
        "branch called like a pull request": on("refs/heads/refs/pull/17/merge"),
        "head of a pull request": on("refs/pull/17/head"),
        "no ref": {"ref": None},
        "empty ref": {"ref": ""},
        "another workflow": on(MAIN, "other.yml"),
        "another workflow, claim alone": {"job_workflow_ref": f"{FILE}/other.yml@{MAIN}"},
        "workflow with the name of ours": {"workflow": "baseline", "job_workflow_ref": f"{FILE}/x.yml@{MAIN}"},
        "workflow in another folder": {"job_workflow_ref": f"{OWNER}/{NAME}/workflows/{workflows[0]}@{MAIN}"},
        "reusable workflow of another repository": {
            "job_workflow_ref": f"{OWNER}/shared/.github/workflows/{workflows[0]}@{MAIN}"
        },
        "workflow of another branch": {"job_workflow_ref": f"{FILE}/{workflows[0]}@refs/heads/attacker"},
        "workflow of a tag": {"job_workflow_ref": f"{FILE}/{workflows[0]}@refs/tags/v1"},
        "workflow by its commit": {"job_workflow_ref": f"{FILE}/{workflows[0]}@{'0' * 40}"},
        "workflow without its ref": {"job_workflow_ref": f"{FILE}/{workflows[0]}"},
        "no workflow": {"job_workflow_ref": None},
        "another audience": {"aud": "https://github.com/example"},
        "audience of China": {"aud": "sts.amazonaws.com.cn"},
        "audience in another case": {"aud": "STS.amazonaws.com"},
        "no audience": {"aud": None},
        "no subject": {"sub": None},
        "empty subject": {"sub": ""},
        "wildcard": {"sub": f"{first}:*"},
        "everything by a wildcard": {"sub": "*"},
        "wildcard for the repository": {"sub": f"repo:{OWNER}/*{end}"},
        "owner in another case": {"sub": first.replace(OWNER, "Example") + end},
        "environment in another case": {"sub": f"{first}{end.upper()}", "environment": environment.upper()},
        "branch in another case": on("refs/heads/Main"),
        "workflow in another case": {"job_workflow_ref": f"{FILE}/Baseline.yml@{MAIN}"},
        "subject with something before it": {"sub": f"x:{first}{end}"},
        "subject with something behind it": {"sub": f"{first}{end}:ref:{MAIN}"},
        "subject with a space": {"sub": f"{first}{end} "},
        "environment that looks like a subject": {"sub": f"{first}:environment:x:environment:{environment}"},
    }
    if pulls:
        forged |= {
            "pull request of another workflow": {**pull, **on(PULL, "other.yml")},
            "pull request of the nightly workflow": {**pull, **on(PULL, NIGHTLY)},
            "pull request with the workflow of another repository": {
                **pull,
                "job_workflow_ref": f"attacker/{NAME}/.github/workflows/{workflows[0]}@{PULL}",
            },
            "pull request in the environment that applies": {
                **pull,
                "sub": f"{first}:environment:{other}",
                "environment": other,
            },
        }
    if part == "apply":
        forged |= {
            "nightly workflow": on(MAIN, NIGHTLY),
            "its claim alone": {"job_workflow_ref": f"{FILE}/{NIGHTLY}@{MAIN}"},
        }
    if not pulls:
        forged |= {"pull request": pull, "pull request, by its ref alone": {"ref": PULL}}
    return Form(f"{form}-{part}", GITHUB, genuine, tuple(runs), forged)


def gitlab(role: str, kind: str, ref: str, *, ids: bool, any_branch: bool = False, protected: bool = False) -> Form:
    """The form of a role of GitLab's: subjects name the branch or tag."""
    project = "group/project" if role == "mirror" else "group/sub/project"
    audience = "https://sts.amazonaws.com" if role.startswith("gitlab-") else "https://gitlab.com"
    path = f"project_path:{project}"
    genuine = {
        "aud": audience,
        "sub": f"{path}:ref_type:{kind}:ref:{ref}",
        "project_id": "815",
        "project_path": project,
        "namespace_id": "4711",
        "namespace_path": project.rpartition("/")[0],
        "ref": ref,
        "ref_type": kind,
        "ref_protected": "true",
        "pipeline_source": "push",
        "user_login": "anna",
        "runner_environment": "gitlab-hosted",
    }

    def on(kind: str, ref: str) -> Claims:
        return {"sub": f"{path}:ref_type:{kind}:ref:{ref}", "ref_type": kind, "ref": ref}

    def of(project: str, **claims: str) -> Claims:
        return {"sub": f"project_path:{project}:ref_type:{kind}:ref:{ref}", "project_path": project, **claims}

    runs: list[Claims] = [
        {},
        *({"pipeline_source": source} for source in ("schedule", "web", "api", "trigger", "parent_pipeline")),
        {"user_login": "bert"},
        {"runner_environment": "self-hosted"},
        {"environment": "production", "deployment_tier": "production"},
        {"user_access_level": "maintainer"},
        {"ci_config_ref_uri": f"gitlab.com/{project}//.gitlab-ci.yml@refs/heads/main"},
    ]
    if any_branch:
        runs += [
            {**on("branch", branch), "ref_protected": "false", "pipeline_source": "merge_request_event"}
            for branch in ("change", "anna/change", "1", "ref_type-tag")
        ]
    upper = "Group/project" if project == "group/project" else "group/Sub/project"
    forged: dict[str, Claims] = {
        "fork": of("attacker/project", project_id="9", namespace_id="8"),
        "fork, subject alone": of("attacker/project"),
        "fork below our group": of(f"{project.rpartition('/')[0]}/attacker/project", project_id="9", namespace_id="8"),
        "merge request of a fork": {
            **of("attacker/project", project_id="9", namespace_id="8"),
            "pipeline_source": "merge_request_event",
        },
        "another project": of(f"{project}-2", project_id="10"),
        "another project, subject alone": of(f"{project}-2"),
        "a project whose path ends like ours": of(f"x/{project}", project_id="11"),
        "a project below ours": of(f"{project}/x", project_id="12"),
        "another group": of(project.replace("group", "group-2", 1), namespace_id="13"),
        "the group above": of(f"group/x/{project.rpartition('/')[2]}"),
        "group in another case": of(upper),
        "project in another case": of(f"{project.rpartition('/')[0]}/Project"),
        "kind of ref in another case": {"sub": f"{path}:ref_type:{kind.upper()}:ref:{ref}"},
        "another kind of ref": on("tag" if kind == "branch" else "branch", ref),
        "another kind of ref and another name": on("tag" if kind == "branch" else "branch", "attacker"),
        "no kind of ref": {"sub": f"{path}:ref:{ref}"},
        "environment for the ref": {"sub": f"{path}:environment:{ref}"},
        "kind of ref that is none": {"sub": f"{path}:ref_type:commit:ref:{ref}"},
        "merge request as kind of ref": {"sub": f"{path}:ref_type:mr:ref:{ref}"},
        "project alone": {"sub": path},
        "project and kind alone": {"sub": f"{path}:ref_type:{kind}"},
        "ids instead of names": {"sub": f"project_id:815:ref_type:{kind}:ref:{ref}"},
        "user for the project": {"sub": f"user_login:anna:ref_type:{kind}:ref:{ref}"},
        "namespace for the project": {"sub": f"namespace_path:{project}:ref_type:{kind}:ref:{ref}"},
        "wildcard for the project": {"sub": f"project_path:group/*:ref_type:{kind}:ref:{ref}"},
        "wildcard": {"sub": f"{path}:*"},
        "wildcard for the kind": {"sub": f"{path}:ref_type:*:ref:{ref}"},
        "everything by a wildcard": {"sub": "*"},
        "everything of GitLab": {"sub": "project_path:*"},
        "subject with something before it": {"sub": f"x:{path}:ref_type:{kind}:ref:{ref}"},
        "subject with a space before it": {"sub": f" {path}:ref_type:{kind}:ref:{ref}"},
        "subject of GitHub": {"sub": f"repo:{project}:ref:refs/heads/{ref}"},
        "immutable subject of GitHub": {"sub": f"repo:group@4711/project@815:ref:refs/heads/{ref}"},
        "no subject": {"sub": None},
        "empty subject": {"sub": ""},
        "no audience": {"aud": None},
        "empty audience": {"aud": ""},
        "audience of GitHub's tokens": {"aud": "sts.amazonaws.com"},
        "audience without its scheme": {"aud": audience.removeprefix("https://")},
        "audience with a slash": {"aud": f"{audience}/"},
        "audience of another GitLab": {"aud": "https://gitlab.example.com"},
        "audience in another case": {"aud": audience.replace("a", "A").replace("l", "L")},
    }
    if not any_branch:
        forged |= {
            "another ref": on(kind, "attacker"),
            "ref that begins like ours": on(kind, f"{ref}-2"),
            "ref below ours": on(kind, f"{ref}/x"),
            "ref that ends like ours": on(kind, f"x/{ref}"),
            "ref in another case": on(kind, ref.upper()),
            "merge request": {**on("branch", "change"), "pipeline_source": "merge_request_event"},
            "wildcard for the ref": {"sub": f"{path}:ref_type:{kind}:ref:*"},
            "ref with something behind it": {"sub": f"{genuine['sub']}:environment:x"},
            "no ref": {"sub": f"{path}:ref_type:{kind}:ref:"},
        }
    if ids:
        forged |= {
            "recycled path": {"project_id": "900", "namespace_id": "901"},
            "recycled path of the project": {"project_id": "900"},
            "project moved to another namespace and back by its path": {"namespace_id": "901"},
            "no id of the project": {"project_id": None},
            "no id of the namespace": {"namespace_id": None},
            "id that begins like ours": {"project_id": "8150"},
        }
    if protected:
        forged |= {
            "branch that is not protected": {"ref_protected": "false"},
            "nothing said of protection": {"ref_protected": None},
            "protection in another case": {"ref_protected": "True"},
        }
    return Form(role, GITLAB, genuine, tuple(runs), forged)


FORMS = [
    *(
        github(form, part, *repositories, workflows=workflows, pulls=pulls and part == "plan")
        for part in ("plan", "apply")
        for form, repositories, workflows, pulls in (
            ("classic", (CLASSIC,), ("baseline.yml",), True),
            ("immutable", (IMMUTABLE,), ("baseline.yml",), True),
            ("both", (CLASSIC, IMMUTABLE), ("baseline.yml", "other.yaml"), False),
        )
    ),
    gitlab("gitlab-plan", "branch", "main", ids=True, any_branch=True),
    gitlab("gitlab-apply", "branch", "main", ids=True, protected=True),
    gitlab("branch", "branch", "main", ids=True),
    gitlab("mirror", "tag", "v1", ids=False),
]
each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.role)


@each_form
def test_every_genuine_run_gets_in(form: Form, rendered):
    assert len(form.runs) >= 10
    refused = [
        run for run in form.runs if not accepted(rendered.trusts[form.role], form.role, form.provider, form.token(run))
    ]
    assert refused == []


@each_form
def test_no_forged_token_gets_in(form: Form, rendered):
    trust = rendered.trusts[form.role]
    assert len(form.forged) >= 40
    got_in = [what for what, c in form.forged.items() if accepted(trust, form.role, form.provider, form.token(c))]
    assert got_in == []
    # Whatever the claims, only the provider of the policy's own principal signs them.
    for provider in (GITHUB, GITLAB, "gitlab.example.com", f"{form.provider}.example.com", f"{form.provider}/x"):
        if provider != form.provider:
            assert not accepted(trust, form.role, form.provider, form.token({}), provider)
            assert not accepted(trust, form.role, provider, form.token({}))


@each_form
def test_a_token_buys_nothing_but_its_own_role(form: Form, rendered):
    """A genuine token of one role is a forged one to every other, of the same repository included."""
    others = {f.role for f in FORMS if f.provider == form.provider and f.role != form.role}
    part = form.role.rpartition("-")[2]
    for role in others:
        reached = [run for run in form.runs if accepted(rendered.trusts[role], role, form.provider, form.token(run))]
        if form.provider == GITHUB and role.rpartition("-")[2] != part:
            assert reached == [], role


@each_form
def test_each_condition_keeps_a_forgery_out(form: Form, rendered):
    """Without any one of them, a token that must not pass would."""
    trust = rendered.trusts[form.role]
    (statement,) = trust.statements
    assert len(statement.conditions) >= 2
    for left_out in statement.conditions:
        kept = tuple(c for c in statement.conditions if c is not left_out)
        weaker = replace(trust, statements=(replace(statement, conditions=kept),))
        passing = [w for w, c in form.forged.items() if accepted(weaker, form.role, form.provider, form.token(c))]
        assert passing, f"{form.role}: nothing needs {left_out}"
        # Nor does any genuine run depend on what is left.
        assert all(accepted(weaker, form.role, form.provider, form.token(run)) for run in form.runs)


@each_form
def test_each_value_of_a_condition_is_somebodys(form: Form, rendered):
    """A value that no genuine run needs would be an opening that nobody sees."""
    trust = rendered.trusts[form.role]
    (statement,) = trust.statements
    for condition in statement.conditions:
        for value in condition.values if len(condition.values) > 1 else ():
            fewer = replace(condition, values=tuple(v for v in condition.values if v != value))
            conditions = tuple(fewer if c is condition else c for c in statement.conditions)
            narrower = replace(trust, statements=(replace(statement, conditions=conditions),))
            runs = [accepted(narrower, form.role, form.provider, form.token(run)) for run in form.runs]
            assert not all(runs), f"{form.role}: {condition.key} {value}"


@each_form
def test_conditions_are_equalities_wherever_they_can_be(form: Form, rendered):
    (statement,) = rendered.trusts[form.role].statements
    wild = {c.key.rpartition(":")[2] for c in statement.conditions if c.operator.name != "StringEquals"}
    plans_pulls = form.role in ("classic-plan", "immutable-plan")
    assert wild == ({"ref", "job_workflow_ref"} if plans_pulls else {"sub"} if form.role == "gitlab-plan" else set())
    assert all(not c.if_exists and not c.set_operator.value for c in statement.conditions)
    claims = {c.key.rpartition(":")[2] for c in statement.conditions}
    if form.provider == GITHUB:
        ids = {"repository_id", "repository_owner_id"}
        assert claims == {"aud", "sub", "environment", "ref", "job_workflow_ref", *ids}


def test_no_rendered_trust_is_open(rendered):
    """The product's own forgeries, which judge every plan."""
    assert {role: openings(trust) for role, trust in rendered.trusts.items() if openings(trust)} == {}
    assert {role: unjudged(trust) for role, trust in rendered.trusts.items() if unjudged(trust)} == {}
