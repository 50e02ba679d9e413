// What every pipeline's request may carry, as fields of a form and of the address.

import { ask } from "./api.js";
import { field, h, select } from "./dom.js";

const HUBNESS = ["auto", "none", "centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn"];

/** Fields for terminology, top_k, hubness and min_confidence, folded away. `params` says what they begin with. */
export function optionFields(params, { pipeline, more = [] }) {
  const terminology = h("input", {
    name: "terminology",
    value: params.get("terminology") ?? "",
    list: `terminologies-${pipeline}`,
    autocomplete: "off",
    placeholder: "the pipeline's own",
  });
  const known = h("datalist", { id: `terminologies-${pipeline}` });
  suggest(known);
  const folded = h(
    "details",
    { class: "options wide" },
    h("summary", {}, "Options"),
    h(
      "div",
      { class: "fields" },
      field("Terminology", terminology),
      known,
      field(
        "Candidates",
        h("input", { name: "top_k", type: "number", min: "1", max: "100", value: params.get("top_k") ?? "5" }),
      ),
      field("Hubness correction", select("hubness", HUBNESS, params.get("hubness") ?? "auto"), {
        hint: "auto: what the build measured to help",
      }),
      field(
        "Least confidence",
        h("input", {
          name: "min_confidence",
          type: "number",
          min: "0",
          max: "1",
          step: "0.01",
          value: params.get("min_confidence") ?? "",
        }),
        { hint: "below it NIL; empty: as calibrated" },
      ),
      more,
    ),
  );
  folded.open =
    ["terminology", "min_confidence"].some((name) => params.get(name)) || (params.get("hubness") ?? "auto") !== "auto";
  return folded;
}

async function suggest(list) {
  const answer = await ask({ method: "GET", path: "v1/terminologies" });
  if (answer.ok) list.append(...answer.data.terminologies.map((one) => h("option", { value: one.name }, one.title)));
}

/** What a form says of them: for the request, defaults left out. */
export function chosenOptions(form) {
  const said = new FormData(form);
  const chosen = { top_k: Number(said.get("top_k")) || 5 };
  if (said.get("terminology")) chosen.terminology = said.get("terminology");
  if (said.get("hubness") && said.get("hubness") !== "auto") chosen.hubness = said.get("hubness");
  if (said.get("min_confidence")) chosen.min_confidence = Number(said.get("min_confidence"));
  return chosen;
}

/** The same for the address: what differs from the default. */
export function optionsInAddress(chosen) {
  return { ...chosen, top_k: chosen.top_k === 5 ? null : chosen.top_k };
}
