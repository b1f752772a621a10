/* A stand-in for Bootpay's browser script (@bootpay/client-js 5), served by the dojang emulator.

   <script src="http://127.0.0.1:8401/js/bootpay.js"></script>

   The names, options, events and error codes are Bootpay's. Deliberately different:
   - extra.open_type is "iframe" when left out (Bootpay: "redirect"), so that a demo stays on one page.
   - options travel as plain JSON; Bootpay wraps them in AES with the key beside it, which hides nothing.
   - destroy() before an outcome rejects with RC_CLOSE_WINDOW instead of leaving the promise open for ever.
   - requestSubscription and requestAuthentication do not exist; the emulator's controls open those.

   As with Bootpay, a window whose payment waits for approval (event "confirm") stays open until confirm() or
   destroy() is called. */
(function () {
  "use strict";

  const HOME = new URL(document.currentScript.src).origin;
  const CLOSED = {
    event: "cancel",
    error_code: "RC_CLOSE_WINDOW",
    message: "사용자가 결제창을 닫았습니다.",
  };
  let locale = "";
  let current = null; // the window that is open, and the promise that waits for it
  let waiting = null; // {receiptId, key} once the buyer agreed and somebody must confirm

  function failure(code, message, payload) {
    return { event: "error", error_code: code, pg_error_code: "", message: message, payload: payload || {} };
  }

  function missing(value) {
    return value === undefined || value === null || value === "";
  }

  /* Bootpay's own checks before anything is sent; null when all is well. */
  function mistakeIn(options) {
    if (missing(options.client_key) && missing(options.application_id)) {
      return failure("NEED_CLIENT_KEY", "client_key 또는 application_id 값이 필요합니다.");
    }
    for (const name of ["order_name", "price", "order_id"]) {
      if (missing(options[name])) return failure("INVALID_REQUEST_PARAMS", name + " 값이 필요합니다.");
    }
    const items = options.items || [];
    if (!items.length) return null;
    let total = 0;
    for (const item of items) {
      for (const name of ["id", "name", "qty", "price"]) {
        if (missing(item[name])) {
          return failure("NEED_ITEM_" + name.toUpperCase(), "items의 " + name + " 값이 필요합니다.");
        }
      }
      total += parseFloat(item.price) * parseFloat(item.qty);
    }
    if (total !== parseFloat(options.price)) {
      return failure("NEED_ITEM_TOTAL_PRICE_NOT_MATCH", "items의 합계와 price가 다릅니다.");
    }
    return null;
  }

  /* Post JSON to the emulator; a refusal becomes an error event. */
  async function post(path, body) {
    let response, answer;
    try {
      response = await fetch(HOME + path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      answer = await response.json();
    } catch (problem) {
      throw failure("RC_NETWORK", "결제 서버에 연결할 수 없습니다.");
    }
    if (!response.ok) throw failure(answer.error_code, answer.message, answer);
    return answer;
  }

  // Windows

  function overlay() {
    const dialog = document.createElement("dialog");
    dialog.className = "bootpay-window";
    dialog.setAttribute("aria-label", "결제창 · Payment window");
    dialog.style.cssText =
      "padding:0;border:0;width:min(100vw,30rem);max-width:100vw;height:min(100dvh,46rem);max-height:100dvh;" +
      "background:Canvas;color:CanvasText;border-radius:12px;overflow:hidden;margin:auto";
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "✕";
    close.setAttribute("aria-label", "결제창 닫기 · Close the payment window");
    close.style.cssText =
      "position:absolute;top:0;right:0;width:2.75rem;height:2.75rem;border:0;background:transparent;" +
      "color:inherit;font:1.1rem/1 sans-serif;cursor:pointer";
    const bar = document.createElement("div");
    bar.style.cssText = "position:relative;height:2.75rem;flex:none";
    const frame = document.createElement("iframe");
    frame.title = "결제창 · Payment window";
    frame.style.cssText = "flex:1;width:100%;border:0";
    const column = document.createElement("div");
    column.style.cssText = "display:flex;flex-direction:column;height:100%";
    bar.append(close);
    column.append(bar, frame);
    dialog.append(column);
    document.body.append(dialog);
    dialog.showModal(); // keeps the focus inside, and gives it back afterwards
    close.addEventListener("click", dismissed);
    dialog.addEventListener("cancel", function (escape) {
      escape.preventDefault();
      dismissed();
    });
    frame.addEventListener("load", function () {
      if (dialog.open) frame.focus();
    });
    return {
      show: function (url) { frame.src = url; },
      isSource: function (source) { return source === frame.contentWindow; },
      remove: function () {
        if (dialog.open) dialog.close();
        dialog.remove();
      },
    };
  }

  function popup() {
    // Now, while the click still counts as the buyer's wish; the address follows.
    const other = window.open("about:blank", "bootpay", "popup,width=480,height=760");
    if (!other) return overlay(); // blocked: better inside than not at all
    let watch = 0;
    return {
      show: function (url) {
        other.location.replace(url);
        watch = setInterval(function () {
          if (other.closed) dismissed();
        }, 400);
      },
      isSource: function (source) { return source === other; },
      remove: function () {
        clearInterval(watch);
        if (!other.closed) other.close();
      },
    };
  }

  function redirect() {
    return {
      show: function (url) { location.assign(url); },
      isSource: function () { return false; },
      remove: function () {},
    };
  }

  // Outcomes

  function settle(event) {
    const mine = current;
    if (!mine || mine.settled) return;
    mine.settled = true;
    if (event.event === "confirm") {
      waiting = { receiptId: event.receipt_id, key: mine.key };
      mine.resolve(event); // the window stays until confirm() or destroy()
      return;
    }
    remove();
    if (event.event === "done" || event.event === "issued") mine.resolve(event);
    else mine.reject(event);
  }

  function remove() {
    if (!current) return;
    current.view.remove();
    current = null;
    document.dispatchEvent(new CustomEvent("bootpayclose"));
  }

  /* The buyer shut the window from outside: what had happened by then is the outcome. */
  async function dismissed() {
    const mine = current;
    if (!mine) return;
    if (mine.settled || !mine.receiptId) {
      settle(CLOSED);
      remove();
      return;
    }
    let event = CLOSED;
    try {
      event = (await post("/checkout/" + mine.receiptId + "/close", {})) || CLOSED;
    } catch (problem) {
      // Unreachable or refused: to this page it is a window closed; the truth is with the server.
    }
    if (current !== mine) return;
    settle(event);
    remove();
  }

  window.addEventListener("message", function (message) {
    if (message.origin !== HOME || !current || !current.view.isSource(message.source)) return;
    const data = message.data || {};
    if (data.bootpay === current.receiptId && data.event) settle(data.event);
  });

  // What a shop's page calls

  async function requestPayment(options) {
    const asked = Object.assign({}, options);
    if (locale && !asked.locale) asked.locale = locale;
    const mistake = mistakeIn(asked);
    if (mistake) throw mistake;
    const extra = asked.extra || {};
    const type = extra.open_type || "iframe";
    if (type === "redirect" && !asked.redirect_url && !extra.redirect_url) {
      asked.redirect_url = location.href.split("#")[0];
    }
    Bootpay.destroy();
    const view = type === "popup" ? popup() : type === "redirect" ? redirect() : overlay();
    const mine = { view: view, key: asked.client_key || asked.application_id, settled: false, receiptId: "" };
    current = mine;
    waiting = null;
    const outcome = new Promise(function (resolve, reject) {
      mine.resolve = resolve;
      mine.reject = reject;
    });
    post("/v2/request/payment", asked).then(
      function (opened) {
        if (current !== mine) return;
        mine.receiptId = opened.receipt_id;
        view.show(HOME + opened.path);
      },
      function (problem) {
        if (current === mine) settle(problem);
      },
    );
    return outcome;
  }

  async function confirm() {
    if (!waiting) throw failure("RC_CONFIRM_READY_NOT_YET", "승인할 결제가 없습니다.");
    const asked = waiting;
    waiting = null;
    try {
      return await post("/checkout/" + asked.receiptId + "/confirm", { application_id: asked.key });
    } finally {
      remove();
    }
  }

  const Bootpay = {
    requestPayment: requestPayment,
    confirm: confirm,
    destroy: function () {
      if (current && !current.settled) {
        const receiptId = current.receiptId;
        settle(CLOSED);
        if (receiptId) post("/checkout/" + receiptId + "/close", {}).catch(function () {});
      }
      waiting = null;
      remove();
    },
    dismiss: function () { return dismissed(); },
    setLocale: function (language) { locale = language; },
    setEnvironmentMode: function () {},
    setDevice: function () {},
    setVersion: function () {},
    setUUID: function () {},
    setLogLevel: function () {},
  };
  window.Bootpay = Bootpay;
})();
