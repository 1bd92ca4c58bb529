// The list of findings: filters, order, pages and details, made of the data that the page carries. Every text is set as
// text (textContent), never as HTML; no more rows are in the page than one page of the list has.
"use strict";
document.documentElement.classList.add("has-script");
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(begin)));

const ROWS = 50;

function begin() {
  const started = performance.now();
  const data = JSON.parse(document.getElementById("data").textContent);
  const col = data.columns;
  const count = col.check.length;
  const verdicts = data.verdicts.map(([name]) => name);
  const open = new Set([verdicts.indexOf("fail"), verdicts.indexOf("unknown")]);
  const filter = { text: "", verdict: "open", severity: "", service: "", place: "", framework: "", requirement: "", change: "" };
  let order = { by: "", down: false };
  let rows = new Int32Array(0);
  let shown = 0;
  let lower = null;

  const word = (value) => (typeof value === "number" ? data.words[value] : value);
  const resource = (i) => data.prefixes[col.prefix[i]] + col.resource[i] || `account ${data.account}`;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name === "text") element.textContent = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  // Filters

  const inputs = {};
  const choices = (values) => values.map((value) => (Array.isArray(value) ? value : [value, value]));
  const used = (values) => [...new Set(values)];

  function select(name, label, all, values) {
    const element = make("select", { id: `by-${name}` });
    for (const [value, text] of [...all, ...choices(values)]) element.append(make("option", { value, text }));
    element.value = filter[name];
    element.addEventListener("change", () => {
      filter[name] = element.value;
      // What is fixed or waived since is no failure now: a verdict that hides it would show an empty list.
      if (name === "change" && element.value) set("verdict", "");
      update();
    });
    inputs[name] = element;
    return make("label", { for: element.id }, label, element);
  }

  function set(name, value) {
    filter[name] = value;
    if (inputs[name]) inputs[name].value = value;
  }

  const search = make("input", { id: "by-text", type: "search", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => { filter.text = search.value; update(); });
  inputs.text = search;
  const title = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const filters = make("div", { class: "filters", role: "search", "aria-label": "Filter findings" },
    make("label", { for: "by-text", class: "search" }, "Text", search),
    select("verdict", "Verdict", [["open", "Failed or unknown"], ["", "All"]],
      used(col.verdict).sort((a, b) => a - b).map((v) => [verdicts[v], title(data.verdicts[v][1])])),
    select("severity", "Severity", [["", "All"]], data.severities.map((s) => [s, title(s)])),
    select("service", "Service", [["", "All"]], [...data.services].sort()),
    select("place", "Region", [["", "All"]],
      used(col.place).map((p) => data.regions[p]).sort().map((r) => [r, r === "account" ? "Account" : r])),
    select("framework", "Framework", [["", "All"]], data.frameworks));
  if (data.changes.length) filters.append(select("change", "Since the baseline", [["", "All"]], data.changes));

  function chosen() {
    const keep = [];
    const terms = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = verdicts.indexOf(filter.verdict);
    const severity = data.severities.indexOf(filter.severity);
    const place = data.regions.indexOf(filter.place);
    const change = data.changes.findIndex(([name]) => name === filter.change);
    const fits = data.checks.map((check) =>
      (!filter.service || data.services[check.service] === filter.service) &&
      (!filter.framework || check.controls.some((one) => one.startsWith(`${filter.framework}:`))) &&
      (!filter.requirement || check.controls.includes(filter.requirement)));
    // Per term, which checks have it by name: only what is left is searched row by row.
    const named = terms.map((term) => data.checks.map((check) =>
      `${check.id} ${check.title} ${data.services[check.service]}`.toLowerCase().includes(term)));
    const there = terms.map((term) => data.regions.map((region) => region.includes(term)));
    if (terms.length && !lower) lowered();
    for (let i = 0; i < count; i++) {
      const check = col.check[i];
      if (!fits[check]) continue;
      if (filter.verdict === "open" ? !open.has(col.verdict[i]) : verdict >= 0 && col.verdict[i] !== verdict) continue;
      if (severity >= 0 && col.severity[i] !== severity) continue;
      if (place >= 0 && col.place[i] !== place) continue;
      if (change >= 0 && col.change[i] !== change) continue;
      let all = true;
      for (let t = 0; all && t < terms.length; t++) {
        all = named[t][check] || there[t][col.region[i]] || lower[i].includes(terms[t]);
      }
      if (all) keep.push(i);
    }
    return keep;
  }

  function lowered() {
    lower = new Array(count);
    for (let i = 0; i < count; i++) lower[i] = `${word(col.evidence[i])} ${resource(i)}`.toLowerCase();
  }

  // Order

  const ranks = (values) => {
    const sorted = values.map((value, place) => [value, place]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    const rank = [];
    sorted.forEach(([, place], n) => { rank[place] = n; });
    return rank;
  };
  const byTitle = ranks(data.checks.map((check) => check.title));
  const byRegion = ranks(data.regions);
  const byService = ranks(data.services);
  const keys = {
    verdict: (i) => col.verdict[i] * 10 + col.severity[i],
    finding: (i) => byTitle[col.check[i]],
    region: (i) => byRegion[col.place[i]],
    service: (i) => byService[data.checks[col.check[i]].service],
    change: (i) => (col.change[i] < 0 ? 99 : col.change[i]),
  };

  function sorted(keep) {
    if (!order.by) return Int32Array.from(keep);
    const key = keys[order.by];
    const values = new Int32Array(count);
    for (const i of keep) values[i] = key(i);
    const sign = order.down ? -1 : 1;
    return Int32Array.from(keep).sort((a, b) => sign * (values[a] - values[b]) || a - b);
  }

  // The table

  const heads = [["verdict", "Verdict"], ["finding", "Expected, and found"], ["region", "Region"], ["service", "Service"]];
  if (data.changes.length) heads.push(["change", "Change"]);
  const headings = new Map();
  const headRow = make("tr");
  for (const [by, label] of heads) {
    const button = make("button", { type: "button", text: label });
    const head = make("th", { scope: "col", class: `c-${by}` }, button);
    button.addEventListener("click", () => {
      order = { by, down: order.by === by && !order.down };
      update();
    });
    headings.set(by, head);
    headRow.append(head);
  }
  const body = make("tbody");
  const table = make("table", { class: "list" }, make("caption", { class: "unseen", text: "Findings" }), make("thead", {}, headRow), body);
  const said = make("p", { role: "status" });
  const clear = make("button", { type: "button", class: "plain", text: "Clear filters" });
  const previous = make("button", { type: "button", class: "plain", text: "Previous" });
  const next = make("button", { type: "button", class: "plain", text: "Next" });
  const where = make("span", { class: "soft" });
  const state = make("div", { class: "state" }, said, clear);
  const pager = make("div", { class: "pages", role: "group", "aria-label": "Pages" }, previous, next, where);

  function verdictOf(i) {
    const [name, text, mark] = data.verdicts[col.verdict[i]];
    const severity = data.severities[col.severity[i]];
    return name === "fail"
      ? make("span", { class: `v v-${severity}`, "data-mark": mark, text: severity })
      : make("span", { class: `v v-${name}`, "data-mark": mark, text });
  }

  function rowOf(i, n) {
    const check = data.checks[col.check[i]];
    const place = data.regions[col.place[i]];
    const button = make("button", { type: "button", class: "open-row", "aria-expanded": "false", "aria-controls": `more-${n}`, text: check.title });
    const row = make("tr", {},
      make("td", { class: "c-verdict" }, verdictOf(i)),
      make("td", {}, button, make("div", { class: "said", text: `Found: ${word(col.evidence[i])}` })),
      make("td", { class: "small", text: place === "account" ? "Account" : place }),
      make("td", { class: "small", text: data.services[check.service] }));
    if (data.changes.length) row.append(make("td", { class: "small", text: col.change[i] < 0 ? "" : data.changes[col.change[i]][1] }));
    button.addEventListener("click", () => toggle(row, button, i, n));
    return row;
  }

  function toggle(row, button, i, n) {
    const opened = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!opened));
    row.classList.toggle("is-open", !opened);
    if (opened) {
      row.nextElementSibling.remove();
    } else {
      row.after(make("tr", { class: "more", id: `more-${n}` }, make("td", { colspan: heads.length }, detail(i))));
    }
  }

  function lines(values) {
    return make("ul", {}, ...values.map((value) => make("li", {}, value)));
  }

  // Words of ours, with what is in backticks as code.
  function coded(text) {
    const span = make("span");
    text.split(/`([^`]+)`/).forEach((part, n) => span.append(n % 2 ? make("code", { text: part }) : part));
    return span;
  }

  function diff(values) {
    const block = make("pre", { class: "hcl", tabindex: "0", "aria-label": "Diff of the rendered files" });
    for (const text of values) {
      if (text.startsWith("+")) block.append(make("ins", { text }));
      else if (text.startsWith("-")) block.append(make("del", { text }));
      else block.append(`${text}\n`);
    }
    return block;
  }

  function detail(i) {
    const check = data.checks[col.check[i]];
    const verdict = verdicts[col.verdict[i]];
    const list = make("dl", { class: `detail is-${verdict}` });
    const add = (name, value) => {
      if (value) list.append(make("dt", { text: name }), make("dd", {}, value));
    };
    add("Found", word(col.evidence[i]));
    if (verdict !== "earlier") add("Resource", make("span", { class: "mono", text: resource(i) }));
    add("Read in", data.regions[col.region[i]]);
    add("Waived by", word(col.consent[i]));
    add("Next", data.remedies[col.remedy[i]] && coded(data.remedies[col.remedy[i]]));
    if (verdict === "fail" && check.fix) {
      add("environment.yaml", lines(check.fix.words.map(coded)));
      if (check.fix.costs.length) add("Cost per month", lines(check.fix.costs));
      if (check.fix.diff.length) add("Renders", diff(check.fix.diff));
    }
    add("Check", make("span", { class: "mono", text: check.id }));
    const of = new Map();
    for (const [framework, id] of check.controls.map((one) => one.split(":"))) of.set(framework, [...(of.get(framework) || []), id]);
    if (of.size) add("Requirements", lines([...of].map(([framework, ids]) => `${framework}: ${ids.join(", ")}`)));
    const calls = data.calls[col.calls[i]];
    if (calls.length) {
      const some = calls.slice(0, 10).map(([action, region, time, request]) =>
        `${action} in ${region}, ${time}${request ? `, request ${request}` : ""}`);
      if (calls.length > some.length) some.push(`and ${calls.length - some.length} more`);
      add("Read by", make("span", { class: "mono" }, lines(some)));
    }
    return list;
  }

  // What is shown

  function draw() {
    const end = Math.min(shown + ROWS, rows.length);
    const made = [];
    for (let n = shown; n < end; n++) made.push(rowOf(rows[n], n));
    body.replaceChildren(...made);
    previous.disabled = shown === 0;
    next.disabled = end === rows.length;
    pager.hidden = rows.length <= ROWS;
    where.textContent = `${(shown + 1).toLocaleString("en")} to ${end.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    for (const [by, head] of headings) {
      if (order.by === by) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  function update() {
    rows = sorted(chosen());
    shown = 0;
    const of = filter.requirement ? ` of ${filter.requirement.replace(":", " ")}` : "";
    said.textContent = rows.length
      ? `${rows.length.toLocaleString("en")} finding${rows.length === 1 ? "" : "s"}${of}, of ${count.toLocaleString("en")} in all`
      : `No finding${of} fits these filters.`;
    clear.hidden = filter.verdict === "open" && Object.entries(filter).every(([name, value]) => name === "verdict" || !value);
    draw();
  }

  function only(values) {
    for (const name of Object.keys(filter)) set(name, name === "verdict" ? "open" : "");
    for (const [name, value] of Object.entries(values)) set(name, value);
    update();
    document.getElementById("findings").scrollIntoView();
    document.getElementById("findings").focus({ preventScroll: true });
  }

  clear.addEventListener("click", () => { only({}); search.focus(); });
  previous.addEventListener("click", () => { shown -= ROWS; turned(); });
  next.addEventListener("click", () => { shown += ROWS; turned(); });
  function turned() {
    draw();
    table.scrollIntoView();
    body.querySelector("button")?.focus({ preventScroll: true });
  }

  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target = event.target.closest?.(".open-row");
    if (!target) return;
    const buttons = [...body.querySelectorAll(".open-row")];
    const at = buttons.indexOf(target);
    const to = step ? buttons[at + step] : { Home: buttons[0], End: buttons.at(-1) }[event.key];
    const opened = target.getAttribute("aria-expanded") === "true";
    if (to) to.focus();
    else if ((event.key === "ArrowRight" && !opened) || (event.key === "ArrowLeft" && opened)) target.click();
    else if (!step) return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest?.("[data-requirement], [data-service], [data-change]");
    if (!pressed) return;
    const { requirement, service, place, change } = pressed.dataset;
    if (requirement) only({ requirement, verdict: "" });
    else if (change) only({ change, verdict: "" });
    else only({ service, place });
  });

  // Print: the tables get what they left out for the sake of the page's size.

  let printed = [];
  addEventListener("beforeprint", () => {
    if (printed.length) return;
    data.groups.forEach(([verdict, rule, had], n) => {
      const target = document.querySelector(`[data-group="${n}"]`);
      const wanted = verdicts.indexOf(verdict);
      const check = data.checks.findIndex((one) => one.id === rule);
      let seen = 0;
      for (let i = 0; i < count; i++) {
        if (col.check[i] !== check || col.verdict[i] !== wanted || seen++ < had) continue;
        const consent = word(col.consent[i]);
        const found = make("td", { text: word(col.evidence[i]) });
        if (consent) found.append(" ", make("span", { class: "soft", text: `(${consent})` }));
        const row = make("tr", {},
          make("td", { class: "place", text: data.regions[col.region[i]] }),
          found,
          make("td", { class: "what mono", text: resource(i) }));
        printed.push(row);
        target.append(row);
      }
    });
    if (printed.length) document.documentElement.classList.add("is-whole");
  });
  addEventListener("afterprint", () => {
    for (const row of printed) row.remove();
    printed = [];
    document.documentElement.classList.remove("is-whole");
  });

  update();
  document.getElementById("live").append(filters, state, table, pager);
  document.documentElement.dataset.ready = String(Math.round(performance.now() - started));
  (window.requestIdleCallback || setTimeout)(() => { if (!lower) lowered(); });
}
