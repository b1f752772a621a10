"""What tests of payments need: a clock that moves when told, a pretend Bootpay, a pretend shop, the store's contract.

For users' own tests as well as ours; nothing else in dojang imports it.
"""

from __future__ import annotations

import sys

if "pytest" in sys.modules:
    # Before the import: then failing promises show their values, like any other test.
    sys.modules["pytest"].register_assert_rewrite("dojang.testing.store_contract")

from dojang.testing.pretend_bootpay import Fault, PretendBootpay
from dojang.testing.pretend_clock import PretendClock
from dojang.testing.pretend_shop import PretendShop
from dojang.testing.store_contract import StoreContract

__all__ = ["Fault", "PretendBootpay", "PretendClock", "PretendShop", "StoreContract"]
