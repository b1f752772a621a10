/* The window works without this. With it, the shop's page hears of the outcome, Escape closes, and a second press
   of a button does nothing. */
(function () {
  "use strict";

  const outcome = document.getElementById("outcome");
  const shop = window.opener || (window.parent !== window ? window.parent : null);
  if (outcome && shop) {
    shop.postMessage(
      { bootpay: outcome.dataset.receiptId, event: JSON.parse(outcome.dataset.event) },
      outcome.dataset.origin,
    );
  }

  document.addEventListener("keydown", function (key) {
    const close = document.getElementById("close");
    if (key.key === "Escape" && close) close.requestSubmit(close.querySelector("button"));
  });

  document.addEventListener("submit", function (submit) {
    // Not at once: a disabled button would not be sent along.
    setTimeout(function () {
      for (const button of document.querySelectorAll("button")) button.disabled = true;
      if (submit.submitter) submit.submitter.setAttribute("aria-busy", "true");
    });
  });

  // A page that the browser kept may show what is long over.
  window.addEventListener("pageshow", function (shown) {
    if (shown.persisted) location.reload();
  });
})();
