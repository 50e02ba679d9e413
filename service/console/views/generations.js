// Generations: which build answers for each pipeline and collection, and what brings another.

import { ask } from "../api.js";
import { h, number, table } from "../dom.js";
import { callBar, copyButton, problem } from "../parts.js";

export const title = "Generations";

export async function render(place, _params, { signal }) {
  place.append(
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "A build is never changed: a new generation is made beside the one that answers, then takes its place at once.",
    ),
  );
  const [pipelines, collections, jobs] = await Promise.all(
    ["v1/pipelines", "v1/retrieval", "v1/jobs"].map((path) => ask({ method: "GET", path }, { signal })),
  );
  if (!pipelines.ok) {
    place.append(problem(pipelines), callBar(pipelines));
    return;
  }
  const rows = pipelines.data.pipelines.map((one) => {
    const { terminology, encoder } = one;
    const artifact = `pipelines/${one.name.replaceAll("-", "_")}/${terminology.name}`;
    const over = `${terminology.name} ${terminology.version}`;
    return row(one.name, over, terminology.concepts, encoder.name, one.hubness, one.generation, artifact);
  });
  const found = collections.ok ? collections.data.collections : [];
  const more = found.map((one) =>
    row(
      "retrieval",
      one.name,
      one.items,
      one.encoder ?? "own vectors",
      one.hubness.method,
      one.generation,
      `collections/${one.name}`,
    ),
  );
  place.append(
    table(
      "Generations that answer",
      ["Pipeline", "Over", "Concepts or documents", "Encoder", "Hubness", "Generation", "Go back"],
      [...rows, ...more],
    ),
    callBar(pipelines),
  );
  place.append(
    h(
      "p",
      { class: "faint" },
      "Going back is the operator's: on the machine itself, ",
      h("code", {}, "cognomen generations rollback"),
      " lets the generation before answer, and the service switches to it by itself.",
    ),
    h("h2", {}, "A new generation"),
    ...(jobs.ok
      ? [
          h("p", {}, h("a", { class: "button", href: "#/jobs?kind=index" }, "Ask for an index job")),
          builds(jobs.data.jobs),
        ]
      : [
          h(
            "p",
            {},
            "Jobs are not hosted here; ",
            h("code", {}, "cognomen build"),
            " makes one, and a restart takes it up.",
          ),
        ]),
  );
}

function row(name, over, size, encoder, hubness, generation, artifact) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name),
    h("td", {}, over),
    h("td", { class: "num" }, number(size)),
    h("td", {}, h("code", {}, encoder)),
    h("td", {}, hubness),
    h("td", {}, h("code", {}, generation ?? "–")),
    h("td", {}, artifact && copyButton("Copy command", () => `cognomen generations rollback ${artifact}`)),
  );
}

function builds(jobs) {
  const made = jobs.filter((job) => job.kind !== "run").slice(0, 10);
  if (!made.length) return h("p", { class: "faint" }, "No build was asked for as a job yet.");
  return h(
    "ul",
    { class: "rows" },
    made.map((job) =>
      h(
        "li",
        {},
        h("a", { href: `#/jobs?id=${encodeURIComponent(job.id)}` }, job.id),
        " ",
        job.kind,
        " ",
        h("span", { class: `tag status-${job.status}` }, job.status),
      ),
    ),
  );
}
