"""The embedded AWS: a moto server on 127.0.0.1 that real Terraform and boto3 talk to instead of AWS.

In: a folder for its state. Out: a running server, and the environment that points child processes at it. Sole
importer of moto, and only inside the server process (`python -m toolkit.sandbox.server`): whoever imports
`toolkit.sandbox.control` pays nothing for it. Linux and macOS; Windows has no flock and is not supported.
"""
