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

from typing import ClassVar

from dojang.emulator.access import Access
from dojang.emulator.billing import Billing, Charge, Issuance
from dojang.emulator.identity import Identity, Person
from dojang.emulator.papers import Papers
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.rules import Keys, Rules
from dojang.emulator.tampering import Tampering
from dojang.emulator.windows import Checkout

__all__ = ["Charge", "Checkout", "Issuance", "Keys", "Ledger", "LedgerRefusal", "Person", "Rules"]


class Ledger(Tampering, Billing, Identity, Papers, Access):
    """Bootpay's account of everything: payments, keys to charge, people identified, tokens, notifications owed."""

    DUE: ClassVar[dict[str, str]] = Billing.DUE
