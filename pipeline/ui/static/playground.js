// The playground: what the user is, has chosen and wants goes to the server, which ranks with the pushed model.
"use strict";

const byId = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const TYPED = "typed values";

let about, list;
let history = []; // {item, action}, the newest first
let weights = {};
let running = false;
let waiting = false;

async function answered(address, options) {
  const response = await fetch(address, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

async function load() {
  const address = `/api/model?${new URLSearchParams({ model: asked.get("model") ?? "", version: asked.get("version") ?? "" })}`;
  for (;;) {
    const found = await answered(address);
    if (found.state === "failed") throw new Error(found.message);
    if (found.state === "ready") return found.about;
    byId("loading").textContent = `Loading ${found.model} version ${found.version} in a thread of the server: ${found.seconds.toFixed(0)} s. The other pages are there already.`;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

function start() {
  byId("loading").hidden = true;
  byId("playground").hidden = false;
  byId("what").textContent = `${about.model} version ${about.version}${about.run ? `, of the run ${about.run}` : ""}`;
  byId("features").open = window.matchMedia("(min-width: 60rem)").matches;
  makeFields(byId("fields"), about.columns, () => {
    byId("user").value = TYPED;
    rank();
  });
  const options = about.users.map((user, index) => make("option", { value: String(index), textContent: user.name + (user.history.length ? ` (history of ${user.history.length})` : "") }));
  byId("user").append(...options, make("option", { value: TYPED, textContent: TYPED }));
  byId("user").addEventListener("change", () => choose());
  byId("missing").hidden = !about.missing;
  byId("missing").textContent = `${about.missing} Type the values of the features.`;
  byId("note").hidden = !about.note;
  byId("note").textContent = about.note;
  byId("weights-card").hidden = !about.score && Object.keys(about.weights).length === 0;
  byId("formula").textContent = about.score;
  resetWeights();
  byId("reset").hidden = Object.keys(about.weights).length === 0;
  byId("reset").addEventListener("click", () => (resetWeights(), rank()));
  byId("undo").addEventListener("click", () => (history.shift(), rank()));
  byId("clear").addEventListener("click", () => ((history = []), rank()));
  byId("restore").addEventListener("click", () => ((history = own()), rank()));
  byId("exclude").addEventListener("change", () => rank());
  for (const id of ["count", "order"]) byId(id).addEventListener("change", () => rank());
  byId("order-label").hidden = !about.retrieval;
  list = new RankedList(byId("list-columns"), byId("rows"), about, (item, action) => {
    history.unshift({ item, action });
    rank();
  });
  const sources = { "Scores and predictions": `${about.sources.ranker}, signature rank`, Candidates: about.sources.candidates, Users: about.sources.users, Histories: about.sources.histories };
  for (const [what, place] of Object.entries(sources)) {
    if (place) byId("sources").append(`${what}: `, make("code", { textContent: place }), make("br"));
  }
  choose();
}

function own() {
  const user = about.users[Number(byId("user").value)];
  return (user?.history ?? []).map((item) => ({ item: String(item), action: "" }));
}

function choose() {
  const user = about.users[Number(byId("user").value)];
  for (const column of about.columns) byId(`field-${column.name}`).value = shown(user?.values[column.name]);
  history = own();
  list.places = null;
  rank();
}

function resetWeights() {
  weights = { ...about.weights };
  makeWeights(byId("weights"), about.weights, (name, value) => {
    weights[name] = value;
    rank();
  });
}

function request() {
  const user = {};
  for (const column of about.columns) {
    const value = typed(column, byId(`field-${column.name}`).value);
    if (value !== undefined) user[column.name] = value;
  }
  return { model: about.model, version: about.version, user, history: history.map((one) => one.item), exclude: byId("exclude").checked, weights, k: Number(byId("count").value), order: byId("order").value };
}

// One request at a time; of those that come meanwhile, the last.
async function rank() {
  if (running) return void (waiting = true);
  running = true;
  try {
    const body = JSON.stringify(request());
    const answer = await answered("/api/rank", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    show(answer);
    byId("refused").hidden = true;
  } catch (error) {
    byId("refused").textContent = error.message;
    byId("refused").hidden = false;
  }
  running = false;
  if (waiting) {
    waiting = false;
    rank();
  }
}

function show(answer) {
  const first = list.places === null;
  const known = list.retrievalPlaces;
  const fresh = answer.candidates.filter((item) => !known.has(item)).length;
  const moved = list.show(answer.items, answer.candidates);
  const count = answer.candidates.length;
  const of = about.items > count ? ` of ${about.items.toLocaleString("en")}` : "";
  const change = first ? "" : moved ? ` ${moved} of the ${answer.items.length} shown moved or are new` : " The list did not move";
  const candidates = first ? "" : about.retrieval && fresh ? `; ${fresh} of the ${count} candidates are new.` : ".";
  byId("status").textContent = `${count.toLocaleString("en")}${of} items ranked in ${answer.seconds.toFixed(3)} s.${change}${candidates}`;
  byId("history-size").textContent = answer.history.length ? `${answer.history.length} items, the newest first` : "";
  byId("history").replaceChildren(
    ...(answer.history.length
      ? answer.history.map((one, index) => make("li", {}, `${one.item} `, history[index]?.action ? make("span", { className: "chip open", textContent: history[index].action }) : "", make("small", { textContent: describe(one.columns) })))
      : [make("li", { className: "missing", textContent: "empty" })]),
  );
  byId("undo").disabled = byId("clear").disabled = history.length === 0;
  byId("restore").disabled = JSON.stringify(own()) === JSON.stringify(history);
}

load().then(
  (found) => {
    about = found;
    start();
  },
  (error) => {
    byId("loading").hidden = true;
    byId("failed").hidden = false;
    byId("failed").textContent = error.message;
  },
);
