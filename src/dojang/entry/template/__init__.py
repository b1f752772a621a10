"""Writes what AWS needs to be told: a whole SAM application, or a policy for a function of one's own."""

from __future__ import annotations

from dojang.entry.template.application import application
from dojang.entry.template.permissions import Resources, Statement, migrating, policy, running

__all__ = ["Resources", "Statement", "application", "migrating", "policy", "running"]
