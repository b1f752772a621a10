"""Keeps the ports' promises: stores, the way to Bootpay, the way to the shop."""
