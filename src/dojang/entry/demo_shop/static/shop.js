/* Buying on one page: the order, the payment window, the verdict. Without this script the form goes the long way. */
(function () {
  "use strict";

  const form = document.getElementById("buy");
  const button = form.querySelector("button[type=submit]");

  function say(what) {
    Order.show(document.getElementById("said-" + what).innerHTML, false);
  }

  function lowered(options) {
    const items = options.items.map(function (item) { return Object.assign({}, item, { price: 100 }); });
    return Object.assign({}, options, { price: 100, items: items });
  }

  function atOnce(options) {
    return Object.assign({}, options, { extra: Object.assign({}, options.extra, { separately_confirmed: false }) });
  }

  /* The receipt of the last order that was paid properly, for the one who wants to use it twice. */
  function remember(receiptId) {
    sessionStorage.setItem("receipt", receiptId);
  }

  async function pay(options) {
    say("paying");
    const event = await Bootpay.requestPayment(options);
    return event.receipt_id || event.data.receipt_id;
  }

  async function buy(wanted) {
    const old = sessionStorage.getItem("receipt");
    if (wanted.foreign && !old) return say("needs_receipt");
    say("working");
    const order = await Order.post("/buy", { good: wanted.good });
    if (!order.options) return Order.show(order.html, true);
    let receiptId = old;
    if (!wanted.foreign) {
      let options = order.options;
      if (wanted.lower) options = lowered(options);
      if (wanted.leave) options = atOnce(options);
      receiptId = await pay(options);
    }
    if (wanted.leave) {
      say("left");
      return Order.follow(order.order_id, "", null);
    }
    let said;
    try {
      said = await Order.verify(order.order_id, receiptId);
    } finally {
      Bootpay.destroy();
    }
    Order.show(said.html, true);
    if (said.kind === "paid") remember(receiptId);
    if (said.kind === "pending" || said.kind === "account") Order.follow(order.order_id, receiptId, said);
  }

  form.addEventListener("submit", async function (submit) {
    submit.preventDefault();
    const data = new FormData(form);
    Order.forget();
    button.disabled = true;
    try {
      await buy({ good: data.get("good"), lower: data.has("lower"), foreign: data.has("foreign"), leave: data.has("leave") });
    } catch (problem) {
      if (problem && problem.event === "cancel") say("closed");
      else if (problem && problem.event === "error") say("declined");
      else say("unreachable");
    } finally {
      button.disabled = false;
    }
  });
})();
