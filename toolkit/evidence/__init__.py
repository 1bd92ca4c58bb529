"""Evidence packs: what an audit said and what AWS had answered, in one file that anybody can check offline.

In: facts, reports, a key. Out: a zip file (0600) with a manifest of SHA-256 and a detached signature; and back, the
very file that was changed. Calls no AWS: `toolkit.workflows.evidence` audits and asks KMS.

docs/evidence.md describes the format, for auditors and for other programs.
"""
