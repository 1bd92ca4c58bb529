"""Who may do otherwise than before: two worlds compared, by the catalogue of sensitive actions.

In: the world before a plan and the one after it. Out: gains and losses of each principal, and what could not be
compared. Pure.

Compared are verdicts, not texts: whatever policies, groups, boundaries, trusts or guardrails carry it. Where both
verdicts depend on conditions, what is left to decide of the statements is compared: a gain is what those before do not
cover. A policy whose text is known only after the apply is never guessed: it is named as a gap.

A resource that there is only afterwards is taken for one that was there before, with the policy that AWS gives it by
itself: so what changes is what somebody may do, and not what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from toolkit.access.asking import answer_of, doors, verdict_of
from toolkit.access.catalogue import Sensitive, catalogue
from toolkit.access.changes import ASSUMES, Cause, Shift, Shifts, Turn, listed
from toolkit.access.judging import RANK, Ground, Judge, Part, Question, Verdict, scps_of
from toolkit.access.model import OWN, STRANGERS, UNKNOWN_TEXT, Guarded, Holding, Kind, Principal, World
from toolkit.iam import PolicyDocument, PolicyKind, Principals, Statement
from toolkit.iam.evaluate import Layer, resource_must_allow
from toolkit.iam.inclusion import covered
from toolkit.iam.matching import action_matches
from toolkit.visible import shortened

_OWN_CREDENTIALS = frozenset({"iam:CreateAccessKey", "iam:DeactivateMFADevice"})
"""What somebody may do to their own user without any more rights. A policy, a group, or a boundary less is more."""
_LIMITS = (Layer.BOUNDARY, Layer.SCP, Layer.RCP)
_WITH_MFA: Mapping[str, bool] = {"aws:MultiFactorAuthPresent": True}


def compare(before: World, after: World, changed: Collection[str] = (), made: Collection[str] = ()) -> Shifts:
    """What changes between two worlds of one account.

    Only principals whose own policies differ are judged, and all others on what a shared policy that differs has a say
    in. A text that was read once for both worlds (`parsed` of `world_of`) is compared in no time.

    Args:
        before: The world before.
        after: The world after.
        changed: Addresses that the plan changes, among which causes are looked for.
        made: Those of them that it creates.
    """
    return _Comparison(before, after, frozenset(changed), frozenset(made)).changes()


_Pair = tuple[Principal | None, Principal | None]


_Told = tuple[bool, "int | Holding"]
"""Whether a policy is of the world after, and its place among what the principal has there, or itself."""


@dataclass(frozen=True)
class _Change:
    """What changes for everybody with the same policies: as of Shift, and policies that may have brought it about."""

    turn: Turn
    before: Verdict
    after: Verdict
    conditions_before: tuple[str, ...]
    conditions: tuple[str, ...]
    through: Principal | None
    likely: tuple[_Told, ...]


class _Comparison:
    def __init__(self, before: World, after: World, changed: frozenset[str], made: frozenset[str]) -> None:
        new = tuple(_new_guards(before, after))
        self._was = Judge(replace(before, guarded=(*before.guarded, *new)) if new else before)
        self._is = Judge(after)
        self._changed = changed
        self._made = {one.arn for one in new if one.address in made}
        self._pairs = tuple(_pairs(before, after))
        self._partner = {one.label: pair for pair in self._pairs for one in pair if one is not None}
        self._gaps: dict[str, None] = {gap: None for gap in after.gaps if gap not in before.gaps}
        self._unknown: dict[str, dict[str, None]] = {}
        self._powerful: dict[str, bool] = {}
        self._entered: dict[tuple[bool, int], Mapping[str, tuple[Principal, Verdict]]] = {}
        self._known: dict[int, Principal] = {}
        self._found: dict[tuple[int, int, int], _Change | None] = {}
        self._blames: dict[tuple[int, int, tuple[_Told, ...]], Cause | None] = {}
        self._answers: dict[tuple[bool, int, int], tuple[Question, Verdict]] = {}
        self._doors_to: dict[str, Question] = {}
        self._members = {group for one in before.principals for group in one.groups}
        self._unknown_guards = any(one.policy is not None and one.policy.unknown for one in after.guarded)
        self._guards = _changed_guards(self._was.world, after)

    def changes(self) -> Shifts:
        asked = [(sensitive, question, self._shared(question)) for sensitive, question in self._asked]
        everybody = not _same_levels(self._was.world.scps, self._is.world.scps)
        everybody |= not _same_levels(self._was.world.rcps, self._is.world.rcps)
        everybody |= self._was.world.organization_id != self._is.world.organization_id
        roles = [pair for pair in self._pairs if (one := pair[1] or pair[0]) and one.kind is Kind.ROLE]
        trusts = [pair for pair in roles if not _same_policy(_trust(pair[0]), _trust(pair[1]))]
        differing = [pair for pair in roles if not (_same(*pair) and _same_policy(*map(_trust, pair)))]
        shifts: list[Shift] = []
        touched: list[_Pair] = []
        for old, new in self._pairs:
            who = new or old
            if who is None or who.linked:
                continue
            own = everybody or not _same(old, new)
            if own:
                touched.append((old, new))
                self._note_unknown(old, new)
            own = own or (who.kind in STRANGERS and self._enters(old, new, differing))
            for sensitive, question, shared in asked:
                if own or shared:
                    shifts += self._shift(old, new, sensitive, question)
            if who.kind in OWN:
                shifts += self._assuming(old, new, roles if own else trusts)
            elif who.kind in STRANGERS:
                # What the role does by itself, or by one more role, is asked about already.
                steps = roles if own else trusts
                shifts += self._assuming(old, new, [p for p in steps if p[1] and not self._does_anything(p[1])])
        for pair in trusts:
            self._note_unknown(*pair)
            shifts += self._trusting(*pair)
        for arn in self._guards:
            self._note_unknown_guard(arn)
        gained = {shift.principal.label for shift in shifts}
        return Shifts(
            tuple(shifts),
            made=frozenset(new.label for old, new in self._pairs if old is None and new and new.kind in OWN),
            gone=frozenset(old.label for old, new in self._pairs if new is None and old and old.kind in OWN),
            bare=frozenset((new or old).label for old, new in touched if old is not None and self._is_bare(old)),
            administrators=frozenset(
                new.label
                for _, new in self._pairs
                if new and new.label in gained and administers(self._is, new, self._ask)
            ),
            were_administrators=frozenset(
                (new or old).label
                for old, new in self._pairs
                if old and (new or old).label in gained and administers(self._was, old, self._ask)
            ),
            gaps=(*self._gaps, *(_unknown_line(name, whose) for name, whose in self._unknown.items())),
        )

    def _ask(self, judge: Judge, who: Principal, question: Question) -> Verdict:
        """As `Judge.verdict`, found once for all to whom the same policies say the same."""
        alike = judge.alike(who, question)
        if alike is None:
            return judge.verdict(who, question)
        key = (judge is self._is, alike, id(question))
        if key not in self._answers:
            # With the question: an identity is that of another one as soon as nothing holds this one.
            self._answers[key] = question, judge.verdict(who, question)
        return self._answers[key][1]

    def _is_bare(self, old: Principal) -> bool:
        """Whether somebody had no policy, and nobody could act by it: what an interrupted apply leaves.

        A user may sign in already, and so may members of a group; who may assume a role already gains what it gains.
        """
        if old.kind not in OWN or old.kind is Kind.USER or any(h.layer is Layer.IDENTITY for h in old.held):
            return False
        if old.kind is Kind.GROUP:
            return old.name not in self._members
        return old.kind is not Kind.ROLE or old.serves

    def _doors(self, judge: Judge, who: Principal) -> Mapping[str, tuple[Principal, Verdict]]:
        """Roles that a stranger may assume, by label."""
        key = (judge is self._is, id(who))
        if key not in self._entered:
            self._entered[key] = {role.label: (role, entered) for role, entered in doors(judge, who)}
        return self._entered[key]

    def _enters(self, old: Principal | None, new: Principal | None, roles: Iterable[_Pair]) -> bool:
        """Whether a stranger may assume any of these roles, before or after."""
        sides = ((self._was, old), (self._is, new))
        entered = {label for judge, who in sides if who is not None for label in self._doors(judge, who)}
        return any(role.label in entered for pair in roles for role in pair if role is not None)

    def _verdict(self, judge: Judge, who: Principal | None, question: Question) -> Verdict:
        """As `verdict_of`; what only the policy of a key could allow of which nothing is known, is denied."""
        if who is None:
            return Verdict.DENIED
        entered = self._doors(judge, who).values() if who.kind in STRANGERS else ()
        return verdict_of(judge, who, question, _known_verdict, entered)

    @cached_property
    def _asked(self) -> tuple[tuple[Sensitive, Question], ...]:
        """The whole catalogue."""
        return tuple((sensitive, question) for sensitive in catalogue() for question in self._questions(sensitive))

    def _questions(self, sensitive: Sensitive) -> Iterator[Question]:
        """On the places of both worlds, those that are gone left out."""
        before, after = self._was.world, self._is.world
        found = dict.fromkeys(after.places.get(sensitive.on or "", ()))
        for arn in before.places.get(sensitive.on or "", ()):
            if after.guard_of(arn) is not None:
                found[arn] = None
        yield from (Question(sensitive.action, arn) for arn in found)
        if not found:
            yield Question(sensitive.action)

    def _shared(self, question: Question) -> bool:
        """Whether a resource's policy that differs has a say."""
        if not self._guards:
            return False
        if question.resource is not None:
            guard = self._is.world.guard_of(question.resource) or self._was.world.guard_of(question.resource)
            return guard is not None and guard.arn in self._guards
        return any(one.arn in self._guards for judge in (self._was, self._is) for one in judge.differing(question))

    # One principal and one question.

    def _shift(
        self, old: Principal | None, new: Principal | None, sensitive: Sensitive, question: Question
    ) -> Iterator[Shift]:
        change = self._change(old, new, question)
        if change is not None:
            yield self._shifted(change, (old, new), sensitive, question)

    def _change(self, old: Principal | None, new: Principal | None, question: Question) -> _Change | None:
        """What changes, found once for all to whom the same policies say the same."""
        were = 0 if old is None else self._was.alike(old, question)
        are = 0 if new is None else self._is.alike(new, question)
        if were is None or are is None:
            return self._find(old, new, question)
        key = (were, are, id(question))
        if key not in self._found:
            self._found[key] = self._find(old, new, question)
        return self._found[key]

    def _find(self, old: Principal | None, new: Principal | None, question: Question) -> _Change | None:
        was, now = self._verdict(self._was, old, question), self._verdict(self._is, new, question)
        if was is now is Verdict.DEPENDS:
            assert old is not None and new is not None, "who is not there is denied"
            found = self._turn(old, new, question)
            if found is None:
                return None
            turn = found
        elif was is now:
            return None
        else:
            turn = Turn.GAIN if RANK[now] > RANK[was] else Turn.LOSS
            if now is Verdict.DEPENDS and new is not None and self._unclear(new, question, turn):
                return None
            if Verdict.DENIED in (was, now) and _of_oneself(
                *((self._is, new) if was is Verdict.DENIED else (self._was, old)), question
            ):
                return None
        before = answer_of(self._was, old, question) if old is not None and was is Verdict.DEPENDS else None
        after = answer_of(self._is, new, question) if new is not None and now is Verdict.DEPENDS else None
        through = after.through if after is not None else None
        judge, side = (self._was, old) if now is Verdict.DENIED else (self._is, new)
        if after is None and side is not None and side.kind in STRANGERS:
            through = answer_of(judge, side, question).through
        return _Change(
            turn,
            was,
            now,
            before.conditions if before is not None else (),
            after.conditions if after is not None else (),
            through,
            self._likely(old, new, question) if turn is Turn.GAIN and old is not None and through is None else (),
        )

    def _shifted(self, change: _Change, pair: _Pair, sensitive: Sensitive, question: Question) -> Shift:
        old, new = pair
        who = new or old
        assert who is not None, "a pair is never empty"
        gained, through = change.turn is Turn.GAIN, change.through
        made = old is None and who.kind in OWN
        if through is not None:
            made = who.kind is Kind.ACCOUNT and self._partner[through.label][0] is None
        elif old is not None and new is not None and gained and who.kind is Kind.ACCOUNT:
            made = self._comes_with(old, new, question)
        return Shift(
            change.turn,
            who,
            sensitive,
            question.resource,
            change.before,
            change.after,
            change.conditions_before,
            change.conditions,
            through.name if through is not None else None,
            made,
            self._cause(pair, question, through, change.likely) if gained and not made else None,
        )

    def _comes_with(self, old: Principal, new: Principal, question: Question) -> bool:
        """Whether an account gains something by nothing but roles and policies of resources that the plan makes."""
        guard = self._is.world.guard_of(question.resource) if question.resource is not None else None
        where = {guard.arn} if guard is not None else set(_widened_at(self._was, old, self._is, new, question))
        roles = [
            role
            for role, _ in self._doors(self._is, new).values()
            if _known_verdict(self._is, role, question) is not Verdict.DENIED
        ]
        made = all(self._partner[role.label][0] is None for role in roles)
        return bool(where or roles) and where <= self._made and made

    def _turn(self, old: Principal, new: Principal, question: Question) -> Turn | None:
        """Which way conditions change."""
        if self._widened(self._was, old, self._is, new, question):
            return Turn.GAIN
        return Turn.LOSS if self._widened(self._is, new, self._was, old, question) else None

    def _widened(self, before: Judge, old: Principal, after: Judge, new: Principal, question: Question) -> bool:
        """Whether more requests may be allowed afterwards, as far as texts are known."""
        if any(_widened_at(before, old, after, new, question)):
            return True
        if new.kind not in STRANGERS:
            return False
        were = self._doors(before, old)
        for label, (role, entered) in self._doors(after, new).items():
            done = _known_verdict(after, role, question)
            if done is Verdict.DENIED:
                continue
            door = self._door(role)
            first = were[label][0] if label in were else None
            if first is None or first.trust is None:
                return True
            was = min(RANK[were[label][1]], RANK[_known_verdict(before, first, question)])
            if was < min(RANK[entered], RANK[done]):
                return True
            if was == 1 and (
                any(_widened_at(before, old, after, new, door))
                or any(_widened_at(before, first, after, role, question))
            ):
                return True
        return False

    def _unclear(self, new: Principal, question: Question, turn: Turn) -> bool:
        """Whether a verdict depends on nothing but texts that are not known: that is a gap, and no gain or loss."""
        if turn is Turn.LOSS:
            asked = [(new, question)]
            if new.kind in STRANGERS:
                for role, _ in self._doors(self._is, new).values():
                    asked += [(role, question), (new, self._door(role))]
            parts = (part for who, what in asked for part in self._is.parts(who, what))
            return any(ground.holding.unknown for part in parts for ground in part.grounds)
        if not self._only_unknown(new, question):
            return False
        if new.kind not in STRANGERS:
            return True
        return all(
            self._only_unknown(role, question) or self._only_unknown(new, self._door(role))
            for role, _ in self._doors(self._is, new).values()
        )

    def _only_unknown(self, who: Principal, question: Question) -> bool:
        """Whether somebody may do something after the plan by nothing but texts that are not known."""
        if id(who) not in self._known:
            held = tuple(one for one in who.held if not (one.unknown and one.layer is Layer.IDENTITY))
            self._known[id(who)] = who if len(held) == len(who.held) else replace(who, held=held)
        known = self._known[id(who)]
        if known is not who and self._is.verdict(known, question) is Verdict.DENIED:
            return True
        if not self._unknown_guards and question.resource is None and not resource_must_allow(question.action):
            return self._is.verdict(known, question) is Verdict.DENIED
        parts = tuple(self._is.parts(known, question))
        return all(part.verdict is Verdict.DENIED or _by_unknown(part) for part in parts)

    # Roles, and who may act by them.

    def _door(self, role: Principal) -> Question:
        """Whether somebody may assume a role: one question for all, so that it is prepared once."""
        return self._doors_to.setdefault(role.arn, Question(ASSUMES.action, role.arn))

    def _assuming(self, old: Principal | None, new: Principal | None, roles: Iterable[_Pair]) -> Iterator[Shift]:
        """Who of the account may assume which roles."""
        for first, then in roles:
            role = then or first
            if then is None or role is None or role.linked or role.serves or then.trust is None or new is None:
                continue
            if new.label == role.label:
                continue
            question = self._door(role)
            before = old if first is not None and first.trust is not None else None
            if new.kind in STRANGERS:
                # By itself: what it may do by way of other roles is asked of those.
                now = self._is.verdict(new, question)
                was = self._was.verdict(before, question) if before is not None else Verdict.DENIED
                if was is now and now is not Verdict.DEPENDS:
                    continue
            change = self._change(before, new, question)
            if change is not None and self._is_powerful(then):
                shift = self._shifted(change, (before, new), ASSUMES, question)
                made = old is None or (first is None and new.kind is Kind.ACCOUNT)
                by = None if made or shift.turn is Turn.LOSS else self._place_of(then.trust, first) or shift.cause
                yield replace(shift, made=made, cause=by)

    def _is_powerful(self, role: Principal) -> bool:
        """Whether a role may do anything sensitive after the plan, by itself or by other roles that it may assume."""
        return self._does_anything(role) or role.label in self._steps

    def _does_anything(self, role: Principal) -> bool:
        if role.label not in self._powerful:
            self._powerful[role.label] = any(
                _known_verdict(self._is, role, question) is not Verdict.DENIED for _, question in self._asked
            )
        return self._powerful[role.label]

    @cached_property
    def _steps(self) -> frozenset[str]:
        """Labels of roles that may do nothing sensitive but assume a role that may, in any number of steps."""
        roles = [one for one in self._is.world.principals if one.kind is Kind.ROLE and not one.linked]
        left = [one for one in roles if not self._does_anything(one)]
        reached = [one for one in roles if self._does_anything(one)]
        found: set[str] = set()
        while reached:
            doors_to = [self._door(one) for one in reached]
            reached = [
                one for one in left if any(self._is.verdict(one, door) is not Verdict.DENIED for door in doors_to)
            ]
            found |= {one.label for one in reached}
            left = [one for one in left if one.label not in found]
        return frozenset(found)

    def _trusting(self, old: Principal | None, new: Principal | None) -> Iterator[Shift]:
        """Identity providers and services that may assume a role, which no account's policies decide about."""
        if new is None or new.linked or new.trust is None or new.trust.unknown or not self._is_powerful(new):
            return
        was = old.trust.document if old is not None and old.trust is not None else _NOTHING
        now = new.trust.document
        for turn, one, other in ((Turn.GAIN, now, was), (Turn.LOSS, was, now)):
            for (kind, name), statements in _outsiders(one).items():
                beyond = [s for s in statements if not covered(s, one, other, "Allow")]
                alone = Principals(federated=(name,)) if kind is Kind.PROVIDER else Principals(service=(name,))
                if not beyond and (turn is Turn.LOSS or not _denies_less(other, one, alone)):
                    continue
                known = _outsiders(other).get((kind, name), [])
                verdicts = (_trusted(known), _trusted(statements))
                told = (_conditions(known), _conditions(statements))
                if turn is Turn.LOSS:
                    if verdicts[0] is verdicts[1] and any(not covered(s, other, one, "Allow") for s in known):
                        continue  # told as a gain
                    verdicts, told = (verdicts[1], verdicts[0]), (told[1], told[0])
                yield Shift(
                    turn,
                    Principal(kind, name, name),
                    ASSUMES,
                    new.arn,
                    *verdicts,
                    *told,
                    made=old is None,
                    cause=self._place_of(new.trust, old) if turn is Turn.GAIN and old is not None else None,
                )

    # What brings it about.

    def _cause(
        self, pair: _Pair, question: Question, through: Principal | None, likely: tuple[_Told, ...]
    ) -> Cause | None:
        old, new = pair
        if through is not None:
            first, _ = self._partner[through.label]
            if new is not None:
                door = self._door(through)
                entered = self._verdict(self._was, old, door) if first is not None else Verdict.DENIED
                if entered is not self._is.verdict(new, door) and (place := self._place_of(through.trust, first)):
                    return place
            by_role = self._likely(first, through, question)
            return self._cause((first, through), question, None, by_role) or self._place_of(through.trust, first)
        key = (id(old), id(new), likely)
        if key not in self._blames:
            self._blames[key] = next(filter(None, (self._blamed(pair, one) for one in likely)), None)
        if (place := self._blames[key]) is not None:
            return place
        places = (self._place_of(one, other) for one, other in self._suspects(old, new, question))
        return next(filter(None, places), self._own_place(new or old))

    def _blamed(self, pair: _Pair, told: _Told) -> Cause | None:
        after, which = told
        side, other = pair[after], pair[not after]
        if isinstance(which, Holding):
            return self._place_of(which, other)
        assert side is not None, "who has policies is there"
        return self._place_of(side.held[which], other)

    def _likely(self, old: Principal | None, new: Principal | None, question: Question) -> tuple[_Told, ...]:
        """Policies that have a part in the answers, the likeliest to have brought it about first."""
        granting = _grounds(self._is, new, question, denies=False)
        denying = _grounds(self._was, old, question, denies=True)
        had = old.held if old is not None else ()
        has = new.held if new is not None else ()
        # A policy that says the same as before brings nothing about.
        lifted = [one for one in denying if not any(_same_text(one, other) for other in has)]
        given = [one for one in granting if not any(_same_text(one, other) for other in had)]
        return (
            *((False, _told(one, had)) for one in lifted),
            *((True, _told(one, has)) for one in (*given, *granting)),
        )

    def _suspects(self, old: Principal | None, new: Principal | None, question: Question) -> Iterator[_Suspect]:
        """Policies that may have brought it about although they have no part in the answers."""
        for side, other, judge in ((old, new, self._was), (new, old, self._is)):
            if side is not None:
                yield from ((one, other) for one in side.held if one.layer is Layer.BOUNDARY)
                yield from ((one, other) for level in scps_of(side, judge.world) for one in level)
            guard = judge.world.guard_of(question.resource) if question.resource is not None else None
            if guard is not None and guard.policy is not None:
                yield guard.policy, other
        yield from ((one, new) for one in (old.held if old is not None else ()))
        yield from ((one, old) for one in (new.held if new is not None else ()))

    def _place_of(self, holding: Holding | None, other: Principal | None) -> Cause | None:
        """What of the plan changes that somebody has a policy, or its text.

        Args:
            holding: The policy.
            other: The same principal on the other side of the plan: how it has the policy there as well, brings nothing
                about.
        """
        if holding is None:
            return None
        own = ((holding.address, holding.attribute),) if holding.address is not None else ()
        places = [place for place in (*_carried(holding, other), *own) if place[0] in self._changed]
        if not places:
            return None
        (address, attribute), *others = places
        return Cause(address, attribute, tuple(other for other, _ in others))

    def _own_place(self, who: Principal | None) -> Cause | None:
        if who is None or who.address is None or who.address not in self._changed:
            return None
        return Cause(who.address)

    # Gaps.

    def _note_unknown(self, old: Principal | None, new: Principal | None) -> None:
        if new is None:
            return
        had = old.held if old is not None else ()
        trusts = (new.trust,) if new.trust is not None else ()
        trusted = (old.trust,) if old is not None and old.trust is not None else ()
        for one in (*new.held, *trusts):
            if one.unknown and not any(_same_text(one, other) for other in (*had, *trusted)):
                self._unknown.setdefault(_unknown_name(one), {})[str(new)] = None

    def _note_unknown_guard(self, arn: str) -> None:
        guard = self._is.world.guard_of(arn)
        if guard is not None and guard.policy is not None and guard.policy.unknown:
            self._unknown.setdefault(_unknown_name(guard.policy), {})


def administers(
    judge: Judge, who: Principal, ask: Callable[[Judge, Principal, Question], Verdict] = Judge.verdict
) -> bool:
    """Whether somebody is an administrator by meaning: may do all of the catalogue, or give that to themselves.

    For certain, given a session with MFA: on every resource, or on their own user, group or role, where no boundary
    limits what they can give themselves. An administrator of accounts below a target is not asked about as one, since
    it is the guardrails that are.
    """
    if who.kind not in OWN:
        return False

    def may(action: str, resource: str | None = None) -> bool:
        return ask(judge, who, _with_mfa(action, resource)) is Verdict.ALLOWED

    def may_to(own: str, action: str) -> bool:
        on_any = ask(judge, who, _with_mfa(action, None))
        if on_any is Verdict.DEPENDS:
            return judge.verdict(who, Question(action, own, _WITH_MFA)) is Verdict.ALLOWED
        return on_any is Verdict.ALLOWED

    if not any(one.layer is Layer.BOUNDARY for one in who.held):
        kind = {Kind.USER: "User", Kind.GROUP: "Group", Kind.ROLE: "Role"}.get(who.kind)
        world = judge.world
        own = f"arn:{world.partition}:iam::{world.account_id}:group/{who.name}" if kind == "Group" else who.arn
        if kind is not None and any(may_to(own, f"iam:{verb}{kind}Policy") for verb in ("Put", "Attach")):
            return True
        gives = any(may(f"iam:{verb}UserPolicy") for verb in ("Put", "Attach"))
        if gives and any(may(f"iam:Create{what}") for what in ("AccessKey", "LoginProfile")):
            return True
        if may("iam:UpdateAssumeRolePolicy") and any(may(f"iam:{verb}RolePolicy") for verb in ("Put", "Attach")):
            return True
    return all(
        may(one.action, place) for one in catalogue() for place in (judge.world.places.get(one.on or "", ()) or (None,))
    )


@lru_cache(maxsize=1024)
def _with_mfa(action: str, resource: str | None) -> Question:
    """One question for all whom it is asked about."""
    return Question(action, resource, _WITH_MFA)


def _known_verdict(judge: Judge, who: Principal, question: Question) -> Verdict:
    found = judge.verdict(who, question)
    if found is not Verdict.DEPENDS or question.resource is not None or not resource_must_allow(question.action):
        return found
    parts = tuple(judge.parts(who, question))
    return Verdict.DENIED if all(p.verdict is Verdict.DENIED or _by_unknown(p) for p in parts) else found


def _of_oneself(judge: Judge, who: Principal | None, question: Question) -> bool:
    """Whether all that somebody may do is about their own user: a key or a device of their own."""
    if who is None or question.resource is not None or question.action not in _OWN_CREDENTIALS:
        return False
    found = [one for part in judge.parts(who, question) for one in part.grounds]
    grants = [one for one in found if not one.denies and one.holding.layer not in _LIMITS]
    return bool(grants) and all(
        one.left is not None
        and one.holding.document.variables
        and bool(one.left.resources)
        and all(text.endswith("/${aws:username}") for text in one.left.resources)
        for one in grants
    )


def _grounds(judge: Judge, who: Principal | None, question: Question, *, denies: bool) -> list[Holding]:
    if who is None:
        return []
    found = (one for part in judge.parts(who, question) for one in part.grounds if one.denies is denies)
    return list(dict.fromkeys(one.holding for one in found))


def _widened_at(before: Judge, old: Principal, after: Judge, new: Principal, question: Question) -> Iterator[str]:
    """The ARNs of resources of which more requests may be allowed afterwards; "*" for any other."""
    was = {_arn(part): part for part in before.parts(old, question)}
    now = {_arn(part): part for part in after.parts(new, question)}
    gates = _gates(before, old), _gates(after, new)
    for arn in (*now, *(arn for arn in was if arn not in now)):
        if _part_widened(was.get(arn, was[None]), now.get(arn, now[None]), *gates):
            yield arn or "*"


_Suspect = tuple[Holding, Principal | None]
"""A policy, and its principal on the other side of the plan."""


def _told(holding: Holding, held: Sequence[Holding]) -> int | Holding:
    return next((place for place, one in enumerate(held) if one is holding), holding)


def _carried(holding: Holding, other: Principal | None) -> tuple[tuple[str, str], ...]:
    """What carries a policy on one side of a plan, and not on the other."""
    if not holding.carriers or other is None:
        return holding.carriers
    if holding.layer is Layer.SCP:
        levels = (one for level in other.levels for one in level)
        return () if any(one.carriers == holding.carriers for one in levels) else holding.carriers
    same = (holding.layer, holding.group, holding.arn, holding.name)
    if any((one.layer, one.group, one.arn, one.name) == same for one in other.held):
        return ()
    return holding.carriers[:-1] if holding.group is not None and holding.group in other.groups else holding.carriers


def _arn(part: Part) -> str | None:
    return part.guard.arn if part.guard is not None else None


def _part_widened(was: Part, now: Part, before: _Gates, after: _Gates) -> bool:
    if was.verdict is not now.verdict:
        return RANK[now.verdict] > RANK[was.verdict] and not _by_unknown(now)
    if was.verdict is not Verdict.DEPENDS:
        return False
    denied = [one for one in was.grounds if one.denies and not one.holding.unknown]
    still_denied = [one for one in now.grounds if one.denies]
    if any(not _is_covered(one, still_denied) for one in denied):
        return True
    for layer in (Layer.IDENTITY, Layer.RESOURCE):
        first = [one for one in was.grounds if not one.denies and one.holding.layer is layer]
        then = [one for one in now.grounds if not one.denies and one.holding.layer is layer]
        if any(one.certain for one in first):
            continue
        if any(not one.holding.unknown and (one.certain or not _is_covered(one, first)) for one in then):
            return True
    # What limited has to limit still: one of the gates afterwards lets through no more than each before.
    open_now = [_through(now, gate) for gate in after]
    for gate in before:
        allowed = _through(was, gate)
        if any(one.certain for one in allowed):
            continue
        if not any(all(one.holding.unknown or _is_covered(one, allowed) for one in narrow) for narrow in open_now):
            return True
    return False


_Gates = Sequence[frozenset[int]]
"""Boundary, and each level of an organization's policies: identities of the policies of which one must allow."""


def _gates(judge: Judge, who: Principal) -> _Gates:
    bounds = [one for one in who.held if one.layer is Layer.BOUNDARY]
    levels = ((bounds,) if bounds else (), scps_of(who, judge.world), judge.world.rcps)
    return [frozenset(map(id, level)) for kind in levels for level in kind]


def _through(part: Part, gate: frozenset[int]) -> list[Ground]:
    return [one for one in part.grounds if not one.denies and id(one.holding) in gate]


def _by_unknown(part: Part) -> bool:
    grants = [one for one in part.grounds if not one.denies and one.holding.layer not in _LIMITS]
    return bool(grants) and part.verdict is Verdict.DEPENDS and all(one.holding.unknown for one in grants)


def _is_covered(ground: Ground, by: Iterable[Ground]) -> bool:
    """Whether what a statement applies to is what others apply to as well."""
    if ground.certain:
        return any(one.certain for one in by)
    assert ground.left is not None, "what is not certain has something left"
    versions: dict[str, tuple[PolicyDocument, list[Statement]]] = {}
    for one in by:
        if one.certain:
            return True
        if one.left is not None:
            document = one.holding.document
            versions.setdefault(document.version, (document, []))[1].append(one.left)
    return any(
        covered(
            ground.left,
            ground.holding.document,
            replace(document, statements=tuple(statements)),
            ground.statement.effect,
        )
        for document, statements in versions.values()
    )


_NOTHING = PolicyDocument("nothing", PolicyKind.IDENTITY, "2012-10-17", ())


def _outsiders(document: PolicyDocument) -> Mapping[tuple[Kind, str], list[Statement]]:
    """Providers and services that a trust policy lets in → its statements about each alone."""
    found: dict[tuple[Kind, str], list[Statement]] = {}
    for statement in document.statements:
        if statement.effect != "Allow" or statement.principals is None:
            continue
        for name in statement.principals.federated:
            alone = replace(statement, principals=Principals(federated=(name,)))
            found.setdefault((Kind.PROVIDER, name), []).append(alone)
        for name in statement.principals.service:
            alone = replace(statement, principals=Principals(service=(name,)))
            found.setdefault((Kind.SERVICE, name), []).append(alone)
    return found


def _denies_less(before: PolicyDocument, after: PolicyDocument, whom: Principals) -> bool:
    """Whether a trust policy denies somebody less than before."""
    still = replace(after, statements=tuple(_denials(after, whom)))
    return any(not covered(one, before, still, "Deny") for one in _denials(before, whom))


def _denials(document: PolicyDocument, whom: Principals) -> Iterator[Statement]:
    """What of a trust policy denies a provider or a service to assume the role, about it alone."""
    enters = ("sts:AssumeRole",) if whom.service else ("sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
    for one in document.statements:
        assert one.principals is not None, "a trust policy names whom it is about"
        named = {*one.principals.federated, *one.principals.service}
        about = tuple(
            action
            for action in enters
            if any(action_matches(text, action) for text in one.actions or one.not_actions) == bool(one.actions)
        )
        names = one.principals.everyone or not named.isdisjoint((*whom.federated, *whom.service))
        if one.effect == "Deny" and about and names:
            yield replace(one, principals=whom, actions=about, not_actions=())


def _trusted(statements: Sequence[Statement]) -> Verdict:
    if not statements:
        return Verdict.DENIED
    return Verdict.DEPENDS if all(one.conditions for one in statements) else Verdict.ALLOWED


def _conditions(statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"if {' and '.join(map(str, one.conditions))}" for one in statements if one.conditions))


def _pairs(before: World, after: World) -> Iterator[_Pair]:
    """Who is who before and after: by kind and name, else by address."""
    old = {one.label.casefold(): one for one in before.principals}
    new = {one.label.casefold(): one for one in after.principals}
    left = {one.address: one for key, one in old.items() if key not in new and one.address is not None}
    followed: set[int] = set()
    for key, one in new.items():
        first = old.get(key)
        if first is None and one.kind in OWN:
            # Made anew under another name, in the place of one that is deleted.
            first = left.get(one.address) if one.address is not None else None
            followed |= {id(first)} if first is not None else set()
        if first is None and one.kind not in OWN:
            first = replace(one, levels=()) if one.kind is Kind.TARGET else one
        yield first, one
    for key, one in old.items():
        if key not in new and id(one) not in followed:
            yield one, None if one.kind in OWN else replace(one, levels=()) if one.kind is Kind.TARGET else one


def _same(old: Principal | None, new: Principal | None) -> bool:
    """Whether all that decides about somebody is the same."""
    if old is None or new is None:
        return False
    if old is new:
        return True
    return (
        (old.arn, old.tags, old.linked) == (new.arn, new.tags, new.linked)
        and len(old.held) == len(new.held)
        and all(map(_same_text, old.held, new.held))
        and _same_levels(old.levels, new.levels)
    )


def _same_levels(old: Sequence[Sequence[Holding]], new: Sequence[Sequence[Holding]]) -> bool:
    return len(old) == len(new) and all(
        len(one) == len(other) and all(map(_same_text, one, other)) for one, other in zip(old, new, strict=True)
    )


def _same_text(one: Holding, other: Holding) -> bool:
    if one.layer is not other.layer:
        return False
    return one.document is other.document or one.document == other.document


def _same_policy(one: Holding | None, other: Holding | None) -> bool:
    return (one is other) if one is None or other is None else _same_text(one, other)


def _trust(role: Principal | None) -> Holding | None:
    return role.trust if role is not None else None


def _new_guards(before: World, after: World) -> Iterator[Guarded]:
    """Resources that there are only afterwards, with the policy that AWS gives them by itself.

    Only a key has one, by which the account's own policies decide: AWS KMS Developer Guide, "Default key policy".
    """
    known = {one.arn for one in before.guarded}
    for one in after.guarded:
        if one.arn in known or (one.policy is not None and one.policy.document.kind is PolicyKind.TRUST):
            continue
        key = one.arn.split(":")[2:3] == ["kms"]
        yield replace(one, policy=_default_key_policy(after) if key else None)


def _default_key_policy(world: World) -> Holding:
    root = f"arn:{world.partition}:iam::{world.account_id}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    text = {"Version": "2012-10-17", "Statement": [statement]}
    return Holding(Layer.RESOURCE, PolicyDocument.parse(text, name="default key policy", kind=PolicyKind.RESOURCE))


def _changed_guards(before: World, after: World) -> frozenset[str]:
    """ARNs of resources whose own policies differ, those that are gone left out."""
    return frozenset(
        one.arn
        for one in after.guarded
        if (first := before.guard_of(one.arn)) is None or not _same_policy(first.policy, one.policy)
    )


def _unknown_name(holding: Holding) -> str:
    keys = (c.key for statement in holding.document.statements for c in statement.conditions)
    return next(key.removeprefix(UNKNOWN_TEXT) for key in keys if key.startswith(UNKNOWN_TEXT))


def _unknown_line(name: str, whose: Iterable[str]) -> str:
    names = list(whose)
    if not names:
        return f"what {name} says: its text is not known here"
    few = listed(names) if len(names) <= 3 else shortened(names, 3)
    return f"what {name} says, for {few}: its text is not known here"
