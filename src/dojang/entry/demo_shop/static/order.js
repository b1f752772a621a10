/* Ask where an order stands until that is final. Exposed for the front page, started here for an order's own page. */
(function () {
  "use strict";

  const language = document.documentElement.lang;
  const GIVE_UP_AFTER_MS = 15 * 60 * 1000;
  let round = 0; // a new wait ends the one before

  function pause(ms) {
    return new Promise(function (resolve) { setTimeout(resolve, ms); });
  }

  async function post(path, body) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(Object.assign({ lang: language }, body)),
    });
    return response.json();
  }

  function show(html, focus) {
    const place = document.getElementById("verdict");
    if (place.innerHTML.trim() === html.trim()) return;
    place.innerHTML = html; // rendered and escaped by the shop's own server
    if (focus) {
      place.focus({ preventScroll: true });
      place.scrollIntoView({ block: "nearest" });
    }
  }

  function verify(orderId, receiptId) {
    return post("/verify", { order_id: orderId, receipt_id: receiptId });
  }

  async function follow(orderId, receiptId, first) {
    const mine = ++round;
    const until = Date.now() + GIVE_UP_AFTER_MS;
    let verifyAt = first && first.again ? Date.now() + first.retry_after_s * 1000 : Infinity;
    while (mine === round && Date.now() < until) {
      await pause(document.hidden ? 5000 : 1500);
      if (mine !== round) return;
      try {
        let said;
        if (receiptId && Date.now() >= verifyAt) {
          said = await verify(orderId, receiptId);
          verifyAt = said.again ? Date.now() + said.retry_after_s * 1000 : Infinity;
        } else {
          const address = "/orders/" + encodeURIComponent(orderId) + "/verdict?lang=" + language;
          said = await (await fetch(address)).json();
        }
        // The account is in verify's answer only; a mere "still waiting" must not wipe it off the page.
        const shown = document.querySelector("#verdict [data-kind]");
        const same = shown && shown.dataset.kind === said.kind;
        if (said.html && !same) show(said.html, false);
        if (said.kind !== "pending" && said.kind !== "account") return;
      } catch (problem) {
        // The shop did not answer: keep what is shown and ask again.
      }
    }
  }

  window.Order = {
    post: post,
    show: show,
    verify: verify,
    follow: follow,
    forget: function () { round += 1; },
  };

  const place = document.getElementById("verdict");
  if (place && place.dataset.orderId) follow(place.dataset.orderId, "", null);
})();
