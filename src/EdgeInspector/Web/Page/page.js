"use strict";

// Shows what /events says, once a second. Everything from outside goes into the page as text, never as markup.

const TILES = 12;
const TREND_POINTS = 120;
const OLD_AFTER_MS = 5000;

// word, icon, and whether it is normal ("" is; nothing is coloured then)
const STATES = {
  ContinuousExecution: ["Inspecting", "run", ""],
  Ready: ["Ready", "ready", ""],
  Preoperational: ["Starting", "start", "attention"],
  Halted: ["Stopped", "stop", "attention"],
  Error: ["Fault", "fault", "broken"],
};

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const number = (value, format) => (value === null || value === undefined ? "–" : format.format(value));

function duration(seconds) {
  const s = Math.floor(seconds);
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} min`;
  return m > 0 ? `${m} min ${s % 60} s` : `${s} s`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// --- stations ---

const panels = new Map();

function showStations(stations) {
  const names = new Set(stations.map((s) => s.station));
  for (const [name, panel] of panels) {
    if (!names.has(name)) {
      panel.root.remove();
      panels.delete(name);
    }
  }
  for (const station of stations) {
    if (!panels.has(station.station)) panels.set(station.station, newPanel());
    showStation(panels.get(station.station), station);
  }
}

function newPanel() {
  const root = byId("station").content.firstElementChild.cloneNode(true);
  byId("stations").append(root);
  const fields = {};
  for (const element of root.querySelectorAll("[data-of]")) fields[element.dataset.of] = element;
  return { root, fields, trends: {} };
}

function showStation(panel, s) {
  const { root, fields } = panel;
  const [word, icon, kind] = STATES[s.state] ?? [s.state, "fault", "attention"];
  root.className = `station ${kind}`;
  root.querySelector("use").setAttribute("href", `#${icon}`);
  const judged = s.counts.passed + s.counts.rejected;
  const texts = {
    state: word,
    name: s.station,
    fault: s.fault ?? "",
    parts: number(s.counts.parts, whole),
    passed: number(s.counts.passed, whole),
    rejected: number(s.counts.rejected, whole),
    rejectShare: judged > 0 ? `${tenth.format((100 * s.counts.rejected) / judged)} %` : "",
    notInspected: number(s.counts.notInspected, whole),
    late: number(s.counts.late, whole),
    unaccounted: number(s.counts.unaccounted, whole),
    unconfirmed: number(s.counts.unconfirmed, whole),
    partsPerMinute: `${number(s.partsPerMinute, whole)} per minute`,
    decision: s.decision.count > 0 ? `${number(s.decision.p50, tenth)}, ${number(s.decision.p99, tenth)} ms` : "–",
    frames: `${number(s.framesPerSecond, tenth)} /s, ${number(s.framesDropped, whole)} dropped`,
    beltSpeed: `${number(s.beltSpeed, hundredth)} m/s`,
    uptime: duration(s.uptime),
    recipe: s.recipe,
    model: s.model,
    provider: s.provider,
    camera: s.camera,
    broker: s.broker,
    ledger: s.ledger,
  };
  for (const [name, text] of Object.entries(texts)) setText(fields[name], text);
  fields.fault.hidden = !s.fault;
  fields.simulated.hidden = !s.isSimulated;

  mark(root, "notInspected", s.counts.notInspected > 0 && "raised");
  mark(root, "late", s.counts.late > 0 && "raised");
  mark(root, "unaccounted", s.counts.unaccounted > 0 && "alarm");
  mark(root, "unconfirmed", s.counts.unconfirmed > 0 && "raised");
  root.querySelector('[data-alarm="unaccounted"]').hidden = s.counts.unaccounted === 0;
  root.querySelector('[data-alarm="unconfirmed"]').hidden = s.counts.unconfirmed === 0;
  const fine = { camera: ["connected"], broker: ["connected", "off"], ledger: ["ok"] };
  for (const [link, words] of Object.entries(fine)) {
    root.querySelector(`[data-link="${link}"]`).classList.toggle("raised", !words.includes(s[link]));
  }

  showDefects(fields.defects, s.counts.defects);
  showTrend(panel, "partsPerMinute", s.partsPerMinute);
  showTrend(panel, "p99", s.decision.count > 0 ? s.decision.p99 : null);
}

function mark(root, name, level) {
  const element = root.querySelector(`[data-alarm="${name}"]`);
  element.classList.toggle("raised", level === "raised");
  element.classList.toggle("alarm", level === "alarm");
}

function showDefects(element, defects) {
  const rows = Object.entries(defects).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...rows.map((row) => row[1]));
  const key = JSON.stringify(rows);
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(
    ...rows.map(([label, count]) => {
      const row = document.createElement("div");
      const [name, track, bar, figure] = ["span", "span", "i", "b"].map((tag) => document.createElement(tag));
      name.textContent = label;
      figure.textContent = whole.format(count);
      bar.style.width = `${(100 * count) / most}%`;
      track.append(bar);
      row.append(name, track, figure);
      return row;
    }),
  );
}

function showTrend(panel, name, value) {
  const points = (panel.trends[name] ??= []);
  points.push(value);
  if (points.length > TREND_POINTS) points.shift();
  const known = points.filter((p) => p !== null);
  const place = panel.root.querySelector(`[data-trend="${name}"]`);
  if (known.length < 2) return;
  // From zero, so that noise does not look like drama.
  const top = Math.max(...known, 1e-9) * 1.1;
  // The newest stands at the right edge from the start.
  const first = TREND_POINTS - points.length;
  const line = points
    .map((p, i) => (p === null ? null : `${((120 * (first + i)) / (TREND_POINTS - 1)).toFixed(1)},${(20 - (20 * p) / top).toFixed(1)}`))
    .filter((p) => p !== null)
    .join(" ");
  let svg = place.firstElementChild;
  if (!svg) {
    svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 120 20");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
    place.append(svg);
  }
  svg.firstElementChild.setAttribute("points", line);
}

// --- pictures ---

const tiles = new Map();
let shown = [];
let several = false;
let open = null;

function showRejects(rejects) {
  shown = rejects;
  const now = rejects.slice(0, TILES);
  byId("none").hidden = now.length > 0;
  const ids = new Set(now.map((r) => r.id));
  for (const [id, tile] of tiles) {
    if (!ids.has(id)) {
      tile.remove();
      tiles.delete(id);
    }
  }
  const grid = byId("grid");
  now.forEach((reject, i) => {
    if (!tiles.has(reject.id)) tiles.set(reject.id, newTile(reject));
    const tile = tiles.get(reject.id);
    if (grid.children[i] !== tile) grid.insertBefore(tile, grid.children[i] ?? null);
  });
  if (open) showSteps();
}

function newTile(reject) {
  const tile = byId("tile").content.firstElementChild.cloneNode(true);
  const button = tile.firstElementChild;
  const image = button.querySelector("img");
  image.src = reject.crop;
  image.addEventListener("error", () => (image.style.visibility = "hidden"));
  setText(button.querySelector(".label"), nameOf(reject));
  setText(button.querySelector(".score"), number(reject.score, hundredth));
  setText(button.querySelector("time"), clock.format(new Date(reject.takenAt)) + (several ? `  ${reject.station}` : ""));
  button.setAttribute("aria-label", `${captionOf(reject)}. Show the whole frame.`);
  button.addEventListener("click", () => show(reject));
  return tile;
}

const nameOf = (reject) =>
  reject.verdict === "Reject"
    ? (reject.label ?? "defect")
    : { NotInspected: "not inspected", Late: "late" }[reject.verdict] ?? reject.verdict;

function captionOf(reject) {
  const score = reject.score === null ? "" : `, score ${hundredth.format(reject.score)}`;
  return `${nameOf(reject)}${score}, part ${reject.number} of ${reject.station}, ${clock.format(new Date(reject.takenAt))}`;
}

function show(reject) {
  open = reject;
  byId("large-picture").src = reject.context;
  byId("large-picture").alt = captionOf(reject);
  setText(byId("large-caption"), captionOf(reject));
  showSteps();
  if (!byId("large").open) byId("large").showModal();
}

function step(by) {
  const next = shown[shown.findIndex((r) => r.id === open.id) + by];
  if (next) show(next);
}

function showSteps() {
  const at = shown.findIndex((r) => r.id === open.id);
  byId("newer").disabled = at <= 0;
  byId("older").disabled = at < 0 || at >= shown.length - 1;
}

byId("newer").addEventListener("click", () => step(-1));
byId("older").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => byId("large").close());
byId("large").addEventListener("close", () => (open = null));
byId("large").addEventListener("click", (e) => {
  if (e.target === byId("large")) byId("large").close();
});
byId("large").addEventListener("keydown", (e) => {
  if (e.key === "ArrowLeft") step(-1);
  if (e.key === "ArrowRight") step(1);
});

// --- connection ---

let heardAt = 0;
let silence = 0;

function listen() {
  const source = new EventSource("/events");
  source.onmessage = (message) => {
    const update = JSON.parse(message.data);
    several = update.stations.length > 1;
    showStations(update.stations);
    showRejects(update.rejects);
    heardAt = Date.now();
    setText(byId("asof"), clock.format(heardAt));
    setLost(false);
  };
  // The browser tries again by itself, except after an HTTP error.
  source.onerror = () => {
    setLost(true);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

function setLost(isLost) {
  // Timed here, since a connection can die without an error.
  clearTimeout(silence);
  silence = setTimeout(() => setLost(true), OLD_AFTER_MS);
  document.body.classList.toggle("old", isLost);
  byId("lost").hidden = !isLost;
  if (isLost) {
    const since = heardAt ? ` since ${clock.format(heardAt)}; the figures below are from then` : "";
    setText(byId("lost"), `▲ No connection to the station${since}.`);
  }
}

listen();
