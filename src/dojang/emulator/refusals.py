"""How the pretend Bootpay says no: one exception, one table of what each code means on the wire.

The HTTP statuses and messages follow the facts known of production; the first generation answers with numbers
instead of names, so each code also carries its old status and number.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CODES", "Code", "LedgerRefusal"]


class Code(NamedTuple):
    """One error code: its HTTP status and words, and how the first generation puts it."""

    http_status: int
    message: str
    v1_status: int
    v1_code: int


CODES: dict[str, Code] = {
    "APP_KEY_NOT_FOUND": Code(401, "Application ID를 찾을 수 없습니다.", 401, -2410),
    "APP_KEY_NOT_REST": Code(401, "REST API용 Application ID가 아닙니다.", 401, -2410),
    "APP_SK_NOT_MATCHED": Code(401, "Private Key가 일치하지 않습니다.", 401, -1),
    "TOKEN_KEY_INVALID": Code(401, "Access Token이 올바르지 않습니다.", 401, -1),
    "RC_NOT_FOUND": Code(404, "영수증 정보를 찾을 수 없습니다.", 404, -1),
    "RC_NOT_CONFIRM_READY": Code(400, "승인 가능한 상태가 아닙니다.", 400, -1),
    "RC_CONFIRM_FAILED": Code(400, "카드 한도초과", 500, -15006),
    "RC_CONFIRM_CRITICAL_FAILED": Code(500, "PG사 승인 요청 중 오류가 발생하였습니다.", 500, -1),
    "RC_ALREADY_CANCELLED": Code(400, "이미 취소된 결제입니다.", 500, -1),
    "RC_CANCEL_SERVER_ERROR": Code(400, "취소 요청을 처리할 수 없습니다.", 400, -1),
    "RC_CANCEL_CRITICAL_ERROR": Code(500, "PG사 취소 요청 중 오류가 발생하였습니다.", 500, -1),
    "RC_CLOSE_WINDOW": Code(400, "사용자가 결제창을 닫았습니다.", 400, -1),
    "RC_NOT_SUBSCRIBE": Code(400, "빌링키 발급 건이 아닙니다.", 400, -1),
    "RC_INVALID_EXP_MONTH": Code(400, "카드 유효기간(월)이 올바르지 않습니다.", 400, -1),
    "RC_NOT_ESCROW": Code(400, "에스크로 결제가 아닙니다.", 400, -1),
    "RC_CASH_RECEIPT_FAILED": Code(400, "현금영수증 발행에 실패하였습니다.", 400, -1),
    "SUBSCRIBE_BK_EXPIRED": Code(400, "만료된 빌링키입니다.", 400, -1),
    "SUBSCRIBE_PUBLISH_NOT_READY": Code(400, "빌링키를 발급할 수 있는 상태가 아닙니다.", 400, -1),
    "SUBSCRIBE_AT_LOOKUP_USER_FAILED": Code(400, "예금주 정보가 일치하지 않습니다.", 400, -1),
    "AUTH_EXPIRED": Code(400, "본인인증 유효시간이 지났습니다.", 400, -1),
    "AUTH_NOT_READY": Code(400, "인증번호를 다시 보낼 수 있는 상태가 아닙니다.", 400, -1),
    "AUTH_CONFIRM_READY_FAILED": Code(400, "본인인증 정보가 일치하지 않습니다.", 400, -1),
    "AUTH_NEED_PG_METHOD": Code(400, "PG와 결제수단을 지정해야 합니다.", 400, -1),
    "AUTH_ALREADY_AUTHENTICATED": Code(400, "이미 완료된 본인인증입니다.", 400, -1),
    "AUTH_NOT_CONFIRMED": Code(400, "본인인증이 완료되지 않았습니다.", 400, -1),
    # Bootpay has no documented name for these two; the emulator needs one to answer with.
    "INVALID_REQUEST_PARAMS": Code(400, "요청 값이 올바르지 않습니다.", 400, -1),
    "NOT_FOUND": Code(404, "요청한 경로를 찾을 수 없습니다.", 404, -1),
}
"""Every code the pretend Bootpay answers with."""


class LedgerRefusal(Exception):
    """Bootpay's no to one request.

    Attributes:
        error_code: Bootpay's code of the second generation, such as `RC_NOT_FOUND`.
        http_status: The HTTP status it answers with.
        message: The words it answers with, in Korean as Bootpay's are.
        pg_error_code: The payment company's own code, where it was the one to refuse.
    """

    def __init__(
        self,
        error_code: str,
        message: str | None = None,
        *,
        http_status: int | None = None,
        pg_error_code: str | None = None,
    ) -> None:
        known = CODES.get(error_code, CODES["INVALID_REQUEST_PARAMS"])
        self.error_code = error_code
        self.message = message if message is not None else known.message
        self.http_status = http_status if http_status is not None else known.http_status
        self.pg_error_code = pg_error_code
        super().__init__(error_code, self.message)

    @property
    def v1_status(self) -> int:
        """The HTTP and envelope status of the first generation."""
        known = CODES.get(self.error_code)
        return known.v1_status if known is not None else self.http_status

    @property
    def v1_code(self) -> int:
        """The negative number that the first generation answers with."""
        known = CODES.get(self.error_code)
        return known.v1_code if known is not None else -1
