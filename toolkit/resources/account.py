"""AWS account management: contacts."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, ResourceType, Stronger, each

_LETTERS = "whom AWS writes letters to: any other address is as good"

TYPES = (
    ResourceType(
        "aws_account_alternate_contact",
        # Any other address is as good, an empty one is not.
        strengths=each(Stronger.PRESENT, "email_address", "phone_number"),
        no_weaker_side={NAMES: "name title", IDENTITY: "account_id alternate_contact_type"},
    ),
    ResourceType(
        "aws_account_primary_contact",
        strengths=each(Stronger.PRESENT, "phone_number"),
        no_weaker_side={
            _LETTERS: "address_line_1 address_line_2 address_line_3 city company_name country_code district_or_county "
            "full_name postal_code state_or_region website_url",
            IDENTITY: "account_id",
        },
    ),
)
