"""Terraform's plan as typed facts. Pure: JSON in, frozen models out."""
