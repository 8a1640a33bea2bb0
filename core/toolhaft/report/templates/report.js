"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const theme = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try { return localStorage.getItem("toolhaft-theme"); } catch { return null; }
  };
  const isDark = () => root.classList.contains("dark") || (!root.classList.contains("light") && prefersDark.matches);
  const label = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-pressed", String(isDark()));
  };
  const choose = (name) => {
    root.classList.remove("light", "dark");
    root.classList.add(name);
    label();
  };
  if (["light", "dark"].includes(remembered())) choose(remembered());
  theme.addEventListener("click", () => {
    const name = isDark() ? "light" : "dark";
    choose(name);
    try { localStorage.setItem("toolhaft-theme", name); } catch { /* a browser may forbid it for files */ }
  });
  prefersDark.addEventListener("change", label);
  label();

  const folds = () => document.querySelectorAll(".task:not([hidden]) > details, .step > details");
  const unfold = document.getElementById("unfold");
  unfold?.addEventListener("click", () => {
    const open = unfold.textContent === "Open all";
    folds().forEach((fold) => { fold.open = open; });
    unfold.textContent = open ? "Close all" : "Open all";
  });

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.localName === "details") node.open = true;
    }
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    // The same address again changes no hash, and the reader may have folded it since.
    if (link && link.getAttribute("href") === location.hash) reveal();
  });
  reveal();

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((fold) => { fold.open = false; }));

  const filter = document.getElementById("filter");
  if (!filter) return;
  const choices = [...document.querySelectorAll("select[data-choice]")];
  const differs = document.getElementById("differs");
  const shown = document.getElementById("shown");
  const rows = [...document.getElementById("tasks").children];
  // What the row itself says, and the instruction in full.
  const texts = rows.map((row) => (row.localName === "tr" ? [row]
    : [...row.querySelectorAll(":scope > details > summary, :scope > .row, h2")])
    .map((part) => part.textContent).join(" ").toLowerCase());
  const has = (node, choice) => choice.value === ""
    || (node.dataset[choice.dataset.choice] ?? "").split(" ").includes(choice.value);
  const ofCells = choices.filter((choice) => ["arm", "kind"].includes(choice.dataset.choice));
  const ofRows = choices.filter((choice) => !ofCells.includes(choice));
  const cells = rows.map((row) => (row.localName === "tr" ? [...row.cells].slice(1) : [row]));
  const columns = [...document.querySelectorAll(".matrix [data-arm]")];
  const arm = choices.find((choice) => choice.dataset.choice === "arm");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      const fits = words.every((word) => texts[index].includes(word))
        && ofRows.every((choice) => has(row, choice))
        // A kind and an arm must meet in one cell.
        && cells[index].some((cell) => ofCells.every((choice) => has(cell, choice)))
        && !(differs?.checked && !row.dataset.differs);
      row.hidden = !fits;
      count += fits ? 1 : 0;
    });
    if (arm) columns.forEach((cell) => { cell.hidden = !has(cell, arm); });
    const all = rows.length;
    shown.textContent = count === all ? `${all} ${shown.dataset.noun}` : `${count} of ${all}`;
  };
  filter.addEventListener("input", apply);
  [...choices, differs].forEach((choice) => choice?.addEventListener("change", apply));
})();
