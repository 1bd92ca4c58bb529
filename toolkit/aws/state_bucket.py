"""The S3 bucket that holds Terraform's state."""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.aws.session import ClientFactory
from toolkit.environment import Environment, S3Backend
from toolkit.errors import ToolkitError


def ensure_simulated_bucket(environment: Environment, backend: S3Backend, environ: Mapping[str, str]) -> None:
    """Create the state bucket in the embedded AWS, where nobody could have made it beforehand.

    Raises:
        ToolkitError: The environ leads to real AWS (a defect), or the bucket cannot be made.
    """
    import botocore.exceptions

    if "AWS_ENDPOINT_URL" not in environ:
        raise ToolkitError("a simulated state bucket was asked for outside of the embedded AWS")
    client = ClientFactory(environment, environ).client("s3", backend.region)
    configuration = {} if backend.region == "us-east-1" else {"LocationConstraint": backend.region}
    try:
        client.create_bucket(
            Bucket=backend.bucket, **({"CreateBucketConfiguration": configuration} if configuration else {})
        )
    except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        pass
    except botocore.exceptions.ClientError as e:
        raise ToolkitError(f"the simulated state bucket cannot be made: {e}", where=backend.bucket) from e
