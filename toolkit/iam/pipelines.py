"""Whether a trust policy lets in only those runs of a pipeline that it names.

In: the trust policy of a role. Out: forged tokens that it would accept, in words. Pure. A token is forged from what the
policy itself names, as somebody would who reads it: each forgery differs in one thing and has everything else right, so
that every condition has to hold by itself. GitHub's and GitLab's subjects are known; other providers are not judged.
Only claims are forged. Conditions on the request (`aws:SourceIp`, `sts:RoleSessionName`) are taken as met, and so are
negated ones on claims other than `sub` and `aud`: a forged token would else be rejected for another reason.

Sources: GitHub Docs, "OpenID Connect reference" (subjects, claims); GitLab Docs, "OpenID Connect (OIDC) Authentication
Using ID Tokens"; IAM User Guide, "IAM and AWS STS condition context keys".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from toolkit.globs import overlap
from toolkit.iam.conditions import NULL, Condition
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.evaluate import Policies, evaluate
from toolkit.iam.matching import Context
from toolkit.iam.request import Request

_ACTION = "sts:AssumeRoleWithWebIdentity"
_PROVIDER = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/(.+)")
_GITHUB = re.compile(r"repo:(?P<owner>[^/:@]+)(?P<owner_id>@[0-9]+)?/(?P<name>[^/:@]+)(?P<id>@[0-9]+)?:(?P<context>.+)")
_GITLAB = re.compile(r"project_path:(?P<project>[^:]+):ref_type:(?P<kind>branch|tag):ref:(?P<ref>.+)")
_ISSUERS = re.compile(r"token\.actions\.(githubusercontent\.com(/.+)?|[a-z0-9-]+\.ghe\.com)|gitlab\.com")
"""Issuers of pipelines whatever the policy says of subjects."""
_ANY_BRANCH = re.compile(r"project_path:[^*?:]+:ref_type:branch:ref:\*")
_BEYOND = ("attacker/x:pull_request", "x:pull_request", "pull_request", ":pull_request", "x", "1")
"""What a wildcard in a subject of GitHub could stand for."""
_ANY_GITHUB = "repo:attacker/anything:ref:refs/heads/main"
_ANY_GITLAB = "project_path:attacker/anything:ref_type:branch:ref:main"


@dataclass(frozen=True)
class Token:
    """What a provider signed for one run.

    Attributes:
        provider: ARN of the identity provider in IAM.
        claims: Without `iss`, which the provider stands for.
    """

    provider: str
    claims: Mapping[str, str]

    @property
    def issuer(self) -> str:
        """The provider's host, and its path if it has one: what its condition keys begin with."""
        return self.provider.partition(":oidc-provider/")[2]

    def changed(self, **claims: str | None) -> Token:
        """The same with other claims; None takes one away."""
        merged = {**self.claims, **claims}
        return replace(self, claims={name: value for name, value in merged.items() if value is not None})


def accepts(trust: PolicyDocument, token: Token) -> bool:
    """Whether a role with this trust policy can be assumed with a token."""
    context = {f"{token.issuer}:{name}": value for name, value in token.claims.items()}
    account = token.provider.split(":")[4]
    role = f"{token.provider.partition('::')[0]}::{account}:role/any"
    return evaluate(Request(token.provider, _ACTION, role, context=context), Policies(resource=trust)).allowed


def openings(trust: PolicyDocument) -> tuple[str, ...]:
    """Forged tokens that a trust policy accepts, in words; none where it lets in only what it names."""
    found: dict[str, None] = {}
    denies = tuple(one for one in trust.statements if one.effect == "Deny" and _of_tokens(one) == one)
    for statement in _allowing(trust):
        if statement.principals is None or statement.principals.everyone:
            # Only tokens come by this action; a statement for everyone names no provider whose tokens they are.
            if any(overlap("sts:assumerolewithwebidentity", a.lower()) for a in statement.actions if a != "*"):
                found["tokens of any provider"] = None
            continue
        judged = replace(trust, statements=(_of_tokens(statement), *denies))
        for provider in _providers(statement):
            for what, token in _forged(judged, provider):
                if accepts(judged, token):
                    found[what] = None
    return tuple(found)


def unjudged(trust: PolicyDocument) -> tuple[str, ...]:
    """Conditions for which not even a right token of a pipeline can be made, so that forged ones prove nothing."""
    found: dict[str, None] = {}
    for statement in _allowing(trust):
        judged = replace(trust, statements=(_of_tokens(statement),))
        for provider in _providers(statement):
            issuer = provider.partition(":oidc-provider/")[2]
            # A claim of another issuer is in none of its tokens: by this condition, nobody gets in.
            others = [c for c in judged.statements[0].conditions if not _is_claim(c, issuer)]
            if not all(c.holds(Context({}), variables=trust.variables) for c in others):
                continue
            right = _right(judged, provider)
            if right and not any(accepts(judged, token) for token in right):
                found.update(dict.fromkeys(str(c) for c in judged.statements[0].conditions if _is_claim(c, issuer)))
    return tuple(found)


def _allowing(trust: PolicyDocument) -> Iterator[Statement]:
    for statement in trust.statements:
        if statement.effect == "Allow" and any(overlap(a.lower(), _ACTION.lower()) for a in statement.actions):
            yield statement


def _providers(statement: Statement) -> tuple[str, ...]:
    federated = statement.principals.federated if statement.principals else ()
    return tuple(provider for provider in federated if _PROVIDER.fullmatch(provider))


def _of_tokens(statement: Statement) -> Statement:
    """The statement less conditions that a token's claims do not decide.

    Keys of an issuer begin with its host. A negated condition on `sub` or `aud` stays: forged tokens say both.
    """

    def decides(condition: Condition) -> bool:
        issuer, _, claim = condition.key.lower().rpartition(":")
        negated = condition.operator.negated and statement.effect == "Allow"
        return "." in issuer and (not negated or claim in ("sub", "aud"))

    return replace(statement, conditions=tuple(one for one in statement.conditions if decides(one)))


def _is_claim(condition: Condition, issuer: str) -> bool:
    return condition.key.lower().startswith(f"{issuer}:".lower())


def _wanted(judged: PolicyDocument, issuer: str) -> dict[str, tuple[str, ...]]:
    """Claim → the values that a token needs: those that the first statement compares it with.

    What a Deny excepts (`StringNotEquals`) is right, too: else it would reject whatever has no such claim.
    """
    statement, *denies = judged.statements
    named = [(c, not c.operator.negated) for c in statement.conditions]
    named += [(c, c.operator.negated) for deny in denies for c in deny.conditions]
    given: dict[str, tuple[str, ...]] = {}
    # Last, since to be there is to have any value.
    for condition, right in sorted(named, key=lambda one: one[0].operator is NULL):
        claim = condition.key.lower()[len(issuer) + 1 :]
        if not right or not _is_claim(condition, issuer):
            continue
        if condition.operator is NULL:
            if claim != "sub" and "false" in condition.values:
                given.setdefault(claim, ("1",))
        else:
            given[claim] = tuple(dict.fromkeys((*given.get(claim, ()), *condition.values)))
    return given


def _right(judged: PolicyDocument, provider: str) -> list[Token]:
    """The tokens of pipelines that a policy names; none where it names none, and the issuer is not known."""
    issuer = provider.partition(":oidc-provider/")[2]
    wanted = _wanted(judged, issuer)
    subjects = wanted.pop("sub", ())
    if not subjects:
        return [_token(provider, wanted, _anybody(issuer))] if _ISSUERS.fullmatch(issuer) else []
    found = []
    for number, subject in enumerate(subjects):
        if _ISSUERS.fullmatch(issuer) or _GITHUB.fullmatch(subject) or _GITLAB.fullmatch(subject):
            token = _token(provider, _values(wanted, number), subject)
            # To StringEquals, a wildcard is a character.
            found += [token, token.changed(sub=subject)]
    return found


def _values(wanted: Mapping[str, tuple[str, ...]], number: int) -> dict[str, tuple[str, ...]]:
    return {name: (named[min(number, len(named) - 1)],) for name, named in wanted.items()}


def _anybody(issuer: str) -> str:
    return _ANY_GITLAB if issuer == "gitlab.com" else _ANY_GITHUB


def _forged(judged: PolicyDocument, provider: str) -> Iterator[tuple[str, Token]]:
    """(what it is, a token that nobody meant) for each subject that a statement names; for none, a stranger's."""
    issuer = provider.partition(":oidc-provider/")[2]
    wanted = _wanted(judged, issuer)
    subjects = wanted.pop("sub", ())
    if _ISSUERS.fullmatch(issuer):
        yield "runs of any repository", _token(provider, wanted, _anybody(issuer))
    for number, subject in enumerate(subjects):
        values = _values(wanted, number)
        # The one wildcard that is meant: a merge request's runs name its own branch.
        within = subject.removesuffix("*") if _ANY_BRANCH.fullmatch(subject) else subject
        if re.search(r"[*?]", within):
            for rest in _BEYOND:
                yield "subjects by a wildcard", _token(provider, values, re.sub(r"\*", rest, subject).replace("?", "x"))
        token = _token(provider, values, subject)
        yield from _forgeries(token, subjects, any_branch=within != subject)


def _token(provider: str, values: Mapping[str, tuple[str, ...]], subject: str) -> Token:
    claims = {name: named[0] for name, named in values.items()} | {"sub": subject}
    # What a wildcard stands for: of the values that it accepts, any one.
    return Token(provider, {name: re.sub(r"[*?]", "1", value) for name, value in claims.items()})


def _forgeries(token: Token, named: tuple[str, ...], *, any_branch: bool) -> Iterator[tuple[str, Token]]:
    subject = token.claims["sub"]
    if found := _GITHUB.fullmatch(subject):
        others = [*_github(found)]
    elif found := _GITLAB.fullmatch(subject):
        others = [*_gitlab(found)]
    else:
        return
    yield "tokens for another audience", token.changed(aud="https://attacker.example.com")
    yield "tokens without an audience", token.changed(aud=None)
    yield "tokens without a subject", token.changed(sub=None)
    longer = (f"x{subject}",) if any_branch else (f"x{subject}", f"{subject}x", f"{subject}:x")
    others += [("subjects that contain the right one", other) for other in longer]
    if found.re is _GITLAB and not any_branch:
        others.append(("other branches and tags", f"{subject.removesuffix(found['ref'])}attacker"))
    others.append(("names in another case", subject.swapcase()))
    # Of several subjects that a policy names, one may look like a forgery of another one.
    yield from ((what, token.changed(sub=other)) for what, other in others if other not in named)


def _github(subject: re.Match[str]) -> Iterator[tuple[str, str]]:
    owner, name, context = subject["owner"], subject["name"], subject["context"]
    owner_id, number = subject["owner_id"] or "", subject["id"] or ""

    def repository(owner: str = owner, name: str = name, owner_id: str = owner_id, number: str = number) -> str:
        return f"repo:{owner}{owner_id}/{name}{number}:{context}"

    fork = {"owner_id": "@1" if owner_id else "", "number": "@2" if number else ""}
    yield "runs of a fork", repository(owner="attacker", **fork)
    yield "runs of another owner", repository(owner=f"{owner}-x")
    yield "runs of another repository", repository(name=f"{name}-x")
    yield "runs of another repository", repository(name=f"x-{name}")
    if owner_id and number:
        yield "runs of a new owner of the name", repository(owner_id=f"{owner_id}0")
        yield "runs of a new repository of the name", repository(number=f"{number}0")
    start = repository().removesuffix(context)
    yield "pull requests", f"{start}pull_request"
    for what, other in (
        ("other branches", "ref:refs/heads/attacker"),
        ("other tags", "ref:refs/tags/attacker"),
        ("other environments", "environment:attacker"),
    ):
        yield what, f"{start}{other}"
    if context.startswith("ref:refs/heads/"):
        yield "tags named like the branch", f"{start}{context.replace('/heads/', '/tags/', 1)}"
    if context.startswith("ref:refs/tags/"):
        yield "branches named like the tag", f"{start}{context.replace('/tags/', '/heads/', 1)}"


def _gitlab(subject: re.Match[str]) -> Iterator[tuple[str, str]]:
    project, kind, ref = subject["project"], subject["kind"], subject["ref"]
    group, _, name = project.rpartition("/")
    end = f":ref_type:{kind}:ref:{ref}"
    yield "runs of a fork", f"project_path:attacker/{name}{end}"
    yield "runs of another group", f"project_path:{group}-x/{name}{end}"
    yield "runs of another project", f"project_path:{project}-x{end}"
    yield "runs of a project below", f"project_path:{project}/x{end}"
    other = "tag" if kind == "branch" else "branch"
    yield (
        f"{'tags named like the branch' if kind == 'branch' else 'branches named like the tag'}",
        (f"project_path:{project}:ref_type:{other}:ref:{ref}"),
    )
