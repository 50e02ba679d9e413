// Generations: which build answers for each pipeline and collection, and what brings another.

import { ask } from "../api.js";
import { bytes, h, moment, number, table } from "../dom.js";
import { callBar, copyButton, problem, show } from "../parts.js";

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
      ["Pipeline", "Over", "Concepts or documents", "Encoder", "Hubness", "Generation", "On the machine"],
      [...rows, ...more],
    ),
    callBar(pipelines),
  );
  const kept = h("section", { "aria-label": "Generations kept" });
  const list = () =>
    show(
      kept,
      { method: "GET", path: "v1/generations" },
      (data) =>
        table(
          "Generations kept",
          ["Build", "Generation", "Made", "Size", "Do"],
          data.artifacts
            .filter(({ kind }) => kind !== "encoder" && kind !== "terminology")
            .flatMap(({ artifact, generations }) => generations.map((one) => keptRow(artifact, one, list))),
        ),
      { signal },
    );
  place.append(
    h("h2", {}, "Going back"),
    h(
      "p",
      { class: "faint" },
      "An earlier generation answers again once its checksums were found right; the service follows by itself. For admins.",
    ),
    kept,
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
  await list();
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

function keptRow(artifact, one, list) {
  const said = h("span", { role: "status" });
  const back = async () => {
    const call = { method: "POST", path: "v1/generations/rollback", json: { artifact, generation: one.generation } };
    const answer = await ask(call);
    if (answer.ok) list();
    else said.replaceChildren(problem(answer));
  };
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("code", {}, artifact)),
    h("td", {}, h("code", {}, one.generation)),
    h("td", {}, moment(one.created_at)),
    h("td", { class: "num" }, bytes(one.bytes)),
    h(
      "td",
      {},
      one.answers
        ? h("span", { class: "tag" }, "answers")
        : h("button", { type: "button", onclick: back, "aria-label": `Let ${one.generation} answer` }, "Go back to it"),
      said,
    ),
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
