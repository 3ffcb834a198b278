
"use strict";
// The page of `pointsman dry-run --html`. The entries come from hostile logs: they become text nodes and text on the canvas, never markup.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const entries = data.entries;
const canvas = $("picture"), pen = canvas.getContext("2d");
const ROW = 20, HEAD = 34, GROUP = 26, GAP = 6, ROWS = 5, PAGE = 200;
const FONT = "12px system-ui, sans-serif";

// ---- what is drawn: lanes of rows of bars, and marks ----

const KINDS = { alarm_raised: "alarm", alarm_cleared: "cleared", run_started: "run", step: "step", run_finished: "run ended", notice: "notice" };
const named = (name, key) => (key ? `${name} [${key}]` : name);
function subject(e) {
  if (e.kind.startsWith("alarm")) return named(e.alarm, e.key);
  if (e.kind.startsWith("run_")) return `${e.reaction ?? ""} #${e.run}`;
  if (e.kind === "step") return [e.resource, e.reaction && `${e.reaction} #${e.run}`].filter(Boolean).join(", ");
  return e.alarm ?? e.reaction ?? e.resource ?? "";
}
const what = (e) => (e.kind === "step" ? e.verb : KINDS[e.kind] ?? e.kind);
const place = (e) => (e.file ? `${e.file}:${e.line}` : e.line === undefined ? "" : String(e.line));
const words = (e) => [what(e), subject(e), e.host, e.event_id, e.result, e.text].filter(Boolean).join(" ");

let first = Infinity, last = -Infinity;
entries.forEach((e, n) => {
  e.n = n;
  e.time = Date.parse(e.at);
  e.found = `${words(e)} ${place(e)} ${e.at}`.toLowerCase();
  if (Number.isFinite(e.time)) { first = Math.min(first, e.time); last = Math.max(last, e.time); }
});
if (first > last) first = last = 0;
const spare = Math.max((last - first) * 0.01, 500);
const whole = { from: first - spare, to: last + spare };

const lanes = [];
function lane(group, name) {
  let found = lane.all.get(`${group}\0${name}`);
  if (!found) {
    found = { group, name, bars: [], marks: [], rows: [] };
    lane.all.set(`${group}\0${name}`, found);
    lanes.push(found);
  }
  return found;
}
lane.all = new Map();
const hosts = new Map();
const color = (host) => { if (!hosts.has(host)) hosts.set(host, `h${hosts.size % 8}`); return hosts.get(host); };
function bar(of, from, text, paint, about) {
  const made = { from, to: undefined, text, paint, about: about ? [about] : [], marks: [] };
  of.bars.push(made);
  return made;
}
const end = (of, time, e) => { of.to = time; if (e) of.about.push(e); };

const active = new Map(), runs = new Map(), holds = new Map(), owners = new Map();
const HOLDER = "resources: where they are", OWNER = "owners: where resources belong";
function belongs(resource, host, e) {
  const before = owners.get(resource);
  if (before?.host === host) { before.bar.about.push(e); return; }
  if (before) end(before.bar, e.time, e);
  owners.set(resource, { host, bar: bar(lane(OWNER, resource), e.time, host, color(host), e) });
}
function taken(resource, host, time, e) {
  const held = holds.get(`${resource}\0${host}`);
  if (held) held.about.push(e); else holds.set(`${resource}\0${host}`, bar(lane(HOLDER, resource), time, host, color(host), e));
}
for (const [resource, host] of Object.entries(data.holders)) {
  taken(resource, host, first);
  owners.set(resource, { host, bar: bar(lane(OWNER, resource), first, host, color(host)) });
}
for (const e of entries.filter((e) => Number.isFinite(e.time))) {
  const key = `${e.alarm}\0${e.key}`;
  if (e.kind === "alarm_raised") {
    const of = lane("alarms", e.alarm), now = active.get(key);
    if (now) { now.about.push(e); now.marks.push(e); } else active.set(key, bar(of, e.time, e.key || e.text || e.alarm, "alarm", e));
  } else if (e.kind === "alarm_cleared") {
    end(active.get(key) ?? bar(lane("alarms", e.alarm), first, e.key || e.alarm, "alarm"), e.time, e);
    active.delete(key);
  } else if (e.kind === "run_started") {
    runs.set(e.run, bar(lane("runs", e.reaction ?? ""), e.time, `#${e.run} ${e.key ?? ""}`, "busy", e));
  } else if (e.kind === "run_finished") {
    const of = runs.get(e.run) ?? bar(lane("runs", e.reaction ?? ""), first, `#${e.run}`, "busy");
    of.paint = e.result === "finished" ? "good" : e.result === "failed" ? "bad" : "busy";
    end(of, e.time, e);
  } else if (e.kind === "step") {
    const run = runs.get(e.run);
    if (run) { run.marks.push(e); run.about.push(e); }
    if (!e.resource || !e.host) continue;
    if (e.verb === "taken") taken(e.resource, e.host, e.time, e);
    if (e.verb === "released") {
      const held = holds.get(`${e.resource}\0${e.host}`);
      if (held) end(held, e.time, e);
      holds.delete(`${e.resource}\0${e.host}`);
    }
    const asked = /\.(up|move_to)$/.test(e.verb) && !e.result?.startsWith("failed");
    if (e.verb === "take" || asked) belongs(e.resource, e.host, e);
  } else {
    lane("notices", "notices").marks.push(e);
  }
}
const ORDER = ["alarms", "runs", HOLDER, OWNER, "notices"];
lanes.sort((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group));
// Bars that overlap get rows of their own, up to a number; the last row has all others.
let tall = HEAD, group = "";
for (const of of lanes) {
  of.bars.sort((a, b) => a.from - b.from);
  const ends = [];
  for (const each of of.bars) {
    each.open = each.to === undefined;
    if (each.open) each.to = whole.to;
    let row = ends.findIndex((at) => at <= each.from);
    if (row < 0) row = Math.min(ends.length, ROWS - 1);
    ends[row] = Math.max(ends[row] ?? 0, each.to);
    (of.rows[row] ??= []).push(each);
  }
  if (of.group !== group) { tall += GROUP; of.begins = group = of.group; }
  of.top = tall;
  of.height = Math.max(of.rows.length, 1) * ROW + GAP;
  tall += of.height;
}

// ---- the picture ----

let view = { ...whole }, query = "", shapes = [], chosen = -1, gutter = 200, wide = 0, high = 0, page = 0;
const matches = (e) => !query || e.found.includes(query);
const x = (time) => gutter + ((time - view.from) / (view.to - view.from)) * (wide - gutter);
const at = (px) => view.from + ((px - gutter) / (wide - gutter)) * (view.to - view.from);
const stamp = (time, long) => {
  const text = new Date(time).toISOString();
  return long ? text.replace("T", " ").replace("Z", "") : text.slice(11, view.to - view.from < 10_000 ? 23 : 19);
};
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 5, 10, 50, 100, 500, SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR,
  6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY, 3650 * DAY];

function fitted(text, room) {
  if (pen.measureText(text).width <= room) return text;
  let low = 0, top = Math.min(text.length, Math.ceil(room / 3));
  while (low < top) {
    const half = (low + top + 1) >> 1;
    if (pen.measureText(`${text.slice(0, half)}…`).width <= room) low = half; else top = half - 1;
  }
  return low > 0 ? `${text.slice(0, low)}…` : "";
}

function draw() {
  const style = getComputedStyle(document.documentElement), paint = (name) => style.getPropertyValue(`--${name}`).trim();
  const scale = window.devicePixelRatio || 1, box = $("lanes");
  wide = box.clientWidth;
  high = Math.max(Math.min(tall + GAP, Math.round(window.innerHeight * 0.62)), 60);
  gutter = Math.min(230, Math.round(wide * 0.3));
  if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(high * scale);
    canvas.style.height = `${high}px`;
  }
  $("space").style.height = `${Math.max(tall + GAP - high, 0)}px`;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.fillStyle = paint("ground");
  pen.fillRect(0, 0, wide, high);
  pen.font = FONT;
  pen.textBaseline = "middle";
  shapes = [];
  const scrolled = box.scrollTop, ground = paint("ground"), faint = paint("faint"), line = paint("line"), text = paint("text");
  const grid = axis();
  for (const of of lanes) {
    const top = of.top - scrolled;
    if (top - GROUP > high || top + of.height < HEAD) continue;
    if (of.begins) {
      pen.fillStyle = paint("band");
      pen.fillRect(0, top - GROUP, wide, GROUP - 3);
      pen.fillStyle = faint;
      pen.fillText(of.begins, 8, top - GROUP / 2 - 1);
    }
    pen.fillStyle = line;
    for (const px of grid.map((mark) => mark.px)) pen.fillRect(px, top, 1, of.height);
    pen.fillRect(0, top + of.height - 1, wide, 1);
    of.rows.forEach((row, n) => bars(row, top + n * ROW + GAP / 2, paint));
    marks(of.marks, top + GAP / 2, paint("notice"), ROW - 2);
    pen.fillStyle = ground;
    pen.fillRect(0, top, gutter - 1, of.height - 1);
    pen.fillStyle = text;
    pen.fillText(fitted(of.name, gutter - 24), 16, top + GAP / 2 + ROW / 2 - 1);
  }
  pen.fillStyle = ground;
  pen.fillRect(0, 0, wide, HEAD);
  let until = -Infinity, day = "";
  for (const { px, time } of grid) {
    const label = stamp(time), date = stamp(time, true).slice(0, 10);
    pen.fillStyle = line;
    pen.fillRect(px, HEAD - 6, 1, 6);
    if (px < until || px + 70 > wide) continue;
    pen.fillStyle = faint;
    pen.fillText(label, px + 3, HEAD - 9);
    if (date !== day) { pen.fillText(date, px + 3, 9); day = date; }
    until = px + 84;
  }
  pen.fillStyle = line;
  pen.fillRect(gutter - 1, 0, 1, high);
  pen.fillRect(0, HEAD - 1, wide, 1);
  if (lanes.length === 0) { pen.fillStyle = faint; pen.fillText("nothing happened", 16, HEAD + 14); }
  $("range").textContent = `${stamp(view.from, true).slice(0, 19)} – ${stamp(view.to, true).slice(0, 19)}`;
}
function axis() {
  const least = ((view.to - view.from) / (wide - gutter)) * 90, step = STEPS.find((each) => each >= least) ?? STEPS.at(-1), found = [];
  for (let time = Math.ceil(view.from / step) * step; time <= view.to && found.length < 200; time += step) found.push({ px: Math.round(x(time)), time });
  return found;
}
function bars(row, top, paint) {
  let drawn = -Infinity, before = null;
  for (const each of row) {
    if (each.to < view.from) continue;
    if (each.from > view.to) break;
    const left = Math.max(x(each.from), gutter), right = Math.max(Math.min(x(each.to), wide), left + 2), found = !query || each.about.some(matches);
    // Many bars within one pixel are one shape, which remembers how many there are.
    if (right <= drawn + 1 && before && (before.found || !found)) { before.more += 1; continue; }
    pen.globalAlpha = found ? 1 : 0.15;
    pen.fillStyle = paint(each.paint);
    pen.fillRect(left, top, right - left, ROW - 3);
    if (right - left > 30) {
      pen.fillStyle = paint("ground");
      pen.fillText(fitted(each.text, right - left - 10), left + 5, top + ROW / 2 - 1);
    }
    pen.globalAlpha = 1;
    before = { left, top, right, high: ROW - 3, bar: each, more: 0, found };
    shapes.push(before);
    drawn = right;
    if (each.marks.length && right - left > 3) marks(each.marks, top + ROW - 7, paint("text"), 4);
  }
}
function marks(list, top, fill, size) {
  let low = 0, past = list.length;
  while (low < past) { const half = (low + past) >> 1; if (list[half].time < view.from) low = half + 1; else past = half; }
  let drawn = -Infinity, before = null;
  for (let n = low; n < list.length && list[n].time <= view.to; n += 1) {
    const px = x(list[n].time), found = matches(list[n]);
    if (px < drawn + 2 && before && (before.found || !found)) { before.more += 1; continue; }
    pen.globalAlpha = found ? 1 : 0.15;
    pen.fillStyle = fill;
    pen.fillRect(px - 1, top, 3, size);
    pen.globalAlpha = 1;
    before = { left: px - 2, top, right: px + 3, high: size, entry: list[n], more: 0, found };
    shapes.push(before);
    drawn = px;
  }
}

// ---- the table, which says the same in words ----

function table() {
  const shown = entries.filter((e) => matches(e) && !(e.time < view.from || e.time > view.to));
  const pages = Math.max(Math.ceil(shown.length / PAGE), 1);
  if (chosen >= 0) { const n = shown.findIndex((e) => e.n === chosen); if (n >= 0) page = Math.floor(n / PAGE); }
  page = Math.min(Math.max(page, 0), pages - 1);
  const rows = shown.slice(page * PAGE, (page + 1) * PAGE).map((e) => {
    const row = document.createElement("tr");
    if (e.n === chosen) row.className = "chosen";
    for (const text of [e.at.replace("T", " ").replace("Z", ""), place(e), what(e), subject(e), e.host, e.result, e.text]) {
      row.appendChild(document.createElement("td")).textContent = text ?? "";
    }
    row.children[2].className = Object.hasOwn(KINDS, e.kind) ? e.kind : "";
    return row;
  });
  $("rows").replaceChildren(...rows);
  const part = pages > 1 ? `, part ${page + 1} of ${pages}` : "";
  const left = data.left_out > 0 ? `; ${data.left_out} later entries are not on this page: use --since, --until or --only` : "";
  $("shown").textContent = `${shown.length} of ${entries.length} entries${part}${left}`;
  $("earlier").disabled = page === 0;
  $("later").disabled = page >= pages - 1;
}
let waits = 0, redrawn = false;
function changed(now) {
  if (!redrawn) { redrawn = true; requestAnimationFrame(() => { redrawn = false; draw(); }); }
  clearTimeout(waits);
  if (now) table(); else waits = setTimeout(table, 120);
}
function choose(n) {
  chosen = n;
  table();
  document.querySelector("tr.chosen")?.scrollIntoView({ block: "center" });
}

// ---- what people do ----

function zoom(by, around) {
  const from = around - (around - view.from) * by, to = around + (view.to - around) * by;
  if (to - from < 10) return;
  view = to - from >= whole.to - whole.from ? { ...whole } : { from, to };
  chosen = -1;
  move(0);
}
function move(by) {
  const span = view.to - view.from, from = Math.min(Math.max(view.from + by, whole.from), whole.to - span);
  view = { from, to: from + span };
  changed();
}
const middle = () => (view.from + view.to) / 2;
canvas.addEventListener("wheel", (event) => {
  if (event.offsetX < gutter) return;
  event.preventDefault();
  const turned = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(((event.deltaX || turned) / (wide - gutter)) * (view.to - view.from));
  else zoom(Math.exp(Math.min(Math.max(turned, -300), 300) * 0.002), at(event.offsetX));
}, { passive: false });
let drag = null;
canvas.addEventListener("pointerdown", (event) => { drag = { from: event.offsetX, moved: false }; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    const by = event.offsetX - drag.from;
    if (!drag.moved && Math.abs(by) < 4) return;
    drag.moved = true;
    drag.from = event.offsetX;
    canvas.classList.add("drags");
    move((-by / (wide - gutter)) * (view.to - view.from));
  } else hover(event);
});
canvas.addEventListener("pointerup", (event) => {
  const clicked = drag && !drag.moved && shape(event.offsetX, event.offsetY);
  drag = null;
  canvas.classList.remove("drags");
  if (clicked) choose((clicked.entry ?? clicked.bar.about[0])?.n ?? -1);
});
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
function shape(px, py) {
  if (px < gutter || py < HEAD) return null;
  return shapes.findLast((s) => px >= s.left - 1 && px <= s.right + 1 && py >= s.top && py <= s.top + s.high) ?? null;
}
function lines(found) {
  const said = (e) => `${e.at.replace("T", " ").replace("Z", "")}  ${place(e) && `line ${place(e)}  `}${words(e)}`;
  if (found.entry) return [said(found.entry)];
  const { text, from, to, open, about } = found.bar;
  const lasted = open ? `from ${stamp(from, true)}, not ended` : `${stamp(from, true)} – ${stamp(to, true)}`;
  const rest = about.length > 12 ? [`... and ${about.length - 12} more`] : [];
  return [text, lasted, ...about.slice(0, 12).map(said), ...rest];
}
function hover(event) {
  const tip = $("tip"), found = shape(event.offsetX, event.offsetY);
  tip.hidden = !found;
  if (!found) return;
  const more = found.more > 0 ? [`${found.more} more here: zoom in`] : [];
  tip.textContent = [...lines(found), ...more].map((text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text)).join("\n");
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const under = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(left, 4)}px`;
  tip.style.top = `${under ? event.clientY + 18 : Math.max(event.clientY - tip.offsetHeight - 10, 4)}px`;
}
const fit = () => { view = { ...whole }; changed(); };
const KEYS = {
  "+": () => zoom(0.6, middle()), "=": () => zoom(0.6, middle()), "-": () => zoom(1 / 0.6, middle()), 0: fit,
  ArrowLeft: () => move((view.from - view.to) / 8), ArrowRight: () => move((view.to - view.from) / 8),
  ArrowUp: () => { $("lanes").scrollTop -= 60; }, ArrowDown: () => { $("lanes").scrollTop += 60; },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const search = $("search"), types = document.activeElement === search;
  if (event.key === "Escape") { search.value = ""; find(); search.blur(); } else if (event.key === "/" && !types) { search.focus(); event.preventDefault(); }
  const arrow = event.key.startsWith("Arrow") && document.activeElement !== canvas;
  if (types || arrow || !Object.hasOwn(KEYS, event.key)) return;
  KEYS[event.key]();
  event.preventDefault();
});
function find() { query = $("search").value.trim().toLowerCase(); page = 0; chosen = -1; changed(); }
$("search").addEventListener("input", find);
$("in").addEventListener("click", () => zoom(0.6, middle()));
$("out").addEventListener("click", () => zoom(1 / 0.6, middle()));
$("fit").addEventListener("click", fit);
$("earlier").addEventListener("click", () => { page -= 1; chosen = -1; table(); });
$("later").addEventListener("click", () => { page += 1; chosen = -1; table(); });
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  changed();
});
$("lanes").addEventListener("scroll", () => { $("tip").hidden = true; changed(); });
window.addEventListener("resize", () => changed());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed());

// A link may say what to show: #search=link&theme=dark&from=2026-03-14T10:00:00Z&to=...
function link() {
  const said = new URLSearchParams(location.hash.slice(1)), from = Date.parse(said.get("from") ?? ""), to = Date.parse(said.get("to") ?? "");
  if (["dark", "light"].includes(said.get("theme"))) document.documentElement.dataset.theme = said.get("theme");
  if (said.has("search")) $("search").value = said.get("search");
  if (from < to) view = { from: Math.max(from, whole.from), to: Math.min(to, whole.to) };
  if (view.to - view.from < 10) view = { ...whole };
  find();
}
window.addEventListener("hashchange", link);

const count = (group) => lanes.filter((of) => of.group === group).reduce((sum, of) => sum + of.bars.length, 0);
document.title = `Dry run of ${data.logs.join(", ")}`;
$("about").textContent = `${data.logs.join(", ")}: ${entries.length} entries`;
$("ending").textContent = data.ending;
canvas.setAttribute("aria-label", `Timeline: ${count("alarms")} alarms, ${count("runs")} runs, ${count(HOLDER)} times that a host had a resource. The table below says the same.`);
const legend = [["alarm", "alarm is active"], ["good", "run finished"], ["bad", "run failed"], ["busy", "run in progress, or ended in another way"], ["notice", "notice"]];
for (const [paint, text] of [...legend, ...[...hosts].map(([host, paint]) => [paint, host])]) {
  const item = document.createElement("li"), patch = document.createElement("i");
  patch.style.background = `var(--${paint})`;
  item.append(patch, text);
  $("legend").append(item);
}
link();
draw();
table();
