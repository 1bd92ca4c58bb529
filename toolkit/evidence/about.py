"""The pack's README.txt: what each file is, and how to verify them with nothing of the toolkit's.

In: what the manifest is signed with. Out: text. Pure.
"""

from __future__ import annotations

from toolkit.signing import Signed

_ABOUT = """\
Evidence of an AWS account, made by aws-baseline-toolkit.

manifest.json          what the evidence is of; SHA-256 and size of every file
manifest.json.sig      detached signature of manifest.json; only in a signed pack
report.json            the audit's report, for programs
report.md, report.html the same, for people; the page loads nothing from anywhere
rendered.json          SHA-256 of each file that Terraform reads; only for an environment
credential-report.csv  IAM's credential report, as IAM wrote it
requests.csv           every call of the checks: time, action, region, request id, and where its answer is
facts/SERVICE.jsonl    every call of the checks with its answer, a line of JSON each: the facts of the report

Values that are secrets, or may be, were left out of facts/: "stripped" in each line names them.

To verify the pack:

    toolkit evidence verify FILE.zip --public-key key.pub.pem

To verify it without the toolkit, make a folder next to FILE.zip{key}. Run in that folder, and stop at
the first command that fails:

    {commands}

{signature}
Only the files that the last command lists are verified; `unzip -l ../FILE.zip` shows whether there are others.
A pack that was changed can have another text here: docs/evidence.md of the toolkit has the same commands.
"""
_UNSIGNED = """\
This pack is not signed: the commands show what was damaged, not who made it.
"""
_SIGNED = """\
openssl must print that the signature is verified: the SHA-256 of the files are taken from manifest.json, which is what
is signed. Get the public key from the signer, never with the pack. Its SHA-256 must be
    {fingerprint}
as `openssl pkey -pubin -in ../key.pub.pem -outform DER | sha256sum` prints it.
"""
_SUMS = (
    "python3 -I -c 'import json; "
    '[print(f["sha256"], "", f["name"]) for f in json.load(open("manifest.json"))["files"]]\''
    " | sha256sum --check"
)
"""Of the signed manifest: a file of sums in the pack would be as easy to change as what it is about. `-I`, since Python
would else import a json.py that somebody has put into the pack."""


def about(signed: Signed | None) -> str:
    """The text."""
    key, signature = "", _UNSIGNED
    if signed is not None:
        key, signature = " and key.pub.pem", _SIGNED.format(fingerprint=signed.public_key_sha256)
    return _ABOUT.format(key=key, signature=signature, commands="\n    ".join(commands(signed)))


def commands(signed: Signed | None) -> tuple[str, ...]:
    """The commands that verify FILE.zip, in a folder beside it; the key stays out of reach of what is unpacked."""
    return ("unzip ../FILE.zip", *([command(signed.algorithm)] if signed else ()), _SUMS)


def command(algorithm: str) -> str:
    """How openssl (1.1.1 or later) verifies a signature of this algorithm."""
    key, signature = "../key.pub.pem", "manifest.json.sig"
    if algorithm == "Ed25519":
        return f"openssl pkeyutl -verify -pubin -inkey {key} -rawin -in manifest.json -sigfile {signature}"
    padding = " -sigopt rsa_padding_mode:pss" if algorithm.startswith("RSA") else ""
    digest = f"-sha{algorithm[-3:]}"
    return f"openssl dgst {digest} -verify {key}{padding} -signature {signature} manifest.json"
