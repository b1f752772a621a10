"""Decides: pure functions over values. No await, no clock, no I/O, no globals."""
