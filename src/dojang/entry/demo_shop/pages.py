"""The shop's pages, in Korean or English."""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from dojang.entry.demo_shop.options import ShopOptions
from dojang.entry.demo_shop.verdict import Verdict

__all__ = ["STATIC", "Language", "Pages"]

Language = Literal["ko", "en"]
"""The languages the shop speaks."""

STATIC = {
    file.name: file.read_bytes()
    for file in resources.files("dojang.entry.demo_shop").joinpath("static").iterdir()
    if file.is_file()
}
"""The shop's own style and script; nothing is fetched from elsewhere but the payment script."""


class Pages:
    """Renders the templates, with the security headers every page needs.

    Args:
        options: Where the payment window lives.
    """

    def __init__(self, options: ShopOptions) -> None:
        self._options = options
        self._templates = Environment(
            loader=PackageLoader("dojang.entry.demo_shop"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["emulator_url"] = options.emulator_url.rstrip("/")

    def page(self, template: str, language: Language, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page."""
        response = HTMLResponse(self._html(template, language, **values), status)
        pay = self._options.emulator_url.rstrip("/")
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {pay}; style-src 'self'; img-src data:; "
            f"connect-src 'self' {pay}; frame-src {pay}; form-action 'self' {pay}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def verdict(self, verdict: Verdict, language: Language) -> str:
        """A verdict as the part of a page that announces it."""
        return self._html("verdict.html", language, verdict=verdict)

    def part(self, template: str, language: Language, **values: Any) -> str:
        """A part of a page that changes while it is looked at."""
        return self._html(template, language, **values)

    def _html(self, template: str, language: Language, **values: Any) -> str:
        def either(korean: str, english: str) -> str:
            return english if language == "en" else korean

        def won(amount: int) -> str:
            return f"₩{amount:,}" if language == "en" else f"{amount:,}원"

        return Markup(  # noqa: S704 - Jinja has escaped every value already
            self._templates.get_template(template).render(language=language, t=either, won=won, **values)
        )
