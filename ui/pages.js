// The pages beside the desk: a link to #part-… goes to that section of the brief, one to #edit-… opens the drawer for
// its words.
(() => {
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest('a[href*="#part-"], a[href*="#edit-"]');
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      const [what, name] = link.getAttribute("href").replace(/^.*#/, "").split(/-(.*)/s);
      if (what === "part") {
        const part = document.getElementById(`part-${name}`);
        part?.scrollIntoView({ block: "start" });
        part?.setAttribute("tabindex", "-1");
        part?.focus({ preventScroll: true });
        return;
      }
      const box = document.querySelector("#part-asked textarea, #part-asked input");
      if (!box) return;
      // The mark of time makes asking for the same section twice two changes.
      box.value = `${name}@${Date.now()}`;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    },
    true,
  );
  // Gradio opens every link of a text in another tab; a way to a page or a file of ours stays in this one.
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[target]");
      if (link?.origin === location.origin) link.target = "_self";
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector("#editor-close")?.click();
  });
})();
