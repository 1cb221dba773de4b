// The fleet page. It reads two documents, the fleet and one rotation, and is told by a stream when the fleet has
// changed. Where it is (filter, the Edge that is open) stands in the URL. Whatever the objects say is set as text.

const LABELS = { Attention: "Needs attention", UnderWay: "Under way", Waiting: "Waiting", Well: "Well" };
const BETWEEN = 1000; // ms, from one question to the next at the least
const UNTOLD = 30_000; // and at the most: a connection can be lost without a word
const DAY = 86_400_000;

const byId = (id) => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== "") made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

const sub = (text) => (text ? el("span", { class: "sub" }, text) : "");
const mark = (tone, text) => el("span", { class: "mark", "data-tone": tone }, text);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// --- time: the operator's, as far as it is known

let ahead = 0; // ms by which the operator's clock is ahead of ours
const now = () => Date.now() + ahead;

function span(ms) {
  const size = Math.abs(ms);
  for (const [unit, name, from] of [[DAY, "d", 2 * DAY], [3_600_000, "h", 7_200_000], [60_000, "min", 120_000]]) {
    if (size >= from) return `${Math.floor(size / unit)} ${name}`;
  }
  return `${Math.floor(size / 1000)} s`;
}
const relative = (at) => (at >= now() ? `in ${span(at - now())}` : `${span(now() - at)} ago`);
const utc = (at) => new Date(at).toISOString().slice(0, 16).replace("T", " ") + " UTC";
const moment = (text) => el("time", { datetime: text }, `${utc(text)}, ${relative(Date.parse(text))}`);

// --- what is known

const fleet = {
  items: undefined, // as the operator has them, the most urgent first
  etag: undefined,
  shown: undefined, // the version that they are of
  told: undefined, // the latest version that the stream has spoken of
  at: undefined, // when it was last asked with success
};
let rotation; // the open one: {key, told} or {key, gone: true}

const keyOf = (item) => (item.name ? `${item.namespace}/${item.name}` : "");
const rowKey = (item) => `${item.namespace}/${item.edge}/${item.name ?? ""}`;

// --- where we are

const place = () => new URLSearchParams(location.search);

function href(changes) {
  const query = place();
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  return `?${query}`;
}

function go(url, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  arrived();
}

function matches(item, query) {
  const text = (query.get("text") ?? "").trim().toLowerCase();
  const said = [item.edge, item.name, item.namespace, item.site, item.phase, item.reason, item.message, item.next, item.serialNumber, item.issuer, item.health.text, item.pins?.text];
  return (
    (!query.get("site") || item.site === query.get("site")) &&
    (!query.get("phase") || item.phase === query.get("phase")) &&
    (!query.get("urgency") || item.urgency === query.get("urgency")) &&
    text.split(/\s+/).every((word) => said.some((piece) => piece?.toLowerCase().includes(word)))
  );
}

// --- the pieces of a line

function toneOf(item) {
  if (item.stalled || ["RollingBack", "RolledBack", "Failed"].includes(item.phase)) return "Bad";
  if (["Waiting", "AwaitingApproval", "Held"].includes(item.phase)) return "Warn";
  if (item.phase === "Ready") return item.ready === "False" ? "Bad" : "Good";
  return item.phase ? "Busy" : "Unknown";
}

// A reason that says the same as the phase is left out.
function phaseOf(item) {
  const reason = item.reason && item.reason !== item.phase ? item.reason : "";
  const what = item.phase ?? (item.name ? "Not looked at yet" : "No certificate");
  return [mark(toneOf(item), what), sub([reason, item.message].filter(Boolean).join(": "))];
}

function lifeOf(item) {
  if (!item.notBefore || !item.notAfter) return [el("span", { class: "sub" }, "none of ours is proved")];
  const [begin, end, renewal] = [item.notBefore, item.notAfter, item.renewalTime].map((text) => Date.parse(text));
  const part = (at) => `${(Math.min(1, Math.max(0, (at - begin) / (end - begin))) * 100).toFixed(2)}%`;
  const left = now() < end ? `${span(end - now())} left` : `${span(now() - end)} ago`;
  const renews = Number.isNaN(renewal) || now() >= end ? "" : `, renewal ${now() < renewal ? "" : "was due "}${relative(renewal)}`;
  const word = item.life && item.life !== "Good" ? `${item.life}: ` : "";
  const said = `Valid from ${utc(begin)} until ${utc(end)}. ${word}${left}${renews}`;
  const bar = el("div", { class: "bar", role: "img", "aria-label": said, title: said });
  const piece = (name, property, at) => {
    const made = el("span", { class: name });
    made.style[property] = part(at);
    bar.append(made);
  };
  piece("past", "width", now());
  if (!Number.isNaN(renewal)) piece("renewal", "left", renewal);
  piece("now", "left", now());
  return [el("div", { class: "life", "data-life": item.life }, bar, el("span", { class: "sub" }, word ? el("b", {}, word) : "", left + renews))];
}

const markOf = (of, nothing) => (of ? [mark(of.tone, of.text)] : [el("span", { class: "sub" }, nothing)]);

// --- the list

const rows = new Map(); // by rowKey: {tr, link, cells, is}

function newRow() {
  const link = el("a");
  const about = el("span", { class: "sub" });
  const cells = ["", "", "Next", "Health", "Pins"].map((label) => el("td", { role: "cell", "data-label": label }));
  const tr = el("tr", { role: "row" }, el("th", { role: "rowheader", scope: "row" }, link, about), ...cells);
  return { tr, link, about, cells, is: "" };
}

function fill(row, item) {
  row.tr.dataset.urgency = item.urgency;
  row.link.textContent = item.edge;
  row.about.textContent = [item.site, item.namespace, item.name && item.name !== item.edge ? item.name : ""].filter(Boolean).join(" · ");
  const [phase, life, next, health, pins] = row.cells;
  phase.replaceChildren(...phaseOf(item));
  phase.title = item.message ?? "";
  life.replaceChildren(...lifeOf(item));
  next.replaceChildren(item.next ?? "–");
  health.replaceChildren(...markOf(item.health));
  health.title = item.health.message ?? "";
  pins.replaceChildren(...markOf(item.pins, "no policy"));
  pins.title = item.pins?.message ?? "";
}

function placeRows(items) {
  const body = document.querySelector("tbody");
  const held = document.activeElement?.closest("tbody tr");
  const open = place().get("certificate");
  const minute = Math.floor(now() / 60_000); // what is left of a life is told anew
  const wanted = new Set();
  items.forEach((item, index) => {
    const key = rowKey(item);
    wanted.add(key);
    if (!rows.has(key)) rows.set(key, newRow());
    const row = rows.get(key);
    const is = JSON.stringify(item);
    if (row.is !== is || row.minute !== minute) {
      if (row.is && row.is !== is) freshen(row.tr);
      fill(row, item);
      [row.is, row.minute] = [is, minute];
    }
    const url = item.name ? href({ certificate: keyOf(item) }) : undefined;
    url ? row.link.setAttribute("href", url) : row.link.removeAttribute("href");
    row.tr.toggleAttribute("aria-current", false);
    if (item.name && keyOf(item) === open) row.tr.setAttribute("aria-current", "true");
    if (body.children[index] !== row.tr) body.insertBefore(row.tr, body.children[index] ?? null);
  });
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.tr.remove();
    if (!fleet.items.some((item) => rowKey(item) === key)) rows.delete(key);
  }
  // What is moved loses the focus.
  if (held?.isConnected && !held.contains(document.activeElement)) held.querySelector("a").focus({ preventScroll: true });
}

function freshen(tr) {
  tr.classList.remove("fresh");
  void tr.offsetWidth; // begins the animation anew
  tr.classList.add("fresh");
}

function options(select, what, values, chosen) {
  const all = [...new Set(values.filter(Boolean))].sort((a, b) => a.localeCompare(b));
  if (chosen && !all.includes(chosen)) all.push(chosen);
  const is = JSON.stringify(all);
  if (select.dataset.is !== is) {
    select.replaceChildren(el("option", { value: "" }, what), ...all.map((value) => el("option", { value }, value)));
    select.querySelector("option").value = "";
    select.dataset.is = is;
  }
  select.value = chosen ?? "";
}

function summarize(items, query) {
  const nav = byId("summary");
  const chosen = query.get("urgency") ?? "";
  const count = (urgency) => items.filter((item) => !urgency || item.urgency === urgency).length;
  if (!nav.childElementCount) {
    for (const [urgency, label] of [["", "All"], ...Object.entries(LABELS)]) nav.append(el("a", { "data-urgency": urgency }, el("b"), label));
  }
  for (const link of nav.children) {
    const urgency = link.dataset.urgency ?? "";
    link.href = href({ urgency, certificate: "" });
    link.firstChild.textContent = count(urgency).toLocaleString("en");
    urgency === chosen ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
}

function showList() {
  const query = place();
  const all = fleet.items;
  if (!all) return;
  const found = all.filter((item) => matches(item, query));
  const others = new URLSearchParams(query);
  others.delete("urgency"); // the counts are of all that the rest of the filter lets through
  summarize(all.filter((item) => matches(item, others)), query);
  options(byId("site"), "All sites", all.map((item) => item.site), query.get("site"));
  options(byId("phase"), "All phases", all.map((item) => item.phase), query.get("phase"));
  if (document.activeElement !== byId("text")) byId("text").value = query.get("text") ?? "";
  byId("clear").hidden = !["text", "site", "phase", "urgency"].some((name) => query.get(name));
  byId("clear").href = href({ text: "", site: "", phase: "", urgency: "" });
  byId("shown").textContent = found.length === all.length ? plural(all.length, "Edge") : `${found.length.toLocaleString("en")} of ${plural(all.length, "Edge")}`;
  document.querySelector("table").hidden = found.length === 0;
  byId("nothing").hidden = found.length > 0;
  byId("nothing").textContent = all.length ? "No Edge matches the filter." : "There is no Edge yet.";
  placeRows(found);
}

// --- one Edge

function section(title, ...content) {
  return [el("h3", {}, title), ...content];
}

function facts(pairs) {
  return el("dl", {}, ...pairs.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const happened = (one) =>
  el("li", { "data-type": one.type }, el("b", {}, one.what), moment(one.at), sub(one.text + (one.count > 1 ? ` (${one.count} times)` : "")));

const waiting = (one) =>
  el("li", { class: "waits" }, one.what, one.until ? el("span", { class: "sub" }, "until ", moment(one.until)) : "", one.command ? el("div", {}, el("code", {}, one.command)) : "");

const before = (one) =>
  el(
    "li",
    { "data-type": ["RolledBack", "Rejected"].includes(one.result) ? "Warning" : "Normal" },
    el("b", {}, `Revision ${one.revision}: ${one.result}`),
    one.at ? moment(one.at) : "",
    sub([one.serialNumber && `serial ${one.serialNumber}`, one.change, one.approvedBy && `approved by ${one.approvedBy}`, one.message, one.evidence].filter(Boolean).join(", ")),
  );

const condition = (one) => el("li", {}, el("b", {}, `${one.type}: ${one.status}`), moment(one.since), sub([one.reason, one.message].filter(Boolean).join(": ")));

function listOf(of, make, otherwise) {
  return of?.length ? el("ol", {}, ...of.map(make)) : el("p", { class: "sub" }, otherwise);
}

function detailOf(item, told) {
  const conditions = [...(told.conditions ?? []), ...(told.edgeConditions ?? []).map((one) => ({ ...one, type: `Edge ${one.type}` }))];
  return [
    el("div", { class: "said" }, ...phaseOf({ ...item, phase: told.phase, reason: told.reason, message: told.message, stalled: told.stalled })),
    ...lifeOf(item),
    facts([
      ["EdgeCertificate", `${told.namespace}/${told.name}`],
      ["Site", told.site],
      ["Revision", told.revision === undefined ? "" : String(told.revision)],
      ["Serial", told.serialNumber],
      ["Issuer", item.issuer],
      ["Valid until", told.notAfter && utc(told.notAfter)],
      ["Trace", told.traceId],
      ["Health", el("span", {}, ...markOf(told.health), sub(told.health.message))],
      ["Pins", told.pins && el("span", {}, ...markOf(told.pins), sub(told.pins.message))],
    ]),
    ...section("Waits for", listOf(told.waitsFor, waiting, "a change of the object")),
    ...section("What happened", listOf([...told.happened].reverse(), happened, "Nothing that the status still tells. Events are in: kubectl edgetrust status")),
    ...section("Revisions", listOf(told.history, before, "none yet")),
    el("details", {}, el("summary", {}, "Conditions"), listOf(conditions, condition, "none yet")),
  ];
}

function showDetail() {
  const key = place().get("certificate");
  const detail = byId("detail");
  detail.hidden = !key;
  byId("main").toggleAttribute("data-detail", Boolean(key));
  if (!key) {
    detail.replaceChildren();
    return;
  }
  const item = fleet.items?.find((one) => keyOf(one) === key);
  if (detail.dataset.key !== key || !detail.childElementCount) {
    const back = el("a", { class: "back", href: href({ certificate: "" }) }, "Back to the fleet");
    detail.replaceChildren(back, el("h2", { id: "detail-title", tabindex: "-1" }), el("div"));
    detail.dataset.key = key;
  }
  const [back, title, content] = detail.children;
  back.href = href({ certificate: "" });
  title.textContent = item?.edge ?? key;
  const known = rotation?.key === key ? rotation : undefined;
  const is = JSON.stringify([item, known, Math.floor(now() / 60_000)]);
  if (content.dataset.is === is) return;
  content.dataset.is = is;
  const unfolded = content.querySelector("details")?.open;
  if (known?.told && item) content.replaceChildren(...detailOf(item, known.told));
  else content.replaceChildren(el("p", {}, known?.gone || (fleet.items && !item) ? "There is no such EdgeCertificate any more." : "Loading …"));
  if (unfolded && content.querySelector("details")) content.querySelector("details").open = true;
}

let opener = ""; // the key that was open before
function arrived() {
  const key = place().get("certificate") ?? "";
  document.title = key ? `${key} – edgetrust` : "Fleet – edgetrust";
  showList();
  showDetail();
  if (key !== opener) {
    if (key) byId("detail-title").focus();
    else [...rows.values()].find((row) => row.link.href && new URL(row.link.href).searchParams.get("certificate") === opener)?.link.focus();
    opener = key;
    if (key) askRotation().catch(() => {}); // a loss is noticed by ask()
  }
}

// --- what has changed is said, in few words and not at each word of the stream

let unsaid = []; // changes of Edges
let filtered = false;
let saying;
function say() {
  saying ??= setTimeout(() => {
    const changes = unsaid.length > 3 ? [`${unsaid.length} changes in the fleet`] : unsaid;
    byId("news").textContent = [...(filtered ? [byId("shown").textContent] : []), ...changes].join(". ");
    [unsaid, filtered, saying] = [[], false, undefined];
  }, 2000);
}
function tellNews(before, after) {
  const known = new Map(before.map((item) => [rowKey(item), item]));
  for (const item of after) {
    const was = known.get(rowKey(item));
    if (!was) unsaid.push(`${item.edge} is new`);
    else if (was.phase !== item.phase || was.urgency !== item.urgency) unsaid.push(`${item.edge} is ${item.phase ?? "unknown"}${item.urgency === "Attention" ? ", needs attention" : ""}`);
  }
  if (unsaid.length) say();
}

// --- the connection

let stream;
let failures = 0;
let timer;
let asking = false;
let askedAt = 0;

function connection(state, text) {
  const shown = byId("connection");
  if (shown.dataset.state === state && shown.textContent === text) return;
  shown.dataset.state = state;
  shown.textContent = text;
}

function isLost(why) {
  failures += 1;
  connection("lost", "Connection lost");
  const since = fleet.at === undefined ? "Nothing was read yet." : `What you see is old: it is of ${new Date(fleet.at).toISOString().slice(11, 19)} UTC.`;
  const text = `${why} ${since} Asking again …`;
  if (byId("lost").textContent !== text) byId("lost").textContent = text;
}

function isBack() {
  failures = 0;
  fleet.at = now();
  const since = fleet.silentSince;
  connection(since ? "lost" : "live", since ? "Cluster silent" : stream ? "Live" : "Asking every few seconds");
  const text = since ? `The operator has heard nothing from a watch of the cluster since ${since.slice(0, 16).replace("T", " ")} UTC: what you see may be of then.` : "";
  if (byId("lost").textContent !== text) byId("lost").textContent = text;
}

class Refused extends Error {}

async function askFleet() {
  const headers = fleet.etag ? { "If-None-Match": fleet.etag } : {};
  const answer = await fetch("fleet.json", { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200 && answer.status !== 304) throw new Refused(answer.status === 503 ? "The operator has not read the cluster yet." : `The operator answers ${answer.status}.`);
  if (answer.status === 200) {
    const { time, items } = await answer.json();
    ahead = Date.parse(time) - Date.now();
    const before = fleet.items;
    [fleet.items, fleet.etag] = [items, answer.headers.get("ETag")];
    if (before) tellNews(before, items);
  }
  fleet.shown = answer.headers.get("Edgetrust-Version");
  fleet.silentSince = answer.headers.get("Edgetrust-Silent-Since");
}

async function askRotation() {
  const key = place().get("certificate");
  if (!key) return;
  const answer = await fetch(`rotations/${key.split("/").map(encodeURIComponent).join("/")}`, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200 && answer.status !== 404) return;
  const told = answer.status === 200 ? { key, told: await answer.json() } : { key, gone: true };
  if (key !== place().get("certificate")) return;
  rotation = told;
  showDetail();
}

async function ask() {
  if (asking || document.hidden) return;
  clearTimeout(timer);
  asking = true;
  askedAt = Date.now();
  try {
    await askFleet();
    if (!stream) listen();
    isBack();
    arrived();
    await askRotation();
  } catch (error) {
    stream?.close();
    stream = undefined;
    isLost(error instanceof Refused ? error.message : "The operator does not answer.");
  }
  asking = false;
  askAgain();
}

// Soon where more was told than is shown, or where nobody tells; seldom where all is quiet; ever less often where nobody answers.
function askAgain() {
  const behind = fleet.told !== undefined && fleet.told !== fleet.shown;
  const pause = failures ? Math.min(30_000, BETWEEN * 2 ** (failures - 1)) : behind ? BETWEEN : stream ? UNTOLD : 5 * BETWEEN;
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(0, askedAt + pause - Date.now()));
}

let refusedAt = -Infinity; // a stream that was refused is not asked for at once again
function listen() {
  if (Date.now() - refusedAt < UNTOLD) return;
  stream = new EventSource("events");
  stream.onmessage = ({ data }) => {
    fleet.told = data;
    if (!asking) askAgain();
  };
  stream.onerror = () => {
    if (stream?.readyState === EventSource.CLOSED) refusedAt = Date.now();
    stream?.close();
    stream = undefined;
    clearTimeout(timer);
    timer = setTimeout(ask, Math.max(0, askedAt + BETWEEN - Date.now()));
  };
}

// A page that nobody sees asks nothing, and leaves the few streams to others.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
    clearTimeout(timer);
  } else {
    ask();
  }
});

// --- what a person does

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || !link.getAttribute("href").startsWith("?") || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && place().get("certificate") && event.target.closest("#filter") === null) go(href({ certificate: "" }));
});
window.addEventListener("popstate", arrived);

const filter = byId("filter");
filter.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["text", "site", "phase"]) {
  byId(name).addEventListener("input", ({ target }) => {
    go(href({ [name]: target.value }), { replace: true });
    filtered = true;
    say();
  });
}

// --- light and dark

const theme = byId("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");
function remembered(value) {
  try {
    if (value) localStorage.setItem("theme", value);
    return localStorage.getItem("theme");
  } catch {
    return value; // where nothing may be remembered it holds for this page
  }
}
function paint(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
  theme.setAttribute("aria-pressed", String((chosen ?? (dark.matches ? "dark" : "light")) === "dark"));
}
theme.addEventListener("click", () => paint(remembered(theme.getAttribute("aria-pressed") === "true" ? "light" : "dark")));
dark.addEventListener("change", () => paint(remembered()));
paint(remembered());

ask();
