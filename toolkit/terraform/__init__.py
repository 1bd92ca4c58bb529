"""Runs Terraform or OpenTofu: finds the binary and its providers, starts it, follows it, explains how it failed.

In: a rendered root folder and a complete environment for the child. Out: typed events while it runs, typed outcomes
and errors when it has ended. Sole importer of python_terraform, which builds the argument vectors; execution is ours
(`process`), because that library reads Terraform through pipes and kills it when Python dies. Never prints, never
reads AWS. Linux and macOS; Windows has neither process groups nor flock and is not supported.
"""
