// A click on a figure (a link to #fig-…) asks the server where it comes from; Escape closes the answer.
(() => {
  const ask = (address) => {
    const box = document.querySelector("#figure-asked textarea, #figure-asked input");
    if (!box) return;
    // The mark of time makes asking for the same figure twice two changes.
    box.value = `${address}@${Date.now()}`;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest('a[href*="#fig-"]');
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      ask(link.getAttribute("href").replace(/^.*#/, ""));
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector("#inspector-close")?.click();
  });
})();
