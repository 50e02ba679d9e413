// Retrieval: the same search with and without hubness correction, side by side, and how often each document is found.

import { ask } from "../api.js";
import { field, fill, h, number, select, svg } from "../dom.js";
import { callBar, notHostedNotice, problem } from "../parts.js";

export const title = "Retrieval";

const MISSING = notHostedNotice(
  "retrieval",
  "A collection is made by a job: upload documents as JSON lines, then ask for kind “index”.",
);

export async function render(place, params, { address, signal }) {
  place.append(
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "Some documents are near to everything: hubs. A correction pushes them down; here is the same search with and without.",
    ),
  );
  const known = await ask({ method: "GET", path: "v1/retrieval" }, { signal });
  if (!known.ok) {
    place.append(known.status === 404 ? MISSING : problem(known), callBar(known));
    return;
  }
  const { collections } = known.data;
  if (!collections.length) {
    place.append(
      h(
        "p",
        { class: "notice" },
        "No collection is here yet. ",
        h("a", { href: "#/jobs" }, "Ask for an index job"),
        " over uploaded documents.",
      ),
      callBar(known),
    );
    return;
  }
  const collection = select(
    "collection",
    collections.map((one) => one.name),
    params.get("collection") ?? collections[0].name,
  );
  const about = h("div", {});
  const method = h("select", { name: "hubness" });
  const queries = h("textarea", { name: "queries", rows: "3", required: true }, params.get("q") ?? "");
  const topK = h("input", { name: "top_k", type: "number", min: "1", max: "100", value: params.get("top_k") ?? "5" });
  const filter = h("input", {
    name: "filter",
    value: params.get("filter") ?? "",
    autocomplete: "off",
    placeholder: '{"level": {"gte": 4}}',
  });
  const results = h("section", { class: "results", "aria-label": "Results" });
  const form = h(
    "form",
    { class: "ask" },
    field("Collection", collection),
    field("Correction", method),
    field("Hits", topK),
    field("Filter", filter, { hint: "JSON over declared fields; empty: none" }),
    field("Queries, one a line", queries, { wide: true, hint: "a text, or a vector as [0.1, …]" }),
    h("div", { class: "actions wide" }, h("button", { type: "submit", class: "primary" }, "Search both ways")),
  );

  function describe() {
    const one = collections.find((each) => each.name === collection.value) ?? collections[0];
    const offered = (one.hubness.methods ?? ["auto"]).filter((name) => name !== "none");
    fill(
      method,
      (offered.includes("auto") ? offered : ["auto", ...offered]).map((name) =>
        h(
          "option",
          { value: name, selected: name === (params.get("hubness") ?? "auto") },
          name === "auto" ? `auto (${one.hubness.method})` : name,
        ),
      ),
    );
    fill(about, facts(one));
  }
  async function submit() {
    const asked = queries.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    let conditions = null;
    filter.setCustomValidity("");
    try {
      conditions = filter.value.trim() ? JSON.parse(filter.value) : null;
    } catch {
      filter.setCustomValidity("Not JSON");
    }
    if (!asked.length || !form.reportValidity()) return;
    address({
      collection: collection.value,
      q: queries.value,
      hubness: method.value === "auto" ? "" : method.value,
      top_k: topK.value === "5" ? "" : topK.value,
      filter: filter.value,
    });
    const base = {
      queries: asked.map(query),
      top_k: Number(topK.value) || 5,
      ...(conditions && { filter: conditions }),
    };
    await bothWays(results, collection.value, base, method.value, asked, signal);
  }
  collection.addEventListener("change", describe);
  filter.addEventListener("input", () => filter.setCustomValidity(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  describe();
  place.append(form, about, results);
  if (queries.value) await submit();
}

/** A line as a query: what looks like a list of numbers is a vector. */
function query(line) {
  if (line.startsWith("[")) {
    try {
      const vector = JSON.parse(line);
      if (Array.isArray(vector) && vector.every((x) => typeof x === "number")) return { vector };
    } catch {
      // Then it is a text that begins with a bracket.
    }
  }
  return { text: line };
}

function facts(one) {
  const { hubness } = one;
  const skew =
    hubness.skewness_before === null ? null : `${number(hubness.skewness_before)} → ${number(hubness.skewness_after)}`;
  const told = [
    ["documents", number(one.items)],
    ["dimension", number(one.dimension)],
    ["metric", one.metric],
    ["auto is", hubness.method],
    ["skewness", skew],
    ["query bank", hubness.query_bank && number(hubness.query_bank)],
    ["why", hubness.reason],
  ];
  return h(
    "dl",
    { class: "facts" },
    told.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

async function bothWays(place, name, base, method, asked, signal) {
  place.setAttribute("aria-busy", "true");
  const path = `v1/retrieval/${encodeURIComponent(name)}/search`;
  const [plain, corrected] = await Promise.all(
    ["none", method].map((hubness) => ask({ method: "POST", path, json: { ...base, hubness } }, { signal })),
  );
  place.removeAttribute("aria-busy");
  if (!plain.ok || !corrected.ok) {
    const failed = plain.ok ? corrected : plain;
    fill(place, problem(failed), callBar(failed));
    return;
  }
  const applied = corrected.data.hubness ?? method;
  fill(
    place,
    asked.map((line, i) =>
      h(
        "article",
        { class: "result" },
        h("h2", {}, line),
        h(
          "div",
          { class: "sides" },
          side("without correction", plain.data.results[i].hits, null),
          side(`with ${applied}`, corrected.data.results[i].hits, plain.data.results[i].hits),
        ),
      ),
    ),
    occurrences(plain.data.results, corrected.data.results, applied),
    callBar(plain),
    callBar(corrected),
  );
}

function side(label, hits, before) {
  const rankBefore = before && new Map(before.map((hit, i) => [hit.id, i]));
  return h(
    "section",
    { class: "side", "aria-label": label },
    h("h3", {}, label),
    h(
      "ol",
      { class: "hits" },
      hits.map((hit, i) =>
        h(
          "li",
          {},
          h("span", { class: "hit-text" }, hit.text ?? hit.id),
          rankBefore && moved(rankBefore.get(hit.id), i),
          h(
            "div",
            { class: "faint" },
            h("code", {}, hit.id),
            ` score ${number(hit.score)}`,
            hit.score !== hit.raw_score ? `, uncorrected ${number(hit.raw_score)}` : "",
          ),
        ),
      ),
    ),
    !hits.length && h("p", { class: "faint" }, "nothing"),
  );
}

function moved(before, now) {
  if (before === undefined) return h("span", { class: "tag good" }, "new");
  if (before === now) return null;
  return h("span", { class: "tag" }, before > now ? `↑ ${before - now}` : `↓ ${now - before}`);
}

/** k-occurrence: in how many of these queries' hits each document stands, most found first. A hub is a high left end. */
function occurrences(plain, corrected, applied) {
  if (plain.length < 2)
    return h("p", { class: "faint" }, "With several queries, how often each document is found is drawn here.");
  const counts = [plain, corrected].map(count);
  const most = Math.max(...counts.flat());
  const length = Math.max(...counts.map((all) => all.length));
  const [width, height] = [600, 160];
  const x = (i) => 34 + (i * (width - 44)) / Math.max(1, length - 1);
  const y = (value) => height - 22 - (value * (height - 36)) / most;
  const line = (all, cls) =>
    svg("polyline", {
      class: cls,
      points: all.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
    });
  const told = `How often each document is among the hits of ${plain.length} queries, most found first: at most ${counts[0][0]} without correction, ${counts[1][0]} with ${applied}.`;
  return h(
    "figure",
    { class: "plot" },
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told },
      svg("line", { class: "axis", x1: 34, y1: y(0), x2: width - 10, y2: y(0) }),
      svg("line", { class: "axis", x1: 34, y1: y(0), x2: 34, y2: y(most) }),
      svg("text", { x: 28, y: y(most) + 4, "text-anchor": "end" }, String(most)),
      svg("text", { x: 28, y: y(0) + 4, "text-anchor": "end" }, "0"),
      svg("text", { x: width - 10, y: height - 6, "text-anchor": "end" }, `${length} documents`),
      line(counts[0], "plain"),
      line(counts[1], "corrected"),
    ),
    h(
      "figcaption",
      { class: "faint" },
      h("span", { class: "key plain" }, "without"),
      " ",
      h("span", { class: "key corrected" }, `with ${applied}`),
      " · ",
      told,
    ),
  );
}

function count(results) {
  const found = new Map();
  for (const result of results) for (const hit of result.hits) found.set(hit.id, (found.get(hit.id) ?? 0) + 1);
  return [...found.values()].sort((a, b) => b - a);
}
