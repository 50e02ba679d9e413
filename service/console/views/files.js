// Files: uploaded for jobs to read, put out by jobs to be fetched.

import { ask, fetchBlob, upload } from "../api.js";
import { announce, bytes, field, fill, h, moment, select, table } from "../dom.js";
import { callBar, notHostedNotice, problem, show } from "../parts.js";

export const title = "Files";

const PURPOSES = ["batch", "terminology", "documents", "queries"];
const MISSING = notHostedNotice("Files", "");

export async function render(place, params, { address, signal }) {
  const file = h("input", { type: "file", name: "file", required: true });
  const purpose = select("purpose", PURPOSES, params.get("purpose") ?? "batch");
  const sent = h("section", { "aria-label": "Upload" });
  const shown = h("section", { "aria-label": "Files" });
  const form = h(
    "form",
    { class: "ask" },
    field("File", file),
    field("Purpose", purpose),
    h("div", { class: "actions wide" }, h("button", { type: "submit", class: "primary" }, "Upload")),
  );

  async function submit() {
    const progress = h("progress", { max: "1", value: "0", "aria-label": "Upload" });
    fill(sent, progress);
    address({ purpose: purpose.value });
    const answer = await upload(
      {
        method: "POST",
        path: "v1/files",
        form: [
          ["purpose", purpose.value],
          ["file", file.files[0]],
        ],
      },
      (share) => {
        progress.value = share;
      },
    );
    fill(
      sent,
      answer.ok ? h("p", { class: "notice good" }, `Kept as `, h("code", {}, answer.data.id)) : problem(answer),
      callBar(answer),
    );
    if (answer.ok) {
      announce("Uploaded");
      form.reset();
      await list(null, []);
    }
  }
  async function list(token, before) {
    await show(
      shown,
      { method: "GET", path: "v1/files", query: { page_size: 50, page_token: token } },
      (data) => [
        data.files.length
          ? table("Files", ["Name", "Id", "Purpose", "Size", "When", "Do"], data.files.map(row))
          : h("p", { class: "faint" }, "No file is here."),
        h(
          "div",
          { class: "actions" },
          before.length > 0 &&
            h("button", { type: "button", onclick: () => list(before.at(-1), before.slice(0, -1)) }, "← Back"),
          data.next_page_token &&
            h("button", { type: "button", onclick: () => list(data.next_page_token, [...before, token]) }, "Next →"),
        ),
      ],
      { missing: MISSING, signal },
    );
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  place.append(
    h("h1", {}, title),
    h("p", { class: "lead" }, "What jobs read and what they put out."),
    form,
    sent,
    shown,
  );
  await list(null, []);
}

function row(file) {
  const run = `#/jobs?${new URLSearchParams({ input_file_id: file.id, kind: file.purpose === "batch" ? "run" : "index" })}`;
  const tr = h(
    "tr",
    {},
    h("th", { scope: "row" }, file.filename),
    h("td", {}, h("code", {}, file.id)),
    h("td", {}, file.purpose),
    h("td", { class: "num" }, bytes(file.bytes)),
    h("td", {}, moment(file.created_at)),
    h(
      "td",
      { class: "actions" },
      h(
        "button",
        {
          type: "button",
          class: "small",
          "aria-label": `Download ${file.filename}`,
          onclick: () => download(`v1/files/${encodeURIComponent(file.id)}/content`, file.filename),
        },
        "Download",
      ),
      h("a", { class: "button small", href: run }, "Use in a job"),
      h(
        "button",
        { type: "button", class: "small reject", "aria-label": `Delete ${file.filename}`, onclick: remove },
        "Delete",
      ),
    ),
  );
  async function remove() {
    const answer = await ask({ method: "DELETE", path: `v1/files/${encodeURIComponent(file.id)}` });
    if (answer.ok) tr.remove();
    else tr.lastElementChild.append(problem(answer));
  }
  return tr;
}

/** Fetch with the key, then hand the bytes to the browser. */
export async function download(path, filename) {
  const blob = await fetchBlob(path);
  if (!blob) {
    announce("It cannot be fetched");
    return;
  }
  const href = URL.createObjectURL(blob);
  h("a", { href, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
