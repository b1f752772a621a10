"""Schemas and named queries, one set per database."""
