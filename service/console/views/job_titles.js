// Job titles: candidates, each stage's score, and why the first one won.

import { ask } from "../api.js";
import { field, h, tick } from "../dom.js";
import { chosenOptions, optionFields, optionsInAddress } from "../options.js";
import {
  candidateItem,
  decisionLine,
  examples,
  mostOf,
  notHostedNotice,
  producedBy,
  show,
  whyItWon,
} from "../parts.js";

export const title = "Job titles";

const EXAMPLES = [
  "Sr. Pastry Cook (m/f/d), Riverside",
  "HGV Class 1 driver – nights",
  "infirmière de nuit H/F",
  "Leuchtturmwärter in Teilzeit",
  "free parking and dental",
];
const MISSING = notHostedNotice("job-titles", "The operator makes it with `cognomen setup`.");

export async function render(place, params, { address, signal }) {
  const titles = h(
    "textarea",
    { name: "titles", rows: "2", required: true, maxlength: "100000" },
    params.get("title") ?? "",
  );
  const backoff = h("input", { type: "checkbox", name: "backoff", checked: params.has("backoff") });
  const results = h("section", { class: "results", "aria-label": "Results" });
  const form = h(
    "form",
    { class: "ask" },
    field("Titles, one a line", titles, { wide: true }),
    field(
      "Language",
      h("input", {
        name: "language",
        value: params.get("language") ?? "",
        placeholder: "guessed",
        pattern: "[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*",
        autocomplete: "off",
      }),
      { hint: "BCP 47: de, pt-BR" },
    ),
    field("Skills", h("input", { name: "skills", value: params.get("skills") ?? "", autocomplete: "off" }), {
      hint: "separated by commas",
    }),
    optionFields(params, {
      pipeline: "job-titles",
      more: tick("Answer with a broader occupation where no specific one is sure enough", backoff),
    }),
    h(
      "div",
      { class: "actions wide" },
      h("button", { type: "submit", class: "primary" }, "Name it"),
      h("span", { class: "faint" }, "Ctrl+Enter"),
    ),
  );

  async function submit() {
    const said = new FormData(form);
    const lines = said
      .get("titles")
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    if (!lines.length) return;
    const skills = said
      .get("skills")
      .split(",")
      .map((skill) => skill.trim())
      .filter(Boolean);
    const language = said.get("language").trim();
    const chosen = chosenOptions(form);
    address({
      title: lines.join("\n"),
      language,
      skills: skills.join(","),
      ...optionsInAddress(chosen),
      backoff: backoff.checked ? "1" : "",
    });
    const items = lines.map((line) => ({
      title: line,
      ...(skills.length && { skills }),
      ...(language && { language }),
    }));
    const json = { items, ...chosen, ...(backoff.checked && { backoff: true }) };
    await show(
      results,
      { method: "POST", path: "v1/job-titles/normalize", json },
      (data) => drawn(data, items, chosen),
      { missing: MISSING, signal },
    );
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  titles.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  place.append(
    h("h1", {}, title),
    h("p", { class: "lead" }, "What is written above a vacancy becomes an occupation, or NIL."),
    form,
    examples(EXAMPLES, (text) => {
      titles.value = text;
      form.requestSubmit();
    }),
    results,
  );
  if (titles.value) await submit();
}

function drawn(data, items, chosen) {
  return [
    producedBy(data),
    data.results.map((result, i) =>
      h(
        "article",
        { class: "result" },
        h("h2", {}, items[i].title),
        decisionLine(result.decision),
        facts(result),
        result.candidates.length > 0 && h("p", { class: "why" }, whyItWon(result.candidates)),
        h("ol", { class: "candidates" }, candidates(data, result, items[i], chosen)),
      ),
    ),
  ];
}

function facts(result) {
  const told = [
    ["searched for", result.cleaned_title],
    ["seniority", result.seniority],
    ["employment", (result.employment ?? []).join(", ")],
    ["left out", (result.removed ?? []).join(", ")],
  ];
  return h(
    "dl",
    { class: "facts" },
    told.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function candidates(data, result, item, chosen) {
  const most = mostOf(result.candidates);
  return result.candidates.map((candidate, i) =>
    candidateItem(candidate, {
      rank: i + 1,
      chosen: candidate.concept_id === result.decision.concept_id,
      most,
      terminology: data.terminology.name,
      give: (verdict) =>
        ask({
          method: "POST",
          path: "v1/job-titles/feedback",
          json: {
            items: [
              {
                title: item.title,
                concept_id: candidate.concept_id,
                verdict,
                ...(item.language && { language: item.language }),
              },
            ],
            ...(chosen.terminology && { terminology: chosen.terminology }),
          },
        }),
    }),
  );
}
