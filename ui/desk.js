// A click on a figure (a link to #fig-…) asks the server where it comes from, one on #turn-… for another branch;
// Escape closes the answer.
(() => {
  const ask = (where, address) => {
    const box = document.querySelector(`${where} textarea, ${where} input`);
    if (!box) return;
    // The mark of time makes asking for the same figure twice two changes.
    box.value = `${address}@${Date.now()}`;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest('a[href*="#fig-"], a[href*="#turn-"]');
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      const address = link.getAttribute("href").replace(/^.*#/, "");
      ask(address.startsWith("fig-") ? "#figure-asked" : "#turn-asked", address);
    },
    true,
  );
  // The switch of language keeps what the page shows, and the choice.
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a.locale");
      if (!link) return;
      document.cookie = `locale=${link.hreflang};path=/;max-age=31536000;samesite=lax`;
      link.search = location.search;
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector("#inspector-close")?.click();
  });
  // Gradio's buttons beside the message are pictures alone, and its Chinese has no word for "copy": here they get names.
  const chinese = document.documentElement.lang.startsWith("zh");
  const names = {
    "button.submit-button:not([aria-label])": chinese ? "发送" : "Send",
    "button.stop-button:not([aria-label])": chinese ? "停止" : "Stop",
    '#chat button.icon-button[aria-label=""]': chinese ? "复制" : "Copy",
  };
  const name = () =>
    Object.entries(names).forEach(([which, word]) =>
      document.querySelectorAll(which).forEach((button) => (button.ariaLabel = button.title = word)),
    );
  let due = 0;
  new MutationObserver(() => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(name);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
