// Medical: a note with its mentions marked, what is said of each, and the concepts it may be.

import { ask } from "../api.js";
import { announce, field, fill, h, percent } from "../dom.js";
import { chosenOptions, optionFields, optionsInAddress } from "../options.js";
import {
  callBar,
  candidateItem,
  copyButton,
  decisionLine,
  examples,
  mostOf,
  notHostedNotice,
  problem,
  producedBy,
  show,
} from "../parts.js";

export const title = "Medical";

const EXAMPLES = [
  "No fever. The child has had seizures since birth; her father has diabetes.",
  "Paciente con hipertensión arterial, niega dolor torácico. Posible neumonía.",
  "Starke Kopfschmerzen seit drei Tagen, kein Erbrechen.",
];
const MISSING = notHostedNotice(
  "medical",
  "The operator makes it with `cognomen import` and `cognomen build medical`; see docs/api.md.",
);

export async function render(place, params, { address, signal }) {
  const text = h(
    "textarea",
    { name: "text", rows: "6", required: true, maxlength: "100000", spellcheck: "false" },
    params.get("text") ?? "",
  );
  const results = h("section", { class: "results", "aria-label": "Results" });
  const form = h(
    "form",
    { class: "ask" },
    field("Clinical text", text, {
      wide: true,
      hint: "Mark a part of it to link exactly that; else mentions are found. A note never enters the address unless you ask for a link.",
    }),
    field(
      "Language",
      h("input", {
        name: "language",
        value: params.get("language") ?? "",
        placeholder: "detected",
        pattern: "[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*",
        autocomplete: "off",
      }),
      { hint: "BCP 47: de, es" },
    ),
    field("Semantic types", h("input", { name: "types", value: params.get("types") ?? "", autocomplete: "off" }), {
      hint: "separated by commas; empty: any",
    }),
    optionFields(params, { pipeline: "medical" }),
    h(
      "div",
      { class: "actions wide" },
      h("button", { type: "submit", class: "primary" }, "Link it"),
      h("button", { type: "button", onclick: () => submit(marked(text)) }, "Link the marked part"),
      copyButton("Copy link with this text", linked),
    ),
  );

  function linked() {
    const url = new URL(location.href);
    const said = new URLSearchParams(url.hash.split("?", 2)[1] ?? "");
    said.set("text", text.value);
    url.hash = `#/medical?${said}`;
    return url.href;
  }
  async function submit(mentions = null) {
    if (!form.reportValidity()) return;
    const said = new FormData(form);
    const language = said.get("language").trim();
    const types = said
      .get("types")
      .split(",")
      .map((type) => type.trim())
      .filter(Boolean);
    const chosen = chosenOptions(form);
    address({ language, types: types.join(","), ...optionsInAddress(chosen) });
    const item = { text: text.value, ...(language && { language }), ...(mentions && { mentions }) };
    const json = { items: [item], ...chosen, ...(types.length && { semantic_types: types }) };
    await show(results, { method: "POST", path: "v1/medical/link", json }, (data) => drawn(data, item, chosen, json), {
      missing: MISSING,
      signal,
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  place.append(
    h("h1", {}, title),
    h("p", { class: "lead" }, "Mentions in a clinical text, what is said of them, and the concept each is known by."),
    form,
    examples(EXAMPLES, (said) => {
      text.value = said;
      submit();
    }),
    results,
  );
  if (text.value) await submit();
}

/** What is selected in the field, in code points as the API counts; null where nothing is. */
function marked(field) {
  const { selectionStart, selectionEnd, value } = field;
  if (selectionStart === selectionEnd) {
    announce("Nothing is marked; linking the whole text");
    return null;
  }
  const length = (end) => Array.from(value.slice(0, end)).length;
  return [{ start: length(selectionStart), end: length(selectionEnd) }];
}

function drawn(data, item, chosen, json) {
  const result = data.results[0];
  const detail = h("section", { class: "detail", "aria-label": "Chosen mention", "aria-live": "polite" });
  const marks = new Map();
  const choose = (mention) => {
    marks.forEach((mark, of) => mark.setAttribute("aria-pressed", String(of === mention)));
    fill(detail, mentionDetail(data, mention, item, chosen, marks));
  };
  const note = h(
    "p",
    { class: "note", lang: result.language, "aria-label": "The text with its mentions" },
    markedText(item.text, result.mentions, marks, choose),
  );
  if (result.mentions.length) choose(result.mentions[0]);
  else fill(detail, h("p", { class: "faint" }, "No mention was found."));
  return [
    producedBy(data),
    h(
      "p",
      { class: "faint" },
      `Language: ${result.language ?? "cannot be told"} · ${result.mentions.length} mention${result.mentions.length === 1 ? "" : "s"}`,
    ),
    legend(),
    h("div", { class: "split" }, note, detail),
    exports(json),
  ];
}

function legend() {
  return h(
    "p",
    { class: "legend faint" },
    h("span", { class: "mention" }, "linked"),
    " ",
    h("span", { class: "mention nil" }, "NIL"),
    " ",
    h("span", { class: "mention negated" }, "negated"),
    " ",
    h("span", { class: "mention hypothetical" }, "hypothetical"),
    " ",
    h("span", { class: "mention family" }, "family"),
  );
}

/** The text, its mentions as buttons. Of two that overlap the first is marked; both are in the answer. */
function markedText(text, mentions, marks, choose) {
  const points = Array.from(text);
  const parts = [];
  let at = 0;
  for (const mention of [...mentions].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (mention.start < at) continue;
    parts.push(points.slice(at, mention.start).join(""));
    const mark = h(
      "button",
      {
        type: "button",
        class: classes(mention),
        "aria-pressed": "false",
        title: told(mention),
        onclick: () => choose(mention),
      },
      points.slice(mention.start, mention.end).join(""),
    );
    marks.set(mention, mark);
    parts.push(mark);
    at = mention.end;
  }
  return [...parts, points.slice(at).join("")];
}

function classes(mention) {
  return [
    "mention",
    mention.decision.nil && "nil",
    mention.negated && "negated",
    mention.hypothetical && "hypothetical",
    mention.experiencer === "family" && "family",
  ]
    .filter(Boolean)
    .join(" ");
}

function told(mention) {
  const said = [mention.decision.nil ? "NIL" : `${mention.decision.name} (${percent(mention.decision.confidence)})`];
  if (mention.negated) said.push("negated");
  if (mention.hypothetical) said.push("hypothetical");
  if (mention.experiencer !== "patient") said.push(`of ${mention.experiencer}`);
  return said.join(", ");
}

function mentionDetail(data, mention, item, chosen, marks) {
  const most = mostOf(mention.candidates);
  const language = item.language ?? data.results[0].language;
  const give = (candidate, verdict) =>
    ask({
      method: "POST",
      path: "v1/medical/feedback",
      json: {
        items: [{ text: mention.text, concept_id: candidate.concept_id, verdict, ...(language && { language }) }],
        ...(chosen.terminology && { terminology: chosen.terminology }),
      },
    });
  const list = h("ol", { class: "candidates" });
  const draw = (picked) =>
    fill(
      list,
      mention.candidates.map((candidate, i) =>
        candidateItem(candidate, {
          rank: i + 1,
          chosen: candidate.concept_id === picked,
          most,
          terminology: data.terminology.name,
          give: (verdict) => give(candidate, verdict),
          choose: candidate.concept_id === picked ? null : () => pick(candidate),
        }),
      ),
    );
  async function pick(candidate) {
    const answer = await give(candidate, "accept");
    if (!answer.ok) {
      list.prepend(h("li", {}, problem(answer), callBar(answer)));
      return;
    }
    const mark = marks.get(mention);
    mark?.classList.remove("nil");
    mark?.setAttribute("title", `${candidate.name} (chosen by you)`);
    draw(candidate.concept_id);
    announce(`${candidate.name} is chosen; the next answer follows it`);
  }
  draw(mention.decision.concept_id);
  return [
    h("h2", {}, h("q", {}, mention.text)),
    h(
      "p",
      {},
      [
        mention.negated && "negated",
        mention.hypothetical && "hypothetical",
        mention.experiencer !== "patient" && `of ${mention.experiencer}`,
      ]
        .filter(Boolean)
        .map((tag) => h("span", { class: "tag" }, tag)),
      h("span", { class: "faint" }, ` characters ${mention.start}–${mention.end}`),
    ),
    decisionLine(mention.decision),
    list,
  ];
}

/** The same answer in what hospitals exchange. */
function exports(json) {
  const shown = h("div", {});
  const button = (output, label) =>
    h(
      "button",
      {
        type: "button",
        class: "small",
        onclick: () =>
          show(shown, { method: "POST", path: "v1/medical/link", json: { ...json, output } }, (data) =>
            h("pre", { tabindex: "0", "aria-label": label }, JSON.stringify(data, null, 2)),
          ),
      },
      label,
    );
  return h(
    "div",
    { class: "exports" },
    h("div", { class: "actions" }, button("fhir", "As FHIR R4"), button("bioc", "As BioC-JSON")),
    shown,
  );
}
