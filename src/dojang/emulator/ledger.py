"""The pretend Bootpay without its wires: every rule it follows, and no waiting, reading or sending.

It serves the emulator's HTTP faces and stands in for Bootpay in simulations, thousands of runs a second:

    ledger = Ledger(seed=7)
    receipt = ledger.open_checkout(Checkout(order_id="o1", price=1000))
    ledger.approve(receipt.receipt_id)
    ledger.receipt(receipt.receipt_id)["status"]        # 1
    ledger.advance(3600)                                # and all that an hour brings

An answer is a value; a no is a `LedgerRefusal`.
"""

from __future__ import annotations

from dojang.emulator.access import Access
from dojang.emulator.payments import Checkout
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.rules import Keys, Rules
from dojang.emulator.tampering import Tampering

__all__ = ["Checkout", "Keys", "Ledger", "LedgerRefusal", "Rules"]


class Ledger(Tampering, Access):
    """Bootpay's account of everything: payments, keys to charge, people identified, tokens, notifications owed."""
