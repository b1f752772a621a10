"""What each error code of Bootpay means, and what to do about it, in Korean and English.

Generation 2 answers upper-case strings; its support texts also name numbers, so both are here as text. Codes that
only an early draft mentioned are left out. Whether a code leaves the outcome unknown decides if money may have moved.
"""

from __future__ import annotations

import msgspec

__all__ = ["ERRORS", "PG_ERRORS", "ErrorEntry", "leaves_outcome_unknown", "look_up"]


class ErrorEntry(msgspec.Struct, frozen=True):
    """One code.

    Attributes:
        cause_ko: Why it happens, in Korean.
        cause_en: Why it happens, in English.
        cure_ko: What to do, in Korean.
        cure_en: What to do, in English.
        retryable: Whether the very same call may succeed later without anybody changing anything.
        outcome_unknown: Whether money may have moved although an error was answered.
    """

    cause_ko: str
    cause_en: str
    cure_ko: str
    cure_en: str
    retryable: bool = False
    outcome_unknown: bool = False


ERRORS: dict[str, ErrorEntry] = {
    # --- credentials -------------------------------------------------------------------------------------------
    "APP_KEY_NOT_FOUND": ErrorEntry(
        "클라이언트 키(또는 REST 애플리케이션 ID)를 찾을 수 없습니다.",
        "The client key (or REST application id) is unknown.",
        "부트페이 관리자의 연동키를 다시 확인하세요. 도메인·IP 등록과는 관계없습니다.",
        "Copy the key again from Bootpay's admin; domain and IP settings have nothing to do with it.",
    ),
    "APP_KEY_NOT_REST": ErrorEntry(
        "REST용이 아닌 다른 플랫폼(웹·안드로이드·iOS)의 애플리케이션 ID입니다.",
        "This application id belongs to another platform (web, Android, iOS), not to REST.",
        "관리자에서 REST API용 애플리케이션 ID를 사용하세요.",
        "Use the application id that the admin lists for the REST API.",
    ),
    "APP_SK_NOT_MATCHED": ErrorEntry(
        "시크릿 키(또는 private key)가 일치하지 않습니다.",
        "The secret key (or private key) is wrong.",
        "시크릿 키는 발급 시 한 번만 표시됩니다. 잃어버렸다면 새로 발급하세요.",
        "A secret key is shown once, when it is made: if it is lost, issue a new one.",
    ),
    "TOKEN_KEY_INVALID": ErrorEntry(
        "인증이 거부되었습니다. 토큰이 없거나 만료되었거나, 이 API가 Basic 인증을 받지 않습니다.",
        "The credentials were refused: the token is missing or expired, or this endpoint does not take Basic keys.",
        "토큰을 다시 발급받으세요. 일부 API는 application_id와 private_key로 받은 토큰이 필요합니다.",
        "Ask for a new token; some endpoints need one, bought with application_id and private_key.",
    ),
    "-2410": ErrorEntry(
        "애플리케이션을 찾을 수 없습니다.",
        "The application was not found.",
        "REST 애플리케이션 ID인지, 서버 IP가 허용되어 있는지 확인하세요.",
        "Check that it is the REST application id, and that this server's IP is allowed.",
    ),
    "-100": ErrorEntry(
        "애플리케이션 ID가 올바르지 않습니다.",
        "The application id is not valid.",
        "관리자의 REST 애플리케이션 ID를 다시 확인하세요.",
        "Copy the REST application id again from Bootpay's admin.",
    ),
    "-101": ErrorEntry(
        "인증 정보의 한 쌍이 완전하지 않습니다.",
        "A pair of credentials is incomplete.",
        "client_key와 secret_key, 또는 application_id와 private_key를 함께 지정하세요.",
        "Give client_key with secret_key, or application_id with private_key.",
    ),
    "-200": ErrorEntry(
        "토큰이 만료되었습니다.",
        "The token has expired.",
        "토큰을 다시 발급받으세요.",
        "Ask for a new token.",
    ),
    # --- payments ----------------------------------------------------------------------------------------------
    "RC_NOT_FOUND": ErrorEntry(
        "영수증이 없거나 다른 프로젝트의 영수증입니다.",
        "The receipt is unknown, or belongs to another project (live and sandbox keys are different projects).",
        "receipt_id와, 결제창과 서버가 같은 프로젝트의 키를 쓰는지 확인하세요.",
        "Check the receipt id, and that the payment window and the server use keys of the same project.",
    ),
    "RC_NOT_CONFIRM_READY": ErrorEntry(
        "승인 대기 상태(2)가 아닙니다. 이미 승인된 결제일 수도 있습니다.",
        "The receipt does not wait for approval (status 2); it may already be approved.",
        "실패로 처리하기 전에 영수증을 조회하세요.",
        "Look the receipt up before calling this a failure.",
    ),
    "RC_CONFIRM_FAILED": ErrorEntry(
        "PG사가 승인을 거절했습니다(한도 초과, 만료·분실 카드, 잔액 부족, 휴대폰 결제 차단 등).",
        "The payment gateway declined the approval: limit, expired or lost card, balance, blocked phone billing.",
        "구매자에게 다른 결제수단을 안내하세요.",
        "Ask the buyer for another way to pay.",
    ),
    "RC_CONFIRM_CRITICAL_FAILED": ErrorEntry(
        "승인 중 PG사와의 통신에 문제가 생겨 결과를 알 수 없습니다.",
        "Bootpay lost the payment gateway during the approval: money may have moved.",
        "다시 승인하지 말고 영수증을 조회하세요.",
        "Do not confirm again: look the receipt up.",
        outcome_unknown=True,
    ),
    "RC_ALREADY_CANCELLED": ErrorEntry(
        "이미 전액 취소된 결제입니다.",
        "The payment has already been cancelled in full.",
        "전액 취소가 목적이었다면 이미 이루어졌습니다.",
        "If a full cancel was wanted, it is done.",
    ),
    "RC_CANCEL_SERVER_ERROR": ErrorEntry(
        "PG사가 취소를 거절했거나 취소 요청이 잘못되었습니다"
        "(취소 가능 금액 초과, 부분취소 불가, 미정산 잔액 부족, 환불계좌 오류 등).",
        "The gateway refused the cancel, or it was malformed: too much, no partial cancels, unsettled balance too "
        "small, refund account missing or wrong, gateway overloaded.",
        "메시지와 PG 코드를 확인하고, 영수증의 cancelled_price를 조회한 뒤 같은 cancel_id로 다시 시도하세요.",
        "Read the message and the PG code, compare the receipt's cancelled_price, then try again with the same "
        "cancel_id.",
        retryable=True,
    ),
    "RC_CANCEL_CRITICAL_ERROR": ErrorEntry(
        "취소 중 PG사와의 통신에 문제가 생겨 결과를 알 수 없습니다.",
        "Bootpay lost the payment gateway during the cancel: money may have gone back.",
        "다시 취소하지 말고 영수증의 cancelled_price를 조회하세요.",
        "Do not cancel again: look the receipt up and compare cancelled_price.",
        outcome_unknown=True,
    ),
    "1204": ErrorEntry(
        "PG사 오류입니다.",
        "The payment gateway had trouble.",
        "영수증을 조회한 뒤 다시 시도하세요.",
        "Look the receipt up, then try again.",
        retryable=True,
    ),
    "1700": ErrorEntry(
        "결제 오류입니다.",
        "The payment failed.",
        "메시지를 확인하고 영수증을 조회하세요.",
        "Read the message and look the receipt up.",
    ),
    "3708": ErrorEntry(
        "이미 취소된 결제입니다.",
        "The payment has already been cancelled.",
        "전액 취소가 목적이었다면 이미 이루어졌습니다.",
        "If a full cancel was wanted, it is done.",
    ),
    "3710": ErrorEntry(
        "취소 금액이 취소 가능한 금액보다 큽니다.",
        "More was to be cancelled than is left.",
        "영수증의 price와 cancelled_price를 비교하세요.",
        "Compare price and cancelled_price of the receipt.",
    ),
    "-15006": ErrorEntry(
        "PG사가 결제를 거절했습니다.",
        "The payment gateway declined.",
        "메시지를 확인하고 영수증을 조회하세요.",
        "Read the message and look the receipt up.",
    ),
    # --- billing keys ------------------------------------------------------------------------------------------
    "RC_NOT_SUBSCRIBE": ErrorEntry(
        "빌링키 발급 건이 아닌 영수증입니다.",
        "This receipt is no issuance of a billing key.",
        "정기결제 창에서 받은 receipt_id를 사용하세요.",
        "Use the receipt id that the subscription window gave.",
    ),
    "SUBSCRIBE_BK_EXPIRED": ErrorEntry(
        "빌링키가 만료되었거나 삭제되었습니다.",
        "The billing key has expired or was destroyed.",
        "구매자에게 결제수단을 다시 등록하도록 안내하세요.",
        "Ask the buyer to register a way to pay again.",
    ),
    "SUBSCRIBE_PUBLISH_NOT_READY": ErrorEntry(
        "출금 동의 대기 상태(41)가 아닙니다.",
        "The issuance does not wait for publishing (status 41): too early or too late.",
        "구매자의 동의가 끝난 뒤 한 번만 호출하세요.",
        "Call this once, after the buyer has consented.",
    ),
    "SUBSCRIBE_AT_LOOKUP_USER_FAILED": ErrorEntry(
        "예금주 확인에 실패했습니다.",
        "The account holder does not match.",
        "은행, 계좌번호, 예금주, 생년월일(사업자번호)을 다시 확인하세요.",
        "Check bank, account number, holder, and birth date or business number.",
    ),
    "RC_INVALID_EXP_MONTH": ErrorEntry(
        "카드 유효기간(월)이 올바르지 않습니다.",
        "The card's expiry month is wrong.",
        "01부터 12까지 두 자리로 입력하세요.",
        "Give two digits, 01 to 12.",
    ),
    # --- escrow, cash receipts ---------------------------------------------------------------------------------
    "RC_NOT_ESCROW": ErrorEntry(
        "에스크로 결제가 아닙니다.",
        "The payment is not in escrow.",
        "에스크로로 결제된 영수증에만 배송을 등록하세요.",
        "Register deliveries of escrow payments only.",
    ),
    "RC_CASH_RECEIPT_FAILED": ErrorEntry(
        "현금영수증 발행에 실패했습니다.",
        "The cash receipt was refused.",
        "식별번호와 PG사의 현금영수증 설정을 확인하세요.",
        "Check the identity number, and the cash receipt settings at the gateway.",
    ),
    # --- identity checks ---------------------------------------------------------------------------------------
    "AUTH_EXPIRED": ErrorEntry(
        "본인인증 유효시간(30분)이 지났습니다.",
        "The identity check is older than 30 minutes.",
        "본인인증을 처음부터 다시 진행하세요.",
        "Begin the identity check again.",
    ),
    "AUTH_NOT_READY": ErrorEntry(
        "인증번호를 다시 보낼 수 있는 상태가 아닙니다.",
        "No text message is awaited, or it is too early to send another.",
        "본인인증을 다시 요청하세요.",
        "Begin the identity check again.",
    ),
    "AUTH_CONFIRM_READY_FAILED": ErrorEntry(
        "통신사 또는 개인정보가 일치하지 않습니다.",
        "The carrier or the personal data do not match.",
        "이름, 생년월일, 통신사, 전화번호를 다시 확인하세요.",
        "Check name, birth date, carrier and phone number.",
    ),
    "AUTH_NEED_PG_METHOD": ErrorEntry(
        "PG사 또는 결제수단이 지정되지 않았습니다.",
        "pg or method is missing.",
        "pg와 method를 지정하세요.",
        "Give pg and method.",
    ),
    "AUTH_ALREADY_AUTHENTICATED": ErrorEntry(
        "이미 인증이 끝난 authentication_id입니다.",
        "This authentication_id is already done.",
        "새 authentication_id를 사용하세요.",
        "Use a new authentication_id.",
    ),
    "AUTH_NOT_CONFIRMED": ErrorEntry(
        "아직 확인되지 않은 본인인증입니다.",
        "The identity check has not been confirmed yet.",
        "인증 확인을 먼저 호출하세요.",
        "Confirm the check first.",
    ),
}
"""Every documented code, as text."""

PG_ERRORS: dict[str, tuple[str, str]] = {
    "8012": (
        "KCP: 상점관리자에 부트페이 IP(223.130.82.4, 223.130.82.130, 223.130.82.131)를 등록하세요.",
        "KCP: register Bootpay's addresses 223.130.82.4, 223.130.82.130 and 223.130.82.131 in the KCP console.",
    ),
    "5209": ("KCP: 정기결제 그룹 ID 설정을 확인하세요.", "KCP: check the batch group id."),
    "8107": ("KCP: 요청 형식이 올바르지 않습니다.", "KCP: the request's format is wrong."),
    "9003": (
        "나이스페이: 요청이 몰렸습니다. 잠시 후 다시 시도하세요.",
        "NICEPAY: overloaded, try again in a while.",
    ),
    "CC84": ("나이스페이: 정기결제 계약이 필요합니다.", "NICEPAY: billing is not enabled in the contract."),
    "1651": ("나이스페이: 중복된 거래번호입니다.", "NICEPAY: duplicate transaction id."),
    "3041": ("나이스페이: 결제 금액이 100원 미만입니다.", "NICEPAY: the amount is below 100 won."),
    "3143": ("카드사에 문의해야 합니다.", "The buyer must ask the card company."),
    "70020": ("카드 비밀번호를 확인하세요.", "Check the card's password."),
    "-723": (
        "카카오페이: 승인 시간이 지났습니다. 다시 결제하세요.",
        "KakaoPay: the order has expired, pay again.",
    ),
}
"""What a gateway's own code means, Korean and English, where Bootpay's documents say."""

_NOTHING = ErrorEntry("", "", "", "")


def look_up(code: str, pg_code: str | None = None) -> ErrorEntry:
    """Cause and cure of a code, sharpened by the gateway's own code where we know it; empty for unknown codes."""
    entry = ERRORS.get(code, _NOTHING)
    hint = PG_ERRORS.get(pg_code or "")
    if hint is None:
        return entry
    return ErrorEntry(
        entry.cause_ko,
        entry.cause_en,
        f"{hint[0]} {entry.cure_ko}".strip(),
        f"{hint[1]} {entry.cure_en}".strip(),
        entry.retryable,
        entry.outcome_unknown,
    )


def leaves_outcome_unknown(code: str) -> bool:
    """Whether a code says that Bootpay itself does not know, also for codes of that kind yet to be invented."""
    entry = ERRORS.get(code)
    return "_CRITICAL_" in code or code.endswith("_CRITICAL") or (entry is not None and entry.outcome_unknown)
