"""The doors: one translator per caller, their event in, our value out, and back. Process concerns only."""
