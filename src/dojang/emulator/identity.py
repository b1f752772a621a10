"""Checking who somebody is: 50 while it is asked, 12 when it is known, and all within half an hour."""

from __future__ import annotations

import re

import msgspec

from dojang.emulator.books import Json, Receipt
from dojang.emulator.faces import iso, method_words, pg_words
from dojang.emulator.payments import Payments
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.words import STATUS_LOCALES, pg_alias

__all__ = ["CARRIERS", "WRONG_OTP", "Identity", "Person"]

CARRIERS = frozenset({"SKT", "KT", "LGU+", "SKT_MVNO", "KT_MVNO", "LGU+_MVNO"})
"""The telephone companies that can identify somebody."""

WRONG_OTP = "000000"
"""The one-time password that is always wrong; any other six digits are right."""


class Person(msgspec.Struct, kw_only=True):
    """Whom to identify, and how."""

    pg: str
    method: str
    authentication_id: str
    username: str
    identity_no: str
    carrier: str
    phone: str
    order_name: str = ""
    how: str = "sms"  # sms | pass
    metadata: object = None


class Identity(Payments):
    """The books' identity checks."""

    def request_authentication(self, person: Person) -> Receipt:
        """Begin a check: 50.

        Raises:
            LedgerRefusal: `AUTH_NEED_PG_METHOD`, `AUTH_ALREADY_AUTHENTICATED`, or `AUTH_CONFIRM_READY_FAILED`
                for data that belong to nobody.
        """
        self.tick()
        if not person.pg or not person.method:
            raise LedgerRefusal("AUTH_NEED_PG_METHOD")
        earlier = (self.state.receipts[id_] for id_ in self.state.by_order.get(person.authentication_id, ()))
        if any(receipt.kind == "identity" and receipt.status == 12 for receipt in earlier):
            raise LedgerRefusal("AUTH_ALREADY_AUTHENTICATED")
        plausible = (
            person.authentication_id
            and person.username
            and re.fullmatch("[0-9]{6,7}", person.identity_no)
            and re.fullmatch("01[0-9]{8,9}", person.phone.replace("-", ""))
            and person.carrier in CARRIERS
        )
        if not plausible:
            raise LedgerRefusal("AUTH_CONFIRM_READY_FAILED")
        return self._record(
            Receipt(
                receipt_id=self.new_id(),
                order_id=person.authentication_id,
                price=0,
                order_name=person.order_name,
                requested_at=self.now(),
                kind="identity",
                status=50,
                pg=pg_alias(person.pg) or person.pg,
                method="auth",
                method_origin="auth",
                metadata={} if person.metadata is None else person.metadata,
                authentication={
                    "name": person.username,
                    "phone": person.phone.replace("-", ""),
                    "birth": _birth(person.identity_no),
                    "gender": _gender(person.identity_no),
                    "carrier": person.carrier,
                    "how": person.how,
                    "number_of_realarms": 0,
                    "tid": self.new_digits(18),
                },
            )
        )

    def approve(self, receipt_id: str) -> Receipt:
        """The buyer agrees; a window for an identity check is done with it."""
        receipt = self.find(receipt_id)
        if receipt.kind != "identity":
            return super().approve(receipt_id)
        self.tick()
        self._waiting(receipt, "INVALID_REQUEST_PARAMS")
        self._known(receipt)
        return receipt

    def confirm_authentication(self, receipt_id: str, otp: str) -> Receipt:
        """The person typed the one-time password (or agreed in the PASS app): 12.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `AUTH_EXPIRED`, `AUTH_ALREADY_AUTHENTICATED`, or
                `AUTH_CONFIRM_READY_FAILED` for a wrong password.
        """
        self.tick()
        receipt = self.find(receipt_id)
        asked = self._waiting(receipt, "AUTH_ALREADY_AUTHENTICATED")
        if asked.get("how") != "pass" and (not re.fullmatch("[0-9]{6}", otp) or otp == WRONG_OTP):
            raise LedgerRefusal("AUTH_CONFIRM_READY_FAILED", "인증번호가 일치하지 않습니다.")
        self._known(receipt)
        return receipt

    def realarm(self, receipt_id: str) -> Receipt:
        """Send the one-time password again.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `AUTH_EXPIRED`, or `AUTH_NOT_READY` when none is awaited.
        """
        self.tick()
        receipt = self.find(receipt_id)
        asked = self._waiting(receipt, "AUTH_NOT_READY")
        if asked.get("how") == "pass":
            raise LedgerRefusal("AUTH_NOT_READY")
        sent = asked.get("number_of_realarms")
        receipt.authentication = asked | {"number_of_realarms": (sent if isinstance(sent, int) else 0) + 1}
        self.changes += 1
        return receipt

    def certificate(self, receipt_id: str) -> Receipt:
        """A finished check, as long as its result may be read.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `AUTH_NOT_CONFIRMED` or `AUTH_EXPIRED`.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.kind != "identity" or receipt.status != 12 or receipt.purchased_at is None:
            raise LedgerRefusal("AUTH_NOT_CONFIRMED")
        if self.now() > receipt.purchased_at + self.rules.identity_window_s:
            raise LedgerRefusal("AUTH_EXPIRED")
        return receipt

    def _waiting(self, receipt: Receipt, otherwise: str) -> Json:
        if receipt.kind != "identity" or receipt.status != 50 or receipt.authentication is None:
            raise LedgerRefusal(otherwise)
        if self.now() > receipt.requested_at + self.rules.identity_window_s:
            raise LedgerRefusal("AUTH_EXPIRED")
        return receipt.authentication

    def _known(self, receipt: Receipt) -> None:
        receipt.status = 12
        receipt.purchased_at = self.now()
        unique = f"DI{self.new_digits(16)}"
        receipt.authentication = (receipt.authentication or {}) | {"unique": unique, "foreigner": 0}
        self.changes += 1

    def certificate_view(self, receipt: Receipt) -> Json:
        """A check as the second generation shows it; the person only once known."""
        asked = receipt.authentication or {}
        fields = ("name", "phone", "unique", "birth", "gender", "foreigner", "carrier")
        known = {field: asked.get(field) for field in fields} if receipt.status == 12 else {}
        method = method_words(receipt.method)
        view: Json = {
            "receipt_id": receipt.receipt_id,
            "authenticate_id": receipt.order_id,
            "pg": pg_words(receipt).label,
            "method": method.label,
            "method_origin": method.label,
            "method_origin_symbol": receipt.method_origin,
        }
        if receipt.purchased_at is not None:
            view["authenticated_at"] = iso(receipt.purchased_at)
        return view | {
            "requested_at": iso(receipt.requested_at),
            "status": receipt.status,
            "status_locale": STATUS_LOCALES.get(receipt.status, ""),
            "authenticate_data": known
            | {"number_of_realarms": asked.get("number_of_realarms", 0), "tid": asked.get("tid", "")},
        }


def _birth(identity_no: str) -> str:
    """The date of birth in a resident number's first six or seven digits."""
    year = int(identity_no[:2])
    recent = identity_no[6] in "3478" if len(identity_no) == 7 else year <= 26
    century = 2000 if recent else 1900
    return f"{century + year}-{identity_no[2:4]}-{identity_no[4:6]}"


def _gender(identity_no: str) -> int:
    """1 for men, 0 for women, from the seventh digit; 1 where it is not given."""
    return int(identity_no[6]) % 2 if len(identity_no) == 7 else 1
