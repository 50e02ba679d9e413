// Whose key this tab has, and what it opens; what a view shows in place of itself where that is not enough.

import { ask, key } from "./api.js";
import { announce, field, fill, h } from "./dom.js";
import { callBar, problem } from "./parts.js";

/** What views need beyond reading. */
const NEEDS = { files: "write", jobs: "write", generations: "admin", keys: "admin" };

let told = null;

/** Ask anew what the key of this tab opens. */
export async function look() {
  told = await ask({ method: "GET", path: "v1/keys/self" });
  return told;
}

/** Who asks: {required, name, scopes, prefixes, rate}; null where nobody is let in. */
export const who = () => (told?.ok ? told.data : null);

/** Whether the key opens what needs this scope. A service that does not say is asked and answers for itself. */
export const may = (scope) => who()?.scopes?.includes(scope) ?? told?.status !== 401;

/** The scope that a view needs and this tab's key lacks; null if it may be shown. */
export function lacking(view) {
  const scope = NEEDS[view] ?? "read";
  return may(scope) ? null : scope;
}

/** Where a key is typed in; `done` is called once it opens something. */
export function signIn(place, done) {
  const input = h("input", { type: "password", required: true, autocomplete: "off", spellcheck: "false" });
  const said = h("div", {});
  const form = h(
    "form",
    { class: "sign-in" },
    field("API key", input, { hint: "kept in this tab only, gone when it closes; never part of a link" }),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Sign in")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    key.set(input.value.trim());
    const answer = await look();
    if (answer.ok) {
      announce(`Signed in as ${answer.data.name}`);
      done();
      return;
    }
    if (answer.status === 401) key.set("");
    input.value = "";
    input.focus();
    const refused = h("div", { class: "notice bad", role: "alert" }, h("strong", {}, "This key opens nothing here. "));
    refused.append("It may be mistyped, revoked, or another service's.");
    fill(said, answer.status === 401 ? refused : [problem(answer), callBar(answer)]);
  });
  fill(
    place,
    h("h1", {}, "A key, please"),
    h(
      "p",
      { class: "lead" },
      "This service answers to those who hold a key. Whoever runs it makes one with ",
      h("code", {}, "cognomen keys create --scope read --name you"),
      ".",
    ),
    form,
    said,
  );
}

/** In place of a view that the key does not open. */
export function closed(place, title, scope) {
  const { name, scopes } = who() ?? { name: "", scopes: [] };
  fill(
    place,
    h("h1", {}, title),
    h(
      "div",
      { class: "notice" },
      h("strong", {}, `This view needs a key with the scope ${scope}. `),
      `Yours${name ? `, ${name},` : ""} has ${scopes.join(" and ") || "none"}. `,
      "An admin makes others; type one in with the Key button above.",
    ),
  );
}
