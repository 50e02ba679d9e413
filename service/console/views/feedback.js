// Feedback: what users said of answers, and taking it back.

import { ask } from "../api.js";
import { fill, h, moment, number, select, field, table } from "../dom.js";
import { callBar, notHostedNotice, problem, show } from "../parts.js";

export const title = "Feedback";

export async function render(place, params, { address, signal }) {
  const shown = h("section", { "aria-label": "What was said" });
  const known = await ask({ method: "GET", path: "v1/pipelines" }, { signal });
  place.append(
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "What was confirmed answers at once and becomes a term of the next build; what was rejected is not offered for that text again.",
    ),
  );
  if (!known.ok) {
    place.append(problem(known), callBar(known));
    return;
  }
  const names = known.data.pipelines.map((one) => one.name);
  const pipeline = select("pipeline", names, params.get("pipeline") ?? names[0]);

  async function page(token, before) {
    address({ pipeline: pipeline.value });
    const path = `v1/${encodeURIComponent(pipeline.value)}/feedback`;
    await show(
      shown,
      { method: "GET", path, query: { page_token: token, page_size: 50 } },
      (data) => [
        h("p", { class: "faint" }, `${number(data.total)} in all`),
        data.items.length > 0 &&
          table(
            "Feedback",
            ["Text", "Concept", "Verdict", "Language", "When", "Take back"],
            data.items.map((item) => row(item, path)),
          ),
        h(
          "div",
          { class: "actions" },
          before.length > 0 &&
            h("button", { type: "button", onclick: () => page(before.at(-1), before.slice(0, -1)) }, "← Back"),
          data.next_page_token &&
            h("button", { type: "button", onclick: () => page(data.next_page_token, [...before, token]) }, "Next →"),
        ),
      ],
      { missing: notHostedNotice("Feedback", ""), signal },
    );
  }
  pipeline.addEventListener("change", () => page(null, []));
  place.append(field("Pipeline", pipeline), shown);
  if (names.length) await page(null, []);
}

function row(item, path) {
  const tr = h(
    "tr",
    {},
    h("th", { scope: "row" }, item.text),
    h("td", {}, h("code", {}, item.concept_id)),
    h("td", {}, h("span", { class: item.verdict === "accept" ? "good" : "bad" }, item.verdict)),
    h("td", {}, item.language ?? "–"),
    h("td", {}, moment(item.created_at)),
    h(
      "td",
      {},
      h(
        "button",
        { type: "button", class: "small", "aria-label": `Take back: ${item.text}`, onclick: takeBack },
        "Take back",
      ),
    ),
  );
  async function takeBack() {
    const answer = await ask({ method: "DELETE", path: `${path}/${encodeURIComponent(item.id)}` });
    if (answer.ok) tr.remove();
    else fill(tr.lastElementChild, problem(answer));
  }
  return tr;
}
