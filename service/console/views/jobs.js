// Jobs: asked for, watched as they go, cancelled, fetched.

import { ask, events } from "../api.js";
import { announce, field, fill, h, moment, number, select, table } from "../dom.js";
import { callBar, copyButton, notHostedNotice, problem, show } from "../parts.js";
import { asCurl } from "../snippets.js";
import { download } from "./files.js";

export const title = "Jobs";

const FORMATS = ["jsonl", "csv", "obo", "esco", "onet", "xmen", "parquet"];
const MISSING = notHostedNotice("Jobs", "The same can be done with the `cognomen` command.");

export async function render(place, params, context) {
  if (params.get("id")) await one(place, params.get("id"), context);
  else await all(place, params, context);
}

async function all(place, params, { address, signal }) {
  const asked = h("section", { "aria-label": "New job" });
  const shown = h("section", { "aria-label": "Jobs" });
  place.append(
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "Work on files: a pipeline over many lines, or a new generation of a terminology or a collection.",
    ),
    jobForm(params, asked),
    asked,
    shown,
  );

  async function list(token, before) {
    address({});
    await show(
      shown,
      { method: "GET", path: "v1/jobs", query: { page_size: 25, page_token: token } },
      (data) => [
        data.jobs.length
          ? table("Jobs", ["Job", "Kind", "Status", "Progress", "Asked for"], data.jobs.map(row))
          : h("p", { class: "faint" }, "No job was asked for yet."),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", onclick: () => list(token, before) }, "Refresh"),
          before.length > 0 &&
            h("button", { type: "button", onclick: () => list(before.at(-1), before.slice(0, -1)) }, "← Back"),
          data.next_page_token &&
            h("button", { type: "button", onclick: () => list(data.next_page_token, [...before, token]) }, "Next →"),
        ),
      ],
      { missing: MISSING, signal },
    );
  }
  await list(null, []);
}

function row(job) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: `#/jobs?id=${encodeURIComponent(job.id)}` }, job.id)),
    h("td", {}, job.kind),
    h("td", {}, status(job)),
    h("td", {}, bar(job)),
    h("td", {}, moment(job.created_at)),
  );
}

function jobForm(params, place) {
  const kind = select(
    "kind",
    [
      ["run", "run a pipeline"],
      ["index", "index"],
    ],
    params.get("kind") ?? "run",
  );
  const fields = h("div", { class: "fields wide" });
  const file = field(
    "Input file id",
    h("input", {
      name: "input_file_id",
      required: true,
      value: params.get("input_file_id") ?? "",
      autocomplete: "off",
    }),
    { hint: "from Files" },
  );
  const pipeline = (required) =>
    field("Pipeline", h("input", { name: "pipeline", required, list: "pipelines", autocomplete: "off" }), {
      hint: required ? "job-titles, medical, …" : "empty: as the terminology has it",
    });
  const draw = () =>
    fill(
      fields,
      kind.value === "run"
        ? [
            pipeline(true),
            file,
            field("Candidates", h("input", { name: "top_k", type: "number", min: "1", max: "100", value: "1" })),
            field("Terminology", h("input", { name: "over", autocomplete: "off", placeholder: "the pipeline's own" })),
          ]
        : [
            targetField(),
            field(
              "Name",
              h("input", { name: "target", required: true, pattern: "[a-z0-9][a-z0-9._-]{0,99}", autocomplete: "off" }),
              { hint: "lower case, digits, . _ -" },
            ),
            field("Format", select("format", FORMATS, "jsonl")),
            file,
            pipeline(false),
          ],
    );
  const form = h(
    "form",
    { class: "ask" },
    field("Kind", kind),
    fields,
    h("div", { class: "actions wide" }, h("button", { type: "submit", class: "primary" }, "Ask for it")),
  );
  kind.addEventListener("change", draw);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const call = {
      method: "POST",
      path: "v1/jobs",
      json: wanted(new FormData(form)),
      headers: { "idempotency-key": crypto.randomUUID?.() ?? String(Date.now()) },
    };
    const answer = await show(
      place,
      call,
      (job) =>
        h(
          "p",
          { class: "notice good" },
          "Asked for: ",
          h("a", { href: `#/jobs?id=${encodeURIComponent(job.id)}` }, job.id),
        ),
      { missing: MISSING },
    );
    if (answer.ok) location.hash = `#/jobs?id=${encodeURIComponent(answer.data.id)}`;
  });
  draw();
  return form;
}

function targetField() {
  return field("Of a", select("of", ["terminology", "collection"], "terminology"));
}

function wanted(said) {
  const given = (name) => String(said.get(name) ?? "").trim();
  const pipeline = given("pipeline") && { pipeline: given("pipeline") };
  if (given("kind") === "run") {
    const options = { top_k: Number(given("top_k")) || 1, ...(given("over") && { terminology: given("over") }) };
    return { kind: "run", ...pipeline, input_file_id: given("input_file_id"), options };
  }
  return {
    kind: "index",
    [given("of")]: given("target"),
    format: given("format"),
    input_file_id: given("input_file_id"),
    ...pipeline,
  };
}

async function one(place, id, { signal }) {
  const path = `v1/jobs/${encodeURIComponent(id)}`;
  const shown = h("section", { "aria-label": "Job" });
  place.append(h("p", { class: "crumbs" }, h("a", { href: "#/jobs" }, title)), h("h1", {}, h("code", {}, id)), shown);
  const answer = await ask({ method: "GET", path }, { signal });
  if (!answer.ok) {
    fill(shown, problem(answer), callBar(answer));
    return;
  }
  draw(shown, answer.data, path);
  place.append(callBar(answer));
  if (!ended(answer.data)) await watch(shown, path, signal);
}

/** Draw each state as it comes; where the stream breaks off before the end, look again. */
async function watch(shown, path, signal) {
  while (!signal.aborted) {
    try {
      for await (const job of events(`${path}/events`, { signal })) draw(shown, job, path);
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    const now = await ask({ method: "GET", path }, { signal }).catch(() => null);
    if (!now) return;
    if (now.ok) draw(shown, now.data, path);
    if (!now.ok || ended(now.data)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
  }
}

const ended = (job) => ["succeeded", "failed", "cancelled"].includes(job.status);

function draw(place, job, path) {
  const { progress = {}, counts = {} } = job;
  const facts = [
    ["kind", job.kind],
    ["asked for", moment(job.created_at)],
    ["began", moment(job.started_at)],
    ["ended", moment(job.finished_at)],
    ["done", `${number(progress.done)}${progress.total ? ` of ${number(progress.total)}` : ""} ${progress.unit ?? ""}`],
    ["per second", number(progress.per_second)],
    ["seconds left", number(progress.eta_s)],
    ["good lines", number(counts?.ok)],
    ["bad lines", number(counts?.failed)],
  ];
  const cancel = h(
    "button",
    {
      type: "button",
      class: "reject",
      onclick: async () => {
        cancel.disabled = true;
        const answer = await ask({ method: "POST", path: `${path}/cancel` });
        if (answer.ok) draw(place, answer.data, path);
        else place.append(problem(answer));
      },
    },
    "Cancel",
  );
  if (ended(job)) announce(`The job ${job.status}`);
  fill(
    place,
    h("p", { class: "job-status" }, status(job), " ", bar(job)),
    h(
      "dl",
      { class: "facts" },
      facts
        .filter(([, value]) => value && value !== "–" && value.textContent !== "–")
        .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
    job.error &&
      h(
        "div",
        { class: "notice bad" },
        h("strong", {}, job.error.title ?? "Failed"),
        " ",
        job.error.detail ?? (typeof job.error === "string" ? job.error : ""),
      ),
    h(
      "div",
      { class: "actions" },
      !ended(job) && cancel,
      job.output_file_id &&
        h(
          "button",
          { type: "button", class: "primary", onclick: () => download(`${path}/result`, `${job.id}.jsonl`) },
          "Download the result",
        ),
      copyButton("Copy curl that watches it", () =>
        asCurl({ method: "GET", path: `${path}/events` }).replace("curl -s", "curl -sN"),
      ),
    ),
  );
}

function status(job) {
  return h("span", { class: `tag status-${job.status}` }, job.status);
}

function bar(job) {
  const { done = 0, total = null } = job.progress ?? {};
  if (job.status === "succeeded") return h("progress", { max: "1", value: "1", "aria-label": "Progress" });
  return total
    ? h("progress", { max: total, value: done, "aria-label": "Progress" })
    : ended(job)
      ? null
      : h("progress", { "aria-label": "Progress" });
}
