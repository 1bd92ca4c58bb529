"""Tags: which AWS accepts, and which it writes itself on things that people manage.

The limits that all services share: 128 and 256 characters, 50 tags on one resource, letters, digits, spaces and
+ - = . _ : / @; the prefix aws: in any case is AWS's own
(https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

WRITTEN_BY_AWS = {
    "keys": ("awsApplication",),
    "key_prefixes": ("AKIA",),
}
"""Tags that AWS writes without the prefix aws:, as the provider's `ignore_tags` takes them: neither drift nor a change.

- awsApplication: on whatever is added to an application
  (https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/aws-myApplications.html).
- AKIA…: the IAM console keeps the description of an access key as a tag of its user, whose key is the access key's id
  (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html; ids begin with AKIA:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes).

The prefix aws: needs no entry: the provider ignores it by itself.
"""

NARROW_KEY = re.compile(r"[A-Za-z0-9+,./:;<=_-]+")
"""Tag keys that GuardDuty and Detective accept, `(?!aws:)[a-zA-Z+-=._:/]+`, in which `+-=` is a range.

https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html
https://docs.aws.amazon.com/detective/latest/APIReference/API_CreateGraph.html
"""

_TEXT = re.compile(r"[\w +=.:/@-]{1,256}", re.UNICODE)
_LONGEST_KEY = 128


def _key(value: str) -> str:
    if not _TEXT.fullmatch(value) or len(value) > _LONGEST_KEY or value.lower().startswith("aws:"):
        raise ValueError("expected 1 to 128 letters, digits, spaces or +-=._:/@, not aws:*")
    if value in WRITTEN_BY_AWS["keys"] or value.startswith(WRITTEN_BY_AWS["key_prefixes"]):
        raise ValueError(f"expected another key: AWS itself writes {value!r}, so Terraform leaves such tags alone")
    return value


def _value(value: str) -> str:
    # CloudTrail (AddTags) and EventBridge Scheduler (CreateScheduleGroup) accept no empty one, and the provider plans a
    # default tag that becomes empty again and again.
    if not _TEXT.fullmatch(value):
        raise ValueError("expected 1 to 256 letters, digits, spaces or +-=._:/@ (an empty tag is accepted nowhere)")
    return value


TagKey = Annotated[str, AfterValidator(_key)]
TagValue = Annotated[str, AfterValidator(_value)]
