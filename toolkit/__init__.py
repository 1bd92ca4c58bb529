"""Gives an AWS account its security baseline with readable Terraform."""

__version__ = "0.2.0"
