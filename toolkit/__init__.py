"""Gives an AWS account its security baseline with Terraform that people can read."""

__version__ = "0.1.0"
