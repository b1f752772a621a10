"""A pretend Bootpay: the pure ledger, its HTTP face, and the controls of whoever runs it.

Nothing is imported here, so that the ledger alone costs nothing but itself.
"""
