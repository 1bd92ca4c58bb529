"""Keys for encrypting and reading plan bundles, as options and environment give them."""

from __future__ import annotations

from toolkit.aws.keys import KmsDataKeys
from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError
from toolkit.paths import Project
from toolkit.terraform.sealing import DataKeys, Keys, key_from
from toolkit.workflows.scratch import scratch_folder
from toolkit.workflows.workspace import Access, aws_environ, read_environment


def bundle_keys(project: Project | None, access: Access, kms_key_id: str | None = None) -> Keys:
    """Keys of this run: TOOLKIT_BUNDLE_KEY, and KMS with an environment's credentials where a bundle needs it.

    Raises:
        UsageError: TOOLKIT_BUNDLE_KEY is no key.
    """

    def data_keys(name: str) -> DataKeys:
        if project is None:
            raise ToolkitError(
                f"encrypted with a KMS key, which is used with the credentials of its environment {name!r}",
                hint="run the command in the project of that environment (-C DIR)",
            )
        paths, environment = read_environment(project, name)
        return KmsDataKeys(AwsSession(environment, aws_environ(project, environment, access, scratch_folder(paths))))

    return Keys(key_from(access.environ), kms_key_id, data_keys)
