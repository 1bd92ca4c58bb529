"""Many environments in one command: which are meant, in which order, and what came of each.

Pure: no AWS, no Terraform, nothing printed. The commands of one environment do the work, each in a process of its own.
"""
