"""What travels: the bodies that are read and written, as types. The OpenAPI document is made from these.

Amounts are in major units, as Bootpay and every shop writes them: 3000 won, 19.99 dollars.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

__all__ = [
    "Acknowledged",
    "CancelOrder",
    "NewOrder",
    "ReconcileOrders",
    "RefundAccount",
    "ResolveOrder",
    "ShownAccount",
    "ShownCancel",
    "ShownChange",
    "ShownDelivery",
    "ShownError",
    "ShownEvent",
    "ShownHealth",
    "ShownHistory",
    "ShownOrder",
    "ShownOrderInFull",
    "ShownOrders",
    "ShownPending",
    "ShownReadiness",
    "ShownReceipt",
    "ShownRegistration",
    "ShownReport",
    "ShownState",
    "ShownVerification",
    "State",
    "VerifyRequest",
    "WebhookHint",
]

State = Literal[
    "open", "awaiting_deposit", "pending", "paid", "partially_cancelled", "cancelled", "expired", "attention"
]
"""The words users see for a payment's state."""

_ORDER_ID = {"pattern": r"^[A-Za-z0-9._~:-]{1,64}$", "minLength": 1, "maxLength": 64}
_RECEIPT_ID = {"pattern": r"^[0-9a-fA-F]{24}$"}
_METADATA_TEXT = {"maxLength": 500}
# Every store's cursor is the microseconds of the last order's creation and its id.
CURSOR_PATTERN = r"^[0-9]{1,18}-[A-Za-z0-9._~:-]{1,64}$"

# Grammar and bounds are the core's to check, in its own words; here they are only written down for readers.
OrderIdText = Annotated[str, msgspec.Meta(extra_json_schema=_ORDER_ID)]
ReceiptIdText = Annotated[str, msgspec.Meta(extra_json_schema=_RECEIPT_ID)]
# Plain digits, fewer than any decimal arithmetic would round.
DIGITS_PATTERN = r"^[0-9]{1,16}(\.[0-9]{1,6})?$"
Digits = Annotated[str, msgspec.Meta(pattern=DIGITS_PATTERN)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Metadata = dict[
    str, Annotated[str, msgspec.Meta(extra_json_schema=_METADATA_TEXT)] | int | float | bool | None
]


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of an order, fixed before checkout."""

    order_id: OrderIdText
    price: Annotated[
        int | float | Digits,
        msgspec.Meta(description='In major units, exact: 3000, 3000.0 and "3000" are the same amount.'),
    ]
    name: Annotated[
        str,
        msgspec.Meta(
            description="What the buyer sees: printable, not blank.",
            extra_json_schema={"minLength": 1, "maxLength": 200},
        ),
    ]
    currency: Literal["KRW", "USD"] = "KRW"
    tax_free: Annotated[
        int | float | Digits,
        msgspec.Meta(description="The non-taxable part of price, in the same units; never more than price."),
    ] = 0
    expires_at: Annotated[
        Moment | None, msgspec.Meta(description="Money after this moment is late. Null: never.")
    ] = None
    metadata: Annotated[
        Metadata,
        msgspec.Meta(
            description="Small and flat; handed back with every delivery, never interpreted.",
            extra_json_schema={"maxProperties": 50, "propertyNames": {"maxLength": 500}},
        ),
    ] = {}


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser or app brought back from checkout. It proves nothing by itself."""

    receipt_id: ReceiptIdText


class RefundAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the money of a virtual account goes back to. Used once, stored nowhere."""

    bank_code: Annotated[
        str, msgspec.Meta(description="Three digits.", extra_json_schema={"pattern": "^[0-9]{3}$"})
    ]
    bank_account: Annotated[
        str,
        msgspec.Meta(
            description="Digits and dashes.", extra_json_schema={"pattern": "^[0-9](-?[0-9]){0,29}$"}
        ),
    ]
    bank_username: Annotated[
        str,
        msgspec.Meta(
            description="In whose name the account is.", extra_json_schema={"minLength": 1, "maxLength": 60}
        ),
    ]

    def __repr__(self) -> str:
        return "RefundAccount(…)"


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All or part of a payment is to go back."""

    reason: Annotated[
        str,
        msgspec.Meta(
            description="Why: kept in the history and shown in Bootpay's admin.",
            extra_json_schema={"minLength": 1, "maxLength": 300},
        ),
    ]
    amount: Annotated[
        int | float | Digits | None,
        msgspec.Meta(description="In the order's currency, major units, exact. Null: all that remains."),
    ] = None
    tax_free: Annotated[
        int | float | Digits | None,
        msgspec.Meta(
            description="The non-taxable part of amount; needed for a part of an order that has such a part."
        ),
    ] = None
    refund_account: Annotated[
        RefundAccount | None, msgspec.Meta(description="Needed where a virtual account was paid into.")
    ] = None
    expected_remaining: Annotated[
        int | float | Digits | None,
        msgspec.Meta(description="If given: nothing is done unless exactly this remains before the cancel."),
    ] = None


class ResolveOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's decision on an order in attention, or on money that is held."""

    decision: Annotated[
        Literal["accept", "return", "dismiss", "look_again"],
        msgspec.Meta(
            description=(
                "accept: the held money pays for the order. return: it goes back. dismiss: nothing is to be done, the "
                "order goes on where it was. look_again: decide nothing, read a receipt at Bootpay now."
            )
        ),
    ]
    who: Annotated[
        str,
        msgspec.Meta(
            description="Whose decision it is; goes into the history.",
            extra_json_schema={"minLength": 1, "maxLength": 100},
        ),
    ]
    reason: Annotated[
        str,
        msgspec.Meta(
            description="Why; goes into the history. Needed for every decision, but not to look again.",
            extra_json_schema={"maxLength": 300},
        ),
    ] = ""
    receipt_id: Annotated[
        ReceiptIdText | None,
        msgspec.Meta(
            description=(
                "Which receipt; needed where more than one waits for a decision. look_again reads by default the one "
                "that the order hangs on, else the one that is held."
            )
        ),
    ] = None


class ReconcileOrders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be compared with Bootpay."""

    all: Annotated[
        bool | msgspec.UnsetType, msgspec.Meta(description="Every order, due or not; false if left out.")
    ] = msgspec.UNSET
    everything: Annotated[bool | msgspec.UnsetType, msgspec.Meta(description="Another word for all.")] = (
        msgspec.UNSET
    )
    limit: Annotated[
        int, msgspec.Meta(ge=1, le=1000, description="At most so many orders that are due, and webhooks.")
    ] = 100
    cursor: Annotated[
        str | None,
        msgspec.Meta(
            description="With all: `next_cursor` of the report before.",
            extra_json_schema={"pattern": CURSOR_PATTERN},
        ),
    ] = None


class ShownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual account to pay into."""

    bank_name: str
    bank_code: str
    number: str
    holder: str
    expires_at: Moment | None


class ShownReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt of an order and what it is to it."""

    receipt_id: ReceiptIdText
    fate: Annotated[
        Literal[
            "pays", "confirming", "awaiting_deposit", "refused", "set_aside", "owed_back", "held", "returned"
        ],
        msgspec.Meta(description="pays: its money is the order's price. The others do not count as payment."),
    ]
    price: int | float
    currency: str
    reason: str


class ShownDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something the shop is or was owed."""

    id: str
    order_id: OrderIdText
    type: str
    lane: Literal["notice", "money_back"]
    state: Literal["due", "settled", "dead"]
    attempts: int
    due_at: Moment | None
    settled_at: Moment | None
    last_error: str


class ShownQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person must decide."""

    reason: str
    receipt_id: Annotated[
        ReceiptIdText | None, msgspec.Meta(description="Which receipt; null: the order as a whole.")
    ]
    detail: str
    detail_ko: str


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order's terms and where its payment stands."""

    order_id: OrderIdText
    state: State
    price: int | float
    currency: str
    tax_free: int | float
    name: str
    cancelled: Annotated[int | float, msgspec.Meta(description="What went back, running total.")]
    remaining: Annotated[int | float, msgspec.Meta(description="What the shop still has of the price.")]
    expires_at: Moment | None
    created_at: Moment
    metadata: Metadata
    version: int
    receipt_id: ReceiptIdText | None
    paid_at: Moment | None
    account: ShownAccount | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[
        str | msgspec.UnsetType, msgspec.Meta(description="Why a person was first called (attention only).")
    ] = msgspec.UNSET
    questions: Annotated[
        list[ShownQuestion] | msgspec.UnsetType,
        msgspec.Meta(description="All that a person must decide, the oldest first (attention only)."),
    ] = msgspec.UNSET


class ShownRegistration(ShownOrder, frozen=True, kw_only=True):
    """An order just registered, or registered before."""

    detail: Annotated[
        str | msgspec.UnsetType,
        msgspec.Meta(description="Only where expires_at has passed already: what that means."),
    ] = msgspec.UNSET
    detail_ko: str | msgspec.UnsetType = msgspec.UNSET


class ShownOrderInFull(ShownOrder, frozen=True, kw_only=True):
    """An order with its receipts and everything owed for it."""

    receipts: list[ShownReceipt]
    deliveries: list[ShownDelivery]


class ShownOrders(msgspec.Struct, frozen=True, kw_only=True):
    """A page of orders, newest first."""

    orders: list[ShownOrder]
    next_cursor: str | None


class ShownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step in an order's history; more fields tell what the step was about."""

    version: int
    at: Moment
    what: str
    who: str


class ShownHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All steps of an order, oldest first."""

    events: list[ShownEvent]


class ShownState(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order stands, and nothing else: anybody may ask."""

    order_id: OrderIdText
    state: State


class ShownVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt counts: the order is paid, or its virtual account awaits the deposit."""

    order_id: OrderIdText
    state: Literal["paid", "awaiting_deposit"]
    receipt_id: ReceiptIdText
    price: int | float
    currency: str
    replayed: Annotated[bool, msgspec.Meta(description="True where an earlier answer is repeated.")]
    account: ShownAccount | msgspec.UnsetType = msgspec.UNSET


class ShownPending(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is decided yet: ask again after the seconds in Retry-After."""

    order_id: OrderIdText
    state: Literal["pending"] = "pending"


class ShownCancel(msgspec.Struct, frozen=True, kw_only=True):
    """Money goes back. Asked again under the same key, the same is told, whatever is cancelled later."""

    order_id: OrderIdText
    state: Annotated[
        Literal["partially_cancelled", "cancelled"], msgspec.Meta(description="As it was after this cancel.")
    ]
    amount: Annotated[int | float, msgspec.Meta(description="What this cancel was about.")]
    tax_free: Annotated[int | float, msgspec.Meta(description="The non-taxable part of it.")]
    cancelled: Annotated[int | float, msgspec.Meta(description="Running total after this cancel.")]
    remaining: Annotated[int | float, msgspec.Meta(description="What was left after this cancel.")]
    currency: str


class ShownChange(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a check changed."""

    order_id: OrderIdText
    before: State
    after: State
    drift: Annotated[
        bool,
        msgspec.Meta(
            description="Whether Bootpay knew what was not on file, be it that its webhook waits to be looked into."
        ),
    ]


class ShownError(msgspec.Struct, frozen=True, kw_only=True):
    """An order or receipt that could not be checked now and will be again."""

    id: str
    why: str


class ShownReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation did."""

    checked: Annotated[
        int, msgspec.Meta(description="Orders looked at; those that could not be are in errors.")
    ]
    notices: Annotated[int, msgspec.Meta(description="Webhooks looked into, counted likewise.")]
    calls: Annotated[int, msgspec.Meta(description="Questions to Bootpay.")]
    changes: list[ShownChange]
    drift: Annotated[list[ShownChange], msgspec.Meta(description="Those of the changes that are drift.")]
    errors: list[ShownError]
    more: Annotated[
        bool, msgspec.Meta(description="The run ended by its limit or its time: ask again for the rest.")
    ]
    next_cursor: Annotated[str | None, msgspec.Meta(description="With all: what to send as cursor to go on.")]
    detail: Annotated[
        str | msgspec.UnsetType, msgspec.Meta(description="Only where nothing was due: what that means.")
    ] = msgspec.UNSET
    detail_ko: str | msgspec.UnsetType = msgspec.UNSET


class ShownHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The process lives."""

    status: Literal["ok"] = "ok"


class ShownReadiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the process can serve."""

    status: Literal["ready", "not_ready"]


class WebhookHint(msgspec.Struct, frozen=True, kw_only=True):
    """All that a webhook must have. Its other fields are Bootpay's, read leniently, and nothing in it is believed."""

    receipt_id: ReceiptIdText


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook is kept and need not be sent again."""

    success: Annotated[bool, msgspec.Meta(extra_json_schema={"const": True})] = True
