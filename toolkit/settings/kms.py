"""Keys of KMS."""

from __future__ import annotations

import re
from typing import Annotated

from toolkit.regions import ARN
from toolkit.settings.values import checked

KEY_ARN = re.compile(ARN + r":kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")

_key_arn = checked(
    KEY_ARN,
    "the ARN of a key, not of an alias, such as "
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
)

KeyArn = Annotated[str, _key_arn]
