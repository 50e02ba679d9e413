// What several views show: what came of a call, a candidate with its scores, a page of things.

import { ask, notHosted } from "./api.js";
import { announce, fill, h, number, percent } from "./dom.js";
import { may } from "./session.js";
import { asCurl, asPython } from "./snippets.js";

/** How a call went, with itself to copy: as curl, as Python; and the JSON that came. */
export function callBar(answer) {
  const { call, status, ms, requestId, data } = answer;
  const took = status ? `${status} · ${Math.round(ms)} ms` : "no answer";
  return h(
    "div",
    { class: "call" },
    h("code", { class: "call-line" }, `${call.method} /${call.path.replace(/^\//, "")}`),
    h("span", { class: answer.ok ? "good" : "bad" }, took),
    requestId && h("span", { class: "faint", title: "x-request-id" }, requestId),
    h(
      "span",
      { class: "actions" },
      copyButton("Copy as curl", () => asCurl(call)),
      copyButton("Copy as Python", () => asPython(call)),
    ),
    data !== "" &&
      h(
        "details",
        {},
        h("summary", {}, "Answer as JSON"),
        h(
          "pre",
          { tabindex: "0", "aria-label": "Answer as JSON" },
          typeof data === "string" ? data : JSON.stringify(data, null, 2),
        ),
      ),
  );
}

/** A button that copies; it says so for a moment. */
export function copyButton(label, text) {
  const button = h("button", { type: "button", class: "small" }, label);
  button.addEventListener("click", async () => {
    const said = text();
    const done = await copied(said);
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    announce(done ? `${label}: copied` : "Copy the selected text");
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers offer the clipboard to https and loopback pages only: let the text be copied by hand.
    const field = h("textarea", { class: "by-hand", "aria-label": "Text to copy", readonly: true }, text);
    document.querySelector(".by-hand")?.remove();
    document.getElementById("main").append(field);
    field.select();
    field.addEventListener("blur", () => field.remove());
    return false;
  }
}

/** What went wrong, in the service's own words. */
export function problem(answer) {
  const said = typeof answer.data === "object" && answer.data ? answer.data : {};
  const faults = Array.isArray(said.errors) ? said.errors : [];
  announce(`Failed: ${said.title ?? answer.status}`);
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("strong", {}, said.title ?? `Status ${answer.status}`),
    " ",
    said.detail ?? "",
    answer.status === 401 && h("p", {}, "Type a key in with the Key button above."),
    answer.retryAfter && h("p", {}, `Try again in ${answer.retryAfter} s.`),
    faults.length > 0 &&
      h(
        "ul",
        {},
        faults.map((fault) => h("li", {}, h("code", {}, fault.pointer), " ", fault.detail)),
      ),
  );
}

/** Says that a part of the service is not here, and what would bring it. */
export function notHostedNotice(name, mend) {
  return h(
    "div",
    { class: "notice" },
    h("strong", {}, `${name} ${/s$/.test(name) && /^[A-Z]/.test(name) ? "are" : "is"} not hosted here. `),
    "This service answers 404 to it, so there is nothing to show. ",
    mend,
  );
}

/** Ask, and show what came: `shown(data)` makes it. Resolves to the answer. While it lasts `place` is busy. */
export async function show(place, call, shown, { missing = null, signal = null } = {}) {
  place.setAttribute("aria-busy", "true");
  const answer = await ask(call, { signal });
  place.removeAttribute("aria-busy");
  if (answer.ok) fill(place, shown(answer.data, answer), callBar(answer));
  else if (missing && notHosted(answer)) fill(place, missing, callBar(answer));
  else fill(place, problem(answer), callBar(answer));
  return answer;
}

const STAGES = {
  dense: "by meaning",
  lexical: "by spelling",
  corrected: "hubs corrected",
  rerank: "re-ranked",
};

/** Each stage's score as a bar. `most`: stage → the largest score among those shown together. */
export function bars(candidate, most) {
  const stages = Object.entries(candidate.scores ?? {}).filter(([, value]) => typeof value === "number");
  return h(
    "dl",
    { class: "bars" },
    [...stages, ["confidence", candidate.confidence]].map(([stage, value]) => {
      const share = stage === "confidence" ? value : value / (most[stage] || 1);
      return h(
        "div",
        { class: `bar bar-${stage}` },
        h("dt", {}, STAGES[stage] ?? stage),
        h(
          "dd",
          {},
          h(
            "span",
            { class: "track", "aria-hidden": "true" },
            h("span", { class: "fill", style: { width: `${Math.max(0, Math.min(1, share)) * 100}%` } }),
          ),
          h("span", { class: "value" }, stage === "confidence" ? percent(value) : number(value)),
        ),
      );
    }),
  );
}

/** The largest score of each stage; those within [0, 1] are drawn against 1, as they are. */
export function mostOf(candidates) {
  const most = {};
  for (const candidate of candidates) {
    for (const [stage, value] of Object.entries(candidate.scores ?? {}))
      most[stage] = Math.max(most[stage] ?? 1, value);
  }
  return most;
}

/** What decided between the first candidate and the second, read off their scores. */
export function whyItWon(candidates) {
  const [first, second] = candidates;
  if (!first) return null;
  if (!second) return "It is the only candidate.";
  const ahead = [];
  const behind = [];
  for (const [stage, value] of Object.entries(first.scores ?? {})) {
    const other = second.scores?.[stage];
    if (typeof value !== "number" || typeof other !== "number" || Math.abs(value - other) < 1e-6) continue;
    (value > other ? ahead : behind).push(`${STAGES[stage] ?? stage} (${number(value)} against ${number(other)})`);
  }
  const said = [`Ahead of “${second.name}” by ${number(first.score - second.score)}`];
  if (ahead.length) said.push(`better ${ahead.join(", ")}`);
  if (behind.length) said.push(`though worse ${behind.join(", ")}`);
  return `${said.join("; ")}.`;
}

/** The decision in a line: the concept, or NIL and why that is an answer. */
export function decisionLine(decision) {
  const notes = (decision.notes ?? []).map((note) => h("span", { class: "tag" }, note));
  if (decision.nil) {
    return h(
      "p",
      { class: "decision nil" },
      h("strong", {}, "NIL"),
      " nothing fits well enough; the best candidate is right with ",
      percent(decision.confidence),
      " ",
      notes,
    );
  }
  return h(
    "p",
    { class: "decision" },
    h("strong", {}, decision.name),
    " ",
    h("code", {}, decision.concept_id),
    " ",
    h("span", { class: "confidence" }, percent(decision.confidence)),
    " ",
    notes,
  );
}

/**
 * A candidate: name, codes, scores as bars, why; with buttons that say whether it is right.
 * @param give (verdict) => Promise<Answer>; null where nothing can be said.
 */
export function candidateItem(candidate, { rank, chosen, most, terminology, give = null, choose = null }) {
  const codes = Object.entries(candidate.codes ?? {});
  const link = `#/terminologies?name=${encodeURIComponent(terminology)}&id=${encodeURIComponent(candidate.concept_id)}`;
  return h(
    "li",
    { class: chosen ? "candidate chosen" : "candidate" },
    h(
      "div",
      { class: "candidate-head" },
      h("span", { class: "rank", "aria-hidden": "true" }, String(rank)),
      h("h3", {}, h("a", { href: link }, candidate.name)),
      chosen && h("span", { class: "tag rubric" }, "chosen"),
    ),
    h(
      "p",
      { class: "faint" },
      h("code", {}, candidate.concept_id),
      codes.map(([system, code]) => h("span", {}, " · ", system, " ", h("code", {}, code))),
    ),
    h(
      "p",
      {},
      "found as ",
      h("q", {}, candidate.term),
      candidate.term_language ? ` (${candidate.term_language})` : "",
      candidate.explanation ? `: ${candidate.explanation}` : "",
    ),
    bars(candidate, most),
    h(
      "div",
      { class: "actions" },
      choose && h("button", { type: "button", class: "small", onclick: choose }, "Choose this one"),
      give && verdictButton("accept", "✓ Right", candidate, give),
      give && verdictButton("reject", "✗ Wrong", candidate, give),
    ),
  );
}

function verdictButton(verdict, label, candidate, give) {
  const button = h(
    "button",
    {
      type: "button",
      class: `small ${verdict}`,
      "aria-label": `${verdict} ${candidate.name}`,
      disabled: !may("write"),
      title: !may("write") && "needs a key with the scope write",
    },
    label,
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await give(verdict);
    button.disabled = false;
    const pair = button.parentElement.querySelectorAll(".accept, .reject");
    pair.forEach((other) => other.setAttribute("aria-pressed", String(answer.ok && other === button)));
    announce(answer.ok ? `${verdict}ed: ${candidate.name}` : `not kept: ${answer.data?.title ?? answer.status}`);
    const said = answer.ok ? h("span", { class: "said good" }, "kept; the next answer follows it") : problem(answer);
    button.parentElement.querySelector(".said, .notice")?.remove();
    button.parentElement.append(said);
  });
  return button;
}

/** Buttons that fill a form with an example. */
export function examples(list, use) {
  return h(
    "div",
    { class: "examples" },
    h("span", { class: "faint" }, "Try: "),
    list.map((text) => h("button", { type: "button", class: "example", onclick: () => use(text) }, text)),
  );
}

/** What answered, in a line. */
export function producedBy(data) {
  const parts = [
    data.terminology && `${data.terminology.name} ${data.terminology.version}`,
    data.collection,
    data.encoder,
    data.generation && `generation ${data.generation}`,
  ];
  return h("p", { class: "faint produced" }, "Answered from ", parts.filter(Boolean).join(" · "));
}
