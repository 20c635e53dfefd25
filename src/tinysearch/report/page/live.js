"use strict";
// The live page: on each event of a new version, it fetches the changes since its own version and draws them.

let version = 0;

async function fetched(address) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

const detailed = (section, index) => fetched(`candidate?section=${section}&index=${index}`);

// Fetch the whole content when the page is opened.
async function asked() {
  const sections = [], changes = await fetched("changes?since=0");
  if (changes.shape !== document.body.dataset.shape) {
    location.reload();
    await new Promise(() => {});
  }
  accept(sections, changes);
  return sections;
}

// Store the changes and update the HTML, but not the drawings; return the sections to redraw.
function accept(sections, changes) {
  version = changes.version;
  const touched = [];
  if (changes.runs !== null) put(document.getElementById("runs"), changes.runs);
  changes.sections.forEach((change, id) => {
    sections[id] = sections[id] || { candidates: [], searches: [], order: [], rows: new Map() };
    const section = sections[id], home = document.querySelector(`.dataset[data-section="${id}"]`);
    section.metric = change.metric;
    for (const one of change.candidates) {
      section.candidates[one.index] = { ...one, section: id };
      section.rows.delete(one.index);
    }
    section.order = change.order || reordered(section, change.candidates);
    section.order.forEach((index, place) => { section.candidates[index].row.rank = place + 1; });
    change.searches.forEach((search, place) => {
      if (search === null) return;
      const known = section.searches[place] || { best: [], seconds: [], names: [] };
      section.searches[place] = { run: search.run, budget: search.budget };
      for (const name of ["best", "seconds", "names"]) section.searches[place][name] = [...known[name].slice(0, search.from), ...search[name]];
    });
    if (change.headline !== null) put(home.querySelector(".headline"), change.headline);
    if (change.table !== null && home.querySelector(".searches")) put(home.querySelector(".searches tbody"), change.table);
    for (const [name, values] of [["origin", change.choices.origins], ["strategy", change.choices.strategies], ["run", change.choices.runs]]) choose(home.querySelector(`.f-${name}`), values);
    if (change.candidates.length || change.order || change.searches.some((search) => search !== null)) touched.push(id);
  });
  return touched;
}

// Insert new and changed candidates by rank among the others, whose order has not changed.
function reordered(section, changed) {
  const moved = new Set(changed.map((one) => one.index));
  const kept = section.order.filter((index) => !moved.has(index)), order = [];
  let next = 0;
  for (const one of [...changed].sort((a, b) => a.row.rank - b.row.rank)) {
    while (order.length < one.row.rank - 1 && next < kept.length) order.push(kept[next++]);
    order.push(one.index);
  }
  while (next < kept.length) order.push(kept[next++]);
  return order;
}

function put(home, html) {
  const focused = home.contains(document.activeElement) ? document.activeElement : null;
  const place = focused ? [...home.querySelectorAll("button, summary, [tabindex]")].indexOf(focused) : -1;
  const open = [...home.querySelectorAll("details")].map((one) => one.open);
  home.innerHTML = html;
  home.querySelectorAll("details").forEach((one, number) => { one.open = Boolean(open[number]); });
  if (focused) home.querySelectorAll("button, summary, [tabindex]")[place]?.focus({ preventScroll: true });
}

function choose(select, values) {
  const there = [...select.options].slice(1).map((one) => one.value);
  if (there.join("\n") === values.join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...values.map((value) => new Option(value)));
  select.value = values.includes(chosen) ? chosen : "";
}

function follow(sections, draw) {
  const link = document.getElementById("link"), waiting = new Set();
  let busy = false, heard = version, rested = true;

  // Drawing takes at most a fifth of the time of the page, and none while the page is hidden.
  function redraw() {
    if (!rested || document.hidden || !waiting.size) return;
    rested = false;
    const began = performance.now(), ids = [...waiting];
    waiting.clear();
    ids.forEach(draw);
    requestAnimationFrame(() => setTimeout(() => { rested = true; redraw(); }, 4 * (performance.now() - began)));
  }

  async function pull() {
    if (busy) return;
    busy = true;
    try {
      while (heard > version) {
        const changes = await fetched(`changes?since=${version}`);
        if (changes.shape !== document.body.dataset.shape) { location.reload(); return; }
        for (const id of accept(sections, changes)) waiting.add(id);
        redraw();
      }
    } catch (error) {
      link.textContent = `not up to date (${error.message}); reload the page`;
    } finally {
      busy = false;
    }
  }

  const events = new EventSource("events");
  events.addEventListener("open", () => { link.textContent = "live"; });
  events.addEventListener("message", (event) => { heard = Number(event.data); pull(); });
  events.addEventListener("error", () => { link.textContent = "tinysearch dashboard has ended; this page shows its last update"; });
  document.addEventListener("visibilitychange", redraw);
}
