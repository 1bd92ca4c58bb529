"""Simple Notification Service, corrected."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sns.responses import SNSResponse

from toolkit.sandbox.patches.base import Method, Patch

_FEEDBACK = tuple(
    f"{protocol}{attribute}"
    for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
    for attribute in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
)


def _with_feedback(original: Method) -> Method:
    def get_topic_attributes(self: SNSResponse) -> ActionResult:
        answer: dict[str, Any] = original(self).result
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        # Where moto keeps what a topic was created with, or given since.
        kept = {name: getattr(topic, camelcase_to_underscores(name), None) for name in _FEEDBACK}
        return ActionResult(
            {"Attributes": {**answer["Attributes"], **{n: value for n, value in kept.items() if value}}}
        )

    return get_topic_attributes


PATCHES = (
    Patch(
        name="sns-feedback",
        owner=SNSResponse,
        method="get_topic_attributes",
        reason="moto keeps the delivery status logging of a topic, and does not answer it. SNS API, SetTopicAttributes "
        "and GetTopicAttributes: the roles and rates of each protocol are attributes that are set and answered.",
        correct=_with_feedback,
    ),
)
