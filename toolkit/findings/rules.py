"""Rules that several guards share, and those that environment.yaml can waive: it is read without loading any guard.

Any other rule stands beside the guard or check that produces it.
"""

from __future__ import annotations

from toolkit.findings.model import Consent, Names, Rule, Severity, Source
from toolkit.findings.registry import register

ALLOW_DESTROY = Consent("--allow-destroy", "ADDRESS")
ALLOW_RELEASE = Consent("--allow-release", "ADDRESS")
ALLOW_WEAKER = Consent("--allow-weaker", "ADDRESS.ATTRIBUTE")
ALLOW_GAIN = Consent("--allow-gain", "ADDRESS.ATTRIBUTE")
ACKNOWLEDGE_LOCKOUT = Consent("--acknowledge-lockout", None)

DESTROYS = register(
    Rule(
        "destroys-protected",
        "The plan deletes or replaces a resource that protects or records, or removes it from the state.",
        Severity.CRITICAL,
        refused="`cloudtrail` is deleted from environment.yaml: Terraform would delete the trail and its bucket",
        instead="keep the component, or consent to each address that may be deleted",
        consent=ALLOW_DESTROY,
        waiver=Names.RESOURCE,
    )
)
RELEASES = register(
    Rule(
        "releases-protected",
        "The plan stops managing a resource that protects or records, as `released` in the environment file says.",
        Severity.HIGH,
        refused="`toolkit release` took `cloudtrail` out of environment.yaml: the trail would no longer be managed",
        instead="keep the component, or consent to each address: AWS keeps it, and no later plan reports its changes",
        consent=ALLOW_RELEASE,
        waiver=Names.RESOURCE,
    )
)
WEAKENS = register(
    Rule(
        "weakens",
        "The plan changes a setting to its weaker side.",
        Severity.HIGH,
        refused="`components.password_policy.minimum_password_length` changes from 24 to 14",
        instead="set what it was or stronger, or consent to the address with its attribute",
        consent=ALLOW_WEAKER,
        waiver=Names.RESOURCE,
    )
)
GAINS = register(
    Rule(
        "gains-access",
        "The plan allows a sensitive action to a principal that exists already and is not an administrator.",
        Severity.HIGH,
        refused="another policy of the group `developers` allows `s3:DeleteBucket` on the bucket of the logs",
        instead="allow only what the principal needs, or consent to the address with its attribute",
        consent=ALLOW_GAIN,
        waiver=Names.RESOURCE,
    )
)
LOCKS_OUT_CALLER = register(
    Rule(
        "locks-out-caller",
        "The caller who applies this would lose access.",
        Severity.CRITICAL,
        refused="the plan denies IAM actions to a group without MFA, and the user who applies it signed in with an "
        "access key alone",
        instead="apply with a session that has MFA, or with a role that the plan does not limit",
    )
)
LOCKS_OUT_LAST_ADMINISTRATOR = register(
    Rule(
        "locks-out-last-administrator",
        "No administrator would be left who can sign in.",
        Severity.CRITICAL,
        refused="MFA becomes required, and the only administrator has an access key but no MFA device",
        instead="enroll an MFA device for that user first, or add another administrator",
    )
)
LOCKS_OUT = register(
    Rule(
        "locks-out-users",
        "Users or programs would lose access immediately, or until they enroll an MFA device.",
        Severity.HIGH,
        refused="MFA becomes required for a group, and a user in it has no MFA device",
        instead="enroll the device first, or consent once each user that the finding names knows of it",
        consent=ACKNOWLEDGE_LOCKOUT,
        waiver=Names.RESOURCE,
    )
)
ADVICE = register(
    Rule(
        "advice",
        "Something needs a review, such as a user whose review date has passed. It blocks nothing.",
        Severity.NOTE,
        refused="`review_date` of a user is a day in the past",
        instead="check whether the user still needs access, then set the day of the next review or `status: removed`",
    )
)
UNCOVERED = register(
    Rule(
        "uncovered",
        "A requirement of a framework is not met by what the plan leaves in the account.",
        Severity.MEDIUM,
        refused="`guardduty` is off: nothing meets the requirements that it serves",
        instead="enable the component or set the value that the requirement expects, or waive it with a reason",
        source=Source.CONTROLS,
        waiver=Names.REQUIREMENT,
    )
)
