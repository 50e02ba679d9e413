// API keys: made, rotated, revoked. For admins; a secret is shown once.

import { ask } from "../api.js";
import { field, fill, h, moment, table, tick } from "../dom.js";
import { callBar, copyButton, notHostedNotice, problem, show } from "../parts.js";

export const title = "Keys";

const SCOPES = [
  ["read", "read: pipelines, search, embeddings"],
  ["write", "write: files, jobs, feedback"],
  ["admin", "admin: keys, deletes"],
];
const MISSING = notHostedNotice("Key management", "Keys are made with `cognomen keys create`.");

export async function render(place, _params, { signal }) {
  const boxes = SCOPES.map(([scope, told]) => [
    scope,
    h("input", { type: "checkbox", value: scope, checked: scope === "read" }),
    told,
  ]);
  const made = h("section", { "aria-label": "New key" });
  const shown = h("section", { "aria-label": "Keys" });
  const form = h(
    "form",
    { class: "ask" },
    field("Name", h("input", { name: "name", required: true, maxlength: "100", autocomplete: "off" }), {
      hint: "whose it is",
    }),
    field("Prefixes", h("input", { name: "prefixes", autocomplete: "off" }), {
      hint: "of terminologies and collections it sees, by commas; empty: all",
    }),
    field("Rate", h("input", { name: "rate", autocomplete: "off", placeholder: "600/minute" }), {
      hint: "empty: the service's own",
    }),
    h(
      "fieldset",
      { class: "wide" },
      h("legend", {}, "Scopes"),
      boxes.map(([, box, told]) => tick(told, box)),
    ),
    h("div", { class: "actions wide" }, h("button", { type: "submit", class: "primary" }, "Make a key")),
  );

  const list = () =>
    show(
      shown,
      { method: "GET", path: "v1/keys" },
      (data) =>
        data.keys.length
          ? table(
              "Keys",
              ["Name", "Id", "Scopes", "Prefixes", "Rate", "Made", "Last used", "Do"],
              data.keys.map((key) => row(key, made, list)),
            )
          : h("p", { class: "faint" }, "There is no key yet."),
      { missing: MISSING, signal },
    );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(form);
    const prefixes = said
      .get("prefixes")
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
    const scopes = boxes.filter(([, box]) => box.checked).map(([scope]) => scope);
    const json = {
      name: said.get("name").trim(),
      scopes,
      ...(prefixes.length && { prefixes }),
      ...(said.get("rate").trim() && { rate: said.get("rate").trim() }),
    };
    const answer = await ask({ method: "POST", path: "v1/keys", json });
    reveal(made, answer);
    if (answer.ok) await list();
  });
  place.append(
    h("h1", {}, title),
    h("p", { class: "lead" }, "Who may call what. Needs an admin key where keys are required."),
    form,
    made,
    shown,
  );
  await list();
}

/** A new secret, this once; the answer itself, which holds it, is not shown as JSON. */
function reveal(place, answer) {
  if (!answer.ok) {
    fill(place, problem(answer), callBar(answer));
    return;
  }
  const { key, name } = answer.data;
  fill(
    place,
    h(
      "div",
      { class: "notice good" },
      h("strong", {}, `The key of ${name}, shown this once: `),
      h("code", { class: "secret" }, key),
      " ",
      copyButton("Copy the key", () => key),
    ),
    callBar({ ...answer, data: "" }),
  );
}

function row(key, made, list) {
  const path = `v1/keys/${encodeURIComponent(key.id)}`;
  const act = (label, call, done) =>
    h(
      "button",
      {
        type: "button",
        class: "small",
        "aria-label": `${label} ${key.name}`,
        onclick: async () => done(await ask(call)),
      },
      label,
    );
  const rotate = act("Rotate", { method: "POST", path: `${path}/rotate`, json: {} }, (answer) => {
    reveal(made, answer);
    made.scrollIntoView({ block: "nearest" });
  });
  const revoke = act("Revoke", { method: "DELETE", path }, (answer) => {
    if (answer.ok) list();
    else fill(made, problem(answer), callBar(answer));
  });
  revoke.classList.add("reject");
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, key.name),
    h("td", {}, h("code", {}, key.id)),
    h("td", {}, key.scopes.join(" ")),
    h("td", {}, key.prefixes.join(" ") || "all"),
    h("td", {}, key.rate ?? "–"),
    h("td", {}, moment(key.created_at)),
    h("td", {}, moment(key.last_used_at)),
    h("td", { class: "actions" }, rotate, revoke),
  );
}
