// The list of ranked items: rows that keep their place in the document and move on the screen.
"use strict";

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

function describe(columns) {
  return Object.entries(columns)
    .map(([name, value]) => (typeof value === "number" ? `${name} ${shown(value)}` : shown(value)))
    .join(" · ");
}

class RankedList {
  constructor(head, rows, about, chosen) {
    this.rows = rows;
    this.about = about;
    this.chosen = chosen;
    this.places = null; // Map: item -> place in the last list
    this.retrievalPlaces = new Map(); // item -> its place in the last answer of the retrieval model
    const numbers = ["score", ...Object.keys(about.tasks)];
    head.replaceChildren(
      make("th", { scope: "col", className: "n", textContent: "#" }),
      make("th", { scope: "col", textContent: "item" }),
      ...(about.retrieval ? [make("th", { scope: "col", textContent: "retrieved", title: `place among the candidates of the retrieval model, ${about.sources.candidates}` })] : []),
      ...numbers.map((name) => make("th", { scope: "col", textContent: name, title: this.origin(name) })),
      make("th", { scope: "col" }, make("span", { className: "hidden", textContent: "history" })),
    );
  }

  origin(name) {
    const where = `signature rank of ${this.about.sources.ranker}`;
    if (name === "score") return `score: ${this.about.score || "of the recipe"}; ${where}. The bar: share of the largest in this list.`;
    const kind = this.about.tasks[name] === "binary" ? "probability" : "prediction";
    return `${kind} of ${name}; ${where}. The bar: share of the largest in this list.`;
  }

  // Shows the items and returns how many have moved or are new. `candidates`: all ids, as the retrieval model ordered them.
  show(items, candidates) {
    const focused = document.activeElement?.closest?.("tr") ? { item: document.activeElement.closest("tr").dataset.item, action: document.activeElement.dataset.action } : null;
    const old = new Map([...this.rows.children].map((row) => [row.dataset.item, row]));
    const tops = new Map([...old].map(([item, row]) => [item, row.getBoundingClientRect().top]));
    const numbers = ["score", ...Object.keys(this.about.tasks)];
    const value = (item, name) => (name === "score" ? item.score : item.tasks[name]);
    const largest = Object.fromEntries(numbers.map((name) => [name, Math.max(...items.map((item) => Math.abs(value(item, name)) || 0), 1e-12)]));
    let moved = 0;
    const rows = items.map((item, place) => {
      const row = old.get(item.item) ?? this.row(item, numbers);
      const before = this.places?.get(item.item);
      if (this.places && before !== place) moved += 1;
      row.querySelector(".rank").replaceChildren(String(place + 1), this.change(this.places && before, place));
      if (item.retrieval_place !== null) {
        const earlier = this.places && (this.retrievalPlaces.get(item.item) ?? undefined);
        const cell = row.querySelector(".place");
        cell.title = `retrieval score ${probability(item.retrieval_score)}`;
        cell.replaceChildren(String(item.retrieval_place), this.change(earlier, item.retrieval_place));
      }
      for (const name of numbers) {
        const cell = row.querySelector(`td[data-head="${CSS.escape(name)}"]`);
        cell.querySelector("output").textContent = probability(value(item, name));
        cell.querySelector(".fill").style.width = `${(100 * Math.abs(value(item, name) || 0)) / largest[name]}%`;
      }
      return row;
    });
    this.rows.replaceChildren(...rows);
    this.places = new Map(items.map((item, place) => [item.item, place]));
    this.retrievalPlaces = new Map(candidates.map((item, place) => [item, place + 1]));
    if (!calm.matches) {
      for (const row of rows) {
        const top = tops.get(row.dataset.item);
        const by = top === undefined ? 0 : top - row.getBoundingClientRect().top;
        if (top === undefined && tops.size) row.animate([{ opacity: 0 }, { opacity: 1 }], 250);
        else if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 250, easing: "ease-out" });
      }
    }
    if (focused && document.activeElement === document.body) this.focus(focused);
    return moved;
  }

  // Marks how far an item has come. `before` is null in the first list and undefined for a new item.
  change(before, now) {
    const by = before === null ? 0 : before - now;
    if (before === undefined) return make("small", { className: "new", textContent: "new" });
    return make("small", { className: by > 0 ? "up" : "down", textContent: by > 0 ? `▲ ${by}` : by < 0 ? `▼ ${-by}` : "" });
  }

  row(item, numbers) {
    const buttons = this.about.actions.map((action) => {
      const button = make("button", { type: "button", textContent: action, data: { action }, attributes: { "aria-label": `${action} ${item.item}: add it to the history` } });
      button.addEventListener("click", () => this.chosen(item.item, action));
      return button;
    });
    return make(
      "tr",
      { data: { item: item.item } },
      make("td", { className: "rank n" }),
      make("th", { scope: "row", className: "item" }, `${item.item} `, make("small", { textContent: describe(item.columns) })),
      ...(this.about.retrieval ? [make("td", { className: "place", data: { head: "retrieved" } })] : []),
      ...numbers.map((name) =>
        make("td", { className: name === "score" ? "number score" : "number", data: { head: name }, title: this.origin(name) }, make("output"), make("span", { className: "track", ariaHidden: "true" }, make("span", { className: "fill" }))),
      ),
      make("td", { className: "actions" }, ...buttons),
    );
  }

  // The same button, or the heading if the item has left the list.
  focus({ item, action }) {
    const row = [...this.rows.children].find((one) => one.dataset.item === item);
    const button = [...(row?.querySelectorAll("button") ?? [])].find((one) => one.dataset.action === action);
    (button ?? document.getElementById("list-title")).focus({ preventScroll: true });
  }
}
