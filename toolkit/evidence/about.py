"""The pack's README.txt: what each file is, and how to verify them with nothing of the toolkit's.

In: what the manifest is signed with. Out: text. Pure.
"""

from __future__ import annotations

from toolkit.evidence.manifest import Signed

_ABOUT = """\
Evidence of an AWS account, made by aws-baseline-toolkit.

manifest.json          what the evidence is of; SHA-256 and size of every file
manifest.json.sig      detached signature of manifest.json; only in a signed pack
SHA256SUMS             the same SHA-256, for sha256sum
report.json            the audit's report, for programs
report.md, report.html the same, for people; the page loads nothing from anywhere
rendered.json          SHA-256 of each file that Terraform reads; only for an environment
credential-report.csv  IAM's credential report, as IAM wrote it
requests.csv           every call of the checks: time, action, region, request id, and where its answer is
facts/SERVICE.jsonl    every call of the checks with its answer, a line of JSON each: the facts of the report

Values that are secrets, or may be, were left out of facts/: "stripped" in each line names them.

To verify the pack:

    toolkit evidence verify FILE.zip --public-key key.pub.pem

To verify it without the toolkit, in an empty folder:

    unzip FILE.zip
    sha256sum --check SHA256SUMS
{signature}
sha256sum reads the files that SHA256SUMS lists; `unzip -l FILE.zip` shows whether there are others.
"""
_UNSIGNED = "\nThis pack is not signed: the sums show what was damaged, not who made it.\n"
_SIGNED = """\
    {command}

The last command must print that the signature is verified. Get the public key from the signer, never with the pack.
Its SHA-256 must be
    {fingerprint}
as `openssl pkey -pubin -in key.pub.pem -outform DER | sha256sum` prints it.
"""


def about(signed: Signed | None) -> str:
    """The text."""
    if signed is None:
        return _ABOUT.format(signature=_UNSIGNED)
    return _ABOUT.format(
        signature=_SIGNED.format(command=command(signed.algorithm), fingerprint=signed.public_key_sha256)
    )


def command(algorithm: str) -> str:
    """How openssl (1.1.1 or later) verifies a signature of this algorithm."""
    if algorithm == "Ed25519":
        return "openssl pkeyutl -verify -pubin -inkey key.pub.pem -rawin -in manifest.json -sigfile manifest.json.sig"
    padding = " -sigopt rsa_padding_mode:pss" if algorithm.startswith("RSA") else ""
    digest = f"-sha{algorithm[-3:]}"
    return f"openssl dgst {digest} -verify key.pub.pem{padding} -signature manifest.json.sig manifest.json"
