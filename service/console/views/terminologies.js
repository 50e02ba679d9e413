// Terminologies: which there are, their concepts in pages, one concept with every term.

import { ask } from "../api.js";
import { field, h, number, table } from "../dom.js";
import { callBar, problem, show } from "../parts.js";

export const title = "Terminologies";

export async function render(place, params, context) {
  const name = params.get("name");
  if (!name) await list(place, context);
  else if (params.get("id")) await concept(place, name, params.get("id"), context);
  else await browse(place, name, params, context);
}

async function list(place, { signal }) {
  const shown = h("section", {});
  place.append(h("h1", {}, title), h("p", { class: "lead" }, "What answers come from."), shown);
  await show(
    shown,
    { method: "GET", path: "v1/terminologies" },
    (data) =>
      table(
        "Terminologies",
        ["Name", "Title", "Version", "Concepts", "Terms", "Languages"],
        data.terminologies.map((one) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, h("a", { href: at(one.name) }, one.name)),
            h("td", {}, one.title),
            h("td", {}, one.version),
            h("td", { class: "num" }, number(one.concepts)),
            h("td", { class: "num" }, number(one.terms)),
            h("td", {}, one.languages.join(" ")),
          ),
        ),
      ),
    { signal },
  );
}

async function browse(place, name, params, { address, signal }) {
  const query = h("input", {
    name: "query",
    type: "search",
    value: params.get("query") ?? "",
    maxlength: "200",
    autocomplete: "off",
  });
  const shown = h("section", { "aria-label": "Concepts" });
  const form = h(
    "form",
    { class: "ask" },
    field("Words of a term, or an id", query, { wide: true }),
    h("div", { class: "actions wide" }, h("button", { class: "primary", type: "submit" }, "Search")),
  );

  async function page(token, before) {
    address({ name, query: query.value, page: token });
    const call = {
      method: "GET",
      path: `v1/terminologies/${encodeURIComponent(name)}/concepts`,
      query: { query: query.value, page_token: token, page_size: 25 },
    };
    await show(
      shown,
      call,
      (data) => [
        h("p", { class: "faint" }, `${number(data.total)} concept${data.total === 1 ? "" : "s"}`),
        h(
          "ul",
          { class: "rows" },
          data.concepts.map((one) => row(name, one)),
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
      { signal },
    );
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    page(null, []);
  });
  place.append(h("p", { class: "crumbs" }, h("a", { href: "#/terminologies" }, title)), h("h1", {}, name), form, shown);
  await page(params.get("page"), []);
}

function row(name, one) {
  const terms = one.terms
    .slice(0, 6)
    .map((term) => term.text)
    .join(" · ");
  const more = one.terms.length > 6 ? ` … ${one.terms.length - 6} more` : "";
  return h(
    "li",
    {},
    h("a", { href: at(name, one.id) }, one.name),
    " ",
    h("code", {}, one.id),
    one.abstract && h("span", { class: "tag" }, "group"),
    h("div", { class: "faint" }, terms, more),
  );
}

async function concept(place, name, id, { signal }) {
  place.append(
    h("p", { class: "crumbs" }, h("a", { href: "#/terminologies" }, title), " / ", h("a", { href: at(name) }, name)),
  );
  const answer = await ask(
    { method: "GET", path: `v1/terminologies/${encodeURIComponent(name)}/concepts/${encodeURIComponent(id)}` },
    { signal },
  );
  if (!answer.ok) {
    place.append(h("h1", {}, "Concept"), problem(answer), callBar(answer));
    return;
  }
  const one = answer.data;
  const facts = [
    [
      "Codes",
      Object.entries(one.codes).map(([system, code]) => h("span", { class: "tag" }, system, " ", h("code", {}, code))),
    ],
    ["Types", one.semantic_types.map((type) => h("span", { class: "tag" }, type))],
    ["Broader", one.parents.map((parent) => h("a", { href: at(name, parent) }, h("code", {}, parent), " "))],
    ["Skills", one.skills.length ? [one.skills.join(", ")] : []],
  ];
  place.append(
    h("h1", {}, one.name),
    h("p", {}, h("code", {}, one.id), one.abstract && h("span", { class: "tag" }, "group")),
    one.definition && h("p", { class: "definition" }, one.definition),
    h(
      "dl",
      { class: "facts" },
      facts.filter(([, said]) => said.length).map(([what, said]) => h("div", {}, h("dt", {}, what), h("dd", {}, said))),
    ),
    h("h2", {}, `${number(one.terms.length)} terms`),
    table(
      "Terms",
      ["Term", "Language", "Kind"],
      one.terms.map((term) =>
        h(
          "tr",
          {},
          h("td", { lang: term.language }, term.text),
          h("td", {}, term.language ?? "–"),
          h("td", {}, term.kind),
        ),
      ),
    ),
    callBar(answer),
  );
}

function at(name, id = null) {
  return `#/terminologies?${new URLSearchParams({ name, ...(id && { id }) })}`;
}
