// The page: a view of its own address. What was asked stands in the query string (q, source, since,
// until, and the article that is read), so that it can be shared and gone back to. Text of articles
// only ever becomes text nodes: the policy of the page allows no other way.

const $ = (id) => document.getElementById(id);
const NUMBER = new Intl.NumberFormat("en");

// ---- the address -----------------------------------------------------------------------------

function stateOf(search) {
  const query = new URLSearchParams(search);
  const one = (name) => (query.get(name) || "").trim();
  return {
    questions: query.getAll("q").map((text) => text.trim()).filter(Boolean),
    source: one("source"), since: one("since"), until: one("until"),
    article: query.get("article"), from: query.get("from"),
    words: query.get("words"),
  };
}

function addressOf(state) {
  const query = new URLSearchParams();
  for (const question of state.questions) query.append("q", question);
  for (const name of ["source", "since", "until", "article", "from", "words"]) {
    if (state[name]) query.set(name, state[name]);
  }
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

let state = stateOf(location.search);

function go(change) {
  const next = addressOf({ ...state, ...change });
  if (next !== location.pathname + location.search) history.pushState(null, "", next);
  show();
}

const closed = { article: null, from: null, words: null };

// ---- asking the server -----------------------------------------------------------------------

class Problem extends Error {
  constructor(found) {
    super(found.detail);
    this.found = found;
  }
}

const UNREACHABLE = { title: "The server does not answer", detail: "Is qa serve still running? Ask again when it is." };
const TORN = { title: "The answer broke off", detail: "The server stopped in the middle of it. Ask again." };

async function call(path, options = {}) {
  const headers = { ...options.headers };
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem(UNREACHABLE);
  }
  if (response.status === 401) unlock(token);
  if (!response.ok) {
    throw new Problem(await response.json().catch(() => ({ title: response.statusText, detail: "" })));
  }
  return response;
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      throw error.name === "AbortError" ? error : new Problem(TORN);
    }
    if (part.done) return;
    held += part.value;
    const blocks = held.split("\n\n");
    held = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      if (fields.event) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}

// ---- making elements -------------------------------------------------------------------------

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Offsets count characters as Python does, strings here count UTF-16 units: the cuts made so.
function cut(text, ...offsets) {
  const places = [];
  let units = 0, characters = 0;
  for (const offset of offsets) {
    while (characters < offset && units < text.length) {
      units += text.codePointAt(units) > 0xffff ? 2 : 1;
      characters += 1;
    }
    places.push(units);
  }
  return [0, ...places, text.length].slice(0, -1).map((start, n) => text.slice(start, [...places, text.length][n]));
}

// The text with blank lines as narrow gaps, so that a passage of short paragraphs stays in sight.
function flow(text) {
  return text.split(/\n[^\S\n]*\n\s*/).flatMap((part, n) => (n ? [make("span", { class: "gap" }), part] : [part]));
}

function plural(count, noun) {
  return `${NUMBER.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

// The turn that was just asked stays at the top while those above it grow, until the reader moves.
let pinned = null;

function settle() {
  pinned?.element.scrollIntoView({ block: "start", behavior: "instant" });
}

for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  addEventListener(name, () => { pinned = null; }, { passive: true });
}

// ---- a turn: a question and what came of it ----------------------------------------------------

const turns = new Map();

class Turn {
  constructor(questions, filters) {
    this.question = questions.at(-1);
    this.earlier = questions.slice(0, -1);
    this.filters = filters;
    this.body = make("div");
    this.element = make("section", { class: "turn" }, make("h2", { tabindex: "-1" }, this.question), this.body);
    this.stop = new AbortController();
    this.done = false;
    this.ask();
  }

  async ask() {
    this.body.replaceChildren(make("p", { class: "waiting" }, "Searching"));
    const { source, since, until } = this.filters;
    const asked = {
      question: this.question, earlier: this.earlier.slice(-20),
      sources: source ? [source] : [], since: since || null, until: until || null,
    };
    try {
      const response = await call("/v1/ask/stream", {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify(asked), signal: this.stop.signal,
      });
      let answer = null;
      for await (const [name, data] of events(response)) {
        if (name === "passages") this.found(data.hits);
        else if (name === "answer") answer = data;
        else if (name === "words") { this.answered(answer, data); this.done = true; }
        else if (name === "problem") throw new Problem(data);
      }
      if (!this.done) throw new Problem(TORN);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      this.failed(error.found);
    }
  }

  found(hits) {
    queueMicrotask(settle);
    this.body.replaceChildren(make("p", { class: "waiting" }, "Reading"), list(hits, this, new Set()));
  }

  answered(answer, words) {
    const marked = new Set(words.marked);
    const is = answer.status === "answered";
    this.element.classList.toggle("unanswered", !is);
    const parts = is ? verdict(answer, words, marked) : refusal(answer, words);
    if (is) parts.push(agreement(answer.agreement, this));
    if (answer.carried.length) {
      parts.unshift(make("p", { class: "understood" }, `Understood as: ${answer.understood_as}`));
    }
    this.body.replaceChildren(...parts.filter(Boolean), list(answer.hits, this, marked));
    $("said").textContent = this.body.querySelector(".verdict").textContent;
    settle();
  }

  failed(problem) {
    const again = make("button", { type: "button", class: "quiet" }, "Ask again");
    again.addEventListener("click", () => this.ask());
    this.body.replaceChildren(
      make("div", { class: "problem", role: "alert" }, make("strong", {}, problem.title), problem.detail, make("div", {}, again)),
    );
  }

  passage(rank) {
    return this.element.querySelector(`[data-rank="${rank}"]`);
  }
}

// Where no words are sure enough to be claimed.
const UNMARKED = {
  confident: "In these passages", likely: "Probably in these passages", unsure: "Perhaps in these passages",
};

function verdict(answer, words, marked) {
  const first = answer.hits[0];
  const said = first.span && marked.has(first.rank) ? first.span.text.replace(/\s+/g, " ") : null;
  return [
    make("div", { class: "verdict" },
      make("p", { class: said ? "words" : "words none" }, said || UNMARKED[words.sureness]),
      make("p", { class: `sure ${words.sureness}`, title: "The probability that the first passage answers" },
        `${words.sureness} (${answer.confidence.toFixed(2)})`)),
  ];
}

function refusal(answer, words) {
  return [
    make("div", { class: "verdict" }, make("p", { class: "words none" }, "Nothing here answers that.")),
    make("p", { class: "why" }, words.why),
    answer.hits.length ? make("p", { class: "nearest" }, "The nearest passages, which do not answer it") : null,
  ];
}

function agreement(items, turn) {
  if (!items.length) return null;
  return make("ul", { class: "agreement" }, ...items.map((item) => {
    const articles = new Set(item.answers[0].citations.map((cited) => cited.article_id + "\n" + cited.source)).size;
    const kind = item.kind === "differ" ? "The articles differ" : `${plural(articles, "article")} agree`;
    const said = item.answers.map((answer) => make("li", {},
      make("q", {}, answer.text.replace(/\s+/g, " ")), " ",
      make("span", { class: "ranks" }, ...answer.ranks.map((rank) => {
        const link = make("a", { href: `#passage-${rank}`, "aria-label": `To passage ${rank}` }, `[${rank}]`);
        link.addEventListener("click", (event) => {
          event.preventDefault();
          turn.passage(rank)?.scrollIntoView({ block: "center" });
          turn.passage(rank)?.querySelector("a").focus({ preventScroll: true });
        });
        return link;
      }))));
    return make("li", { class: item.kind }, make("span", { class: "kind" }, kind), make("ul", {}, ...said));
  }));
}

function list(hits, turn, marked) {
  return make("ol", { class: "hits" }, ...hits.map((hit) => {
    const cited = hit.citation;
    const words = hit.span && marked.has(hit.rank) ? hit.span : null;
    const [before, inside, after] = words ? cut(hit.text, words.start, words.end) : [hit.text, "", ""];
    return make("li", { class: "hit", "data-rank": hit.rank },
      make("header", {},
        make("span", { class: "rank", "aria-hidden": "true" }, String(hit.rank)),
        make("h3", {}, articleLink(cited, cited.title.trim() || cited.source, words)),
        hit.noise ? make("span", { class: "kind-of" }, hit.noise) : null),
      make("blockquote", {}, ...flow(before), inside ? make("mark", {}, ...flow(inside)) : null, ...flow(after)),
      make("p", { class: "cite" }, place(cited)),
      ...hit.also_in.map((copy) => make("p", { class: "cite" }, "also in ", articleLink(copy, copy.title.trim() || copy.source), ` · ${place(copy)}`)),
    );
  }));
}

function place(cited) {
  return [`${cited.source}:${cited.line} ¶${cited.paragraph}`, cited.date].filter(Boolean).join(" · ");
}

function articleLink(cited, text, words = null) {
  const target = {
    article: `${cited.article_id}#${cited.start}-${cited.end}`, from: cited.source,
    words: words ? `${cited.start + words.start}-${cited.start + words.end}` : null,
  };
  const link = make("a", { href: addressOf({ ...state, ...target }), "data-article": "" }, text);
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(target);
  });
  return link;
}

// ---- reading an article ----------------------------------------------------------------------

let reading = null;
let came = null; // where the focus was

async function read() {
  const wanted = state.article ? `${state.article}\n${state.from}\n${state.words}` : null;
  if (wanted === reading) return;
  reading = wanted;
  const dialog = $("reading");
  if (!wanted) {
    if (dialog.open) dialog.close();
    return;
  }
  came = document.activeElement;
  const query = new URLSearchParams({ citation: state.article });
  if (state.from) query.set("source", state.from);
  try {
    const article = await (await call(`/v1/show?${query}`)).json();
    if (reading === wanted) shown(article);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    $("title").textContent = error.found.title;
    $("where").textContent = "";
    $("text").replaceChildren(error.found.detail);
  }
  if (reading === wanted && !dialog.open) dialog.showModal();
  const target = $("text").querySelector("mark") || $("text").querySelector(".cited");
  $("text").scrollTop = 0;
  target?.scrollIntoView({ block: "center", behavior: "instant" });
  $("text").focus({ preventScroll: true });
}

function shown(article) {
  $("title").textContent = article.title.trim() || article.source;
  const where = [article.source, article.date, article.author].filter(Boolean).join(" · ");
  const web = /^https?:\/\//i.test(article.url || "");
  $("where").replaceChildren(where, ...(web ? [" · ", make("a", { href: article.url, rel: "noreferrer noopener", target: "_blank" }, "the page it is from")] : []));
  const cited = article.citation;
  if (!cited) {
    $("text").replaceChildren(article.text);
    return;
  }
  const [, first, last] = /^(\d+)-(\d+)$/.exec(state.words || "") || [];
  const inside = first !== undefined && Number(first) >= cited.start && Number(last) <= cited.end && Number(first) < Number(last);
  const borders = inside ? [cited.start, Number(first), Number(last), cited.end] : [cited.start, cited.end];
  const parts = cut(article.text, ...borders);
  const passage = make("span", { class: "cited" }, ...(inside ? [parts[1], make("mark", {}, parts[2]), parts[3]] : [parts[1]]));
  $("text").replaceChildren(parts[0], passage, parts.at(-1));
}

// ---- the whole -------------------------------------------------------------------------------

function show() {
  state = stateOf(location.search);
  const { source, since, until } = state;
  const filters = { source, since, until };
  const wanted = state.questions.map((_, n) => {
    const asked = state.questions.slice(0, n + 1);
    const key = JSON.stringify([asked, filters]);
    if (!turns.has(key)) turns.set(key, new Turn(asked, filters));
    return turns.get(key);
  });
  for (const [key, turn] of turns) {
    if (wanted.includes(turn) || turn.done) continue;
    turn.stop.abort();
    turns.delete(key);
  }
  const last = wanted.at(-1);
  const fresh = last && !last.element.isConnected;
  const there = [...$("turns").children];
  if (there.length !== wanted.length || wanted.some((turn, n) => there[n] !== turn.element)) {
    $("turns").replaceChildren(...wanted.map((turn) => turn.element));
  }
  document.body.classList.toggle("asked", wanted.length > 0);
  $("again").hidden = wanted.length === 0;
  document.title = last ? `${last.question} – qa` : "qa";
  $("question").placeholder = last ? "Ask on, or something else" : "Where will they meet?";
  for (const name of ["source", "since", "until"]) $(name).value = state[name];
  const narrowed = [source && `source ${source}`, since && `since ${since}`, until && `until ${until}`].filter(Boolean);
  $("narrowed").textContent = narrowed.length ? `Only ${narrowed.join(", ")}` : "Filter by source or date";
  $("filters").classList.toggle("narrowed", narrowed.length > 0);
  if (fresh) {
    pinned = last;
    settle();
  }
  read();
}

async function holds() {
  try {
    const status = await (await call("/v1/status")).json();
    $("holds").textContent = status.articles ? plural(status.articles, "article") : "No articles yet: qa add FOLDER";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    $("holds").textContent = error.found.title;
  }
}

let listed = false;

async function offerSources() {
  if (listed) return;
  listed = true;
  try {
    const page = await (await call("/v1/articles?limit=500")).json();
    const names = [...new Set(page.articles.map((article) => article.source))];
    $("sources").replaceChildren(...names.map((name) => make("option", { value: name })));
  } catch (error) {
    listed = false;
    if (!(error instanceof Problem)) throw error;
  }
}

function unlock(refused) {
  // Another may have been given since.
  if (sessionStorage.getItem("token") !== refused) return;
  sessionStorage.removeItem("token");
  $("wrong").hidden = !refused;
  if (!$("locked").open) $("locked").showModal();
}

function passages(step) {
  const links = [...document.querySelectorAll(".hit h3 a")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const last = document.querySelectorAll(".turn:last-child .hit h3 a");
  const next = here < 0 ? last[0] || links[0] : links[Math.min(Math.max(here + step, 0), links.length - 1)];
  next.focus({ preventScroll: true });
  next.closest(".hit").scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => $("question").focus(),
  j: () => passages(1),
  k: () => passages(-1),
  f: () => { $("filters").open = true; $("source").focus(); },
  n: () => begin(),
  "?": () => $("keys").showModal(),
};

function begin() {
  go({ questions: [], ...closed });
  $("question").value = "";
  $("question").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  const filters = Object.fromEntries(["source", "since", "until"].map((name) => [name, $(name).value.trim()]));
  if (!question && !state.questions.length) {
    $("question").focus();
    return;
  }
  $("question").value = "";
  go({ questions: question ? [...state.questions, question] : state.questions, ...filters, ...closed });
});

for (const name of ["source", "since", "until"]) {
  $(name).addEventListener("change", () => {
    if ($(name).checkValidity()) go({ [name]: $(name).value.trim() });
  });
}
$("source").addEventListener("focus", offerSources);
$("clear").addEventListener("click", () => { go({ source: "", since: "", until: "" }); $("source").focus(); });
$("new").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  begin();
});
$("close").addEventListener("click", () => $("reading").close());
$("reading").addEventListener("close", () => {
  if (state.article) go(closed);
  came?.focus?.({ preventScroll: true });
});
$("reading").addEventListener("click", (event) => { if (event.target === $("reading")) $("reading").close(); });
$("help").addEventListener("click", keys["?"]);
$("close-keys").addEventListener("click", () => $("keys").close());
$("unlock").addEventListener("submit", () => {
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  holds();
  for (const turn of turns.values()) if (!turn.done) turn.ask();
  reading = null;
  read();
});
addEventListener("popstate", show);

const given = /^#token=(.+)$/.exec(location.hash);
if (given) {
  sessionStorage.setItem("token", decodeURIComponent(given[1]));
  history.replaceState(null, "", location.pathname + location.search);
}
if (matchMedia("(hover: hover)").matches) $("question").focus();
holds();
show();
