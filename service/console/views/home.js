// Where one begins: what is hosted, and what is not.

import { ask } from "../api.js";
import { h, number } from "../dom.js";
import { callBar, problem } from "../parts.js";

export const title = "Overview";

const KNOWN = [
  ["job-titles", "#/job-titles", "Job titles", "Any job title → its occupation"],
  ["medical", "#/medical", "Medical", "Clinical text in any language → ontology concepts"],
  ["datasheets", "#/datasheets", "Datasheets", "PDF → parameters with unit and page → SPICE model"],
  ["retrieval", "#/retrieval", "Retrieval", "Text or vectors → hits, hubs corrected"],
];

export async function render(place, _params, { signal }) {
  place.append(
    h("h1", {}, "What is this called?"),
    h(
      "p",
      { class: "lead" },
      "Give it any name a thing is called in; it answers with the one the thing is known by, or says, honestly, NIL. Nothing you type leaves the machine this runs on.",
    ),
  );
  const [answer, collections] = await Promise.all([
    ask({ method: "GET", path: "v1/pipelines" }, { signal }),
    ask({ method: "GET", path: "v1/retrieval" }, { signal }),
  ]);
  if (!answer.ok) {
    place.append(problem(answer), callBar(answer));
    return;
  }
  const hosted = new Map(answer.data.pipelines.map((pipeline) => [pipeline.name, pipeline]));
  place.append(
    h(
      "ul",
      { class: "cards" },
      KNOWN.map(([name, href, shown, told]) => {
        const about =
          name === "retrieval" && !hosted.has(name) ? ofCollections(collections) : ofPipeline(hosted.get(name));
        return h(
          "li",
          { class: about ? "card" : "card absent" },
          h("h2", {}, h("a", { href }, shown)),
          h("p", {}, told),
          about ?? h("p", { class: "faint" }, "not hosted here"),
        );
      }),
    ),
    callBar(answer),
  );
}

function ofPipeline(pipeline) {
  if (!pipeline) return null;
  const { terminology, encoder } = pipeline;
  return h(
    "p",
    { class: "faint" },
    `${terminology.title || terminology.name} ${terminology.version}: ${number(terminology.concepts)} concepts, ${number(terminology.terms)} terms, `,
    `${terminology.languages.length} language${terminology.languages.length === 1 ? "" : "s"} · `,
    h("code", {}, encoder.name),
    ` on ${encoder.device}`,
  );
}

function ofCollections(answer) {
  if (!answer.ok) return null;
  const count = answer.data.collections.length;
  return h("p", { class: "faint" }, `${count} collection${count === 1 ? "" : "s"}`);
}
