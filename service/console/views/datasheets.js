// Datasheets: a PDF's parameters, where on the page each stands, and the SPICE card made of them.

import { announce, bytes, field, h, number, percent, select, table, tick } from "../dom.js";
import { pageEvidence } from "../evidence.js";
import { notHostedNotice, producedBy, show } from "../parts.js";

export const title = "Datasheets";

const TYPES = [
  ["", "found out"],
  "diode",
  "schottky",
  "zener",
  "rectifier",
  "led",
  "bjt",
  "mosfet",
  "jfet",
  "op_amp",
  "regulator",
  "optocoupler",
];
const MISSING = notHostedNotice("datasheets", "The operator makes it with `cognomen build datasheets`.");

export async function render(place, params, { address, signal }) {
  const file = h("input", { type: "file", name: "file", accept: "application/pdf,.pdf", required: true });
  const part = h("input", { name: "part", value: params.get("part") ?? "", maxlength: "64", autocomplete: "off" });
  const type = select("device_type", TYPES, params.get("device_type") ?? "");
  const wanted = h("input", { name: "parameters", value: params.get("parameters") ?? "", autocomplete: "off" });
  const ocr = h("input", { type: "checkbox", name: "ocr", checked: params.has("ocr") });
  const results = h("section", { class: "results", "aria-label": "Results" });
  const named = h("span", { class: "faint" });
  const form = h(
    "form",
    { class: "ask" },
    h("div", { class: "drop wide" }, field("Datasheet (PDF); drop it here or choose it", file, { wide: true }), named),
    field("Part", part, { hint: "which, where the sheet is about several" }),
    field("Device type", type),
    field("Parameters", wanted, { hint: "canonical names, separated by commas; empty: all" }),
    tick("Read pages that are pictures (OCR, slow)", ocr),
    h("div", { class: "actions wide" }, h("button", { type: "submit", class: "primary" }, "Read it")),
  );
  wireDrop(form.querySelector(".drop"), file, () => {
    const [chosen] = file.files;
    named.textContent = chosen ? `${chosen.name}, ${bytes(chosen.size)}` : "";
  });

  async function submit() {
    const [pdf] = file.files;
    if (!pdf) return;
    address({ part: part.value, device_type: type.value, parameters: wanted.value, ocr: ocr.checked ? "1" : "" });
    const fields = [["file", pdf]];
    if (part.value.trim()) fields.push(["part", part.value.trim()]);
    if (type.value) fields.push(["device_type", type.value]);
    for (const name of wanted.value
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean))
      fields.push(["parameters", name]);
    if (ocr.checked) fields.push(["ocr", "true"]);
    const answer = await show(
      results,
      { method: "POST", path: "v1/datasheets/extract", form: fields },
      (data) => drawn(data, pdf, signal),
      { missing: MISSING, signal },
    );
    if (answer.status === 409 && Array.isArray(answer.data?.candidates)) {
      // What to do about it stands there as buttons; the service's own words are for who calls it.
      results.querySelector(".notice.bad")?.remove();
      results.prepend(
        parts(answer.data.candidates, (name) => {
          part.value = name;
          form.requestSubmit();
        }),
      );
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  place.append(
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "Every parameter of one part, with its unit, its conditions and the place where it is printed.",
    ),
    form,
    results,
  );
}

function wireDrop(zone, file, changed) {
  file.addEventListener("change", changed);
  for (const kind of ["dragenter", "dragover"])
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    changed();
    announce(`${file.files[0].name} is chosen`);
  });
}

function parts(names, use) {
  return h(
    "div",
    { class: "notice" },
    h("strong", {}, "The sheet is about several parts. Which one? "),
    h(
      "span",
      { class: "actions" },
      names.map((name) => h("button", { type: "button", class: "small", onclick: () => use(name) }, name)),
    ),
  );
}

function drawn(data, pdf, signal) {
  const { document: sheet, focus } = data;
  const evidence = pageEvidence(data.parameters, pdf, sheet, signal);
  const spice = h("section", { "aria-label": "SPICE model" });
  const facts = [
    ["part", data.part],
    ["manufacturer", data.manufacturer],
    ["device", [data.polarity, data.device_type].filter(Boolean).join(" ")],
    ["pages", `${focus.pages_read} read of ${focus.pages_total}`],
    ["rows", `${focus.rows_returned} of ${focus.rows_seen} seen`],
  ];
  return [
    producedBy(data),
    h("h2", {}, sheet.title || pdf.name),
    h(
      "dl",
      { class: "facts" },
      facts.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
    data.notes.map((note) => h("p", { class: "notice" }, note)),
    data.parameters.length > 0 && [
      table(
        "Parameters",
        ["Parameter", "Printed as", "Conditions", "Min", "Typ", "Max", "Unit", "Page", "Confidence"],
        data.parameters.map((one, i) =>
          row(
            one,
            () => evidence.choose(i),
            (tr) => evidence.rows.push(tr),
          ),
        ),
      ),
      h("h2", {}, "Where it is printed"),
      evidence.element,
      spiceForm(data, spice),
      spice,
    ],
  ];
}

function row(one, choose, keep) {
  const conditions = one.conditions.map((c) => c.text || [c.symbol, "=", c.value, c.unit].join(" ")).join(", ");
  const tr = h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("button", { type: "button", class: "link", onclick: choose, title: "Show where it is printed" }, one.name),
    ),
    h(
      "td",
      {},
      [one.symbol, one.raw_name].filter(Boolean).join(" – "),
      one.variant && h("span", { class: "tag" }, one.variant),
    ),
    h("td", {}, conditions || "–"),
    ["min", "typ", "max"].map((slot) => h("td", { class: "num" }, number(one[slot]))),
    h("td", {}, one.unit ?? "–"),
    h("td", { class: "num" }, String(one.page)),
    h("td", { class: one.decision.nil ? "num bad" : "num" }, one.decision.nil ? "NIL" : percent(one.confidence)),
  );
  keep(tr);
  return tr;
}

function spiceForm(data, place) {
  const dialect = select("dialect", ["ngspice", "ltspice"], "ngspice");
  const json = () => ({
    document_id: data.document.id,
    dialect: dialect.value,
    plot: "svg",
    ...(data.part && { part: data.part }),
    ...(data.device_type && { device_type: data.device_type }),
  });
  const make = () =>
    show(place, { method: "POST", path: "v1/datasheets/spice", json: json() }, spiceCard, {
      missing: notHostedNotice("The SPICE model", ""),
    });
  return h(
    "div",
    { class: "actions spice-form" },
    field("SPICE dialect", dialect),
    h("button", { type: "button", onclick: make }, "Make the SPICE model"),
  );
}

const ORIGINS = { datasheet: "printed", derived: "derived", assumed: "assumed" };

function spiceCard(data) {
  return [
    h("h2", {}, `SPICE model (${data.device_type})`),
    h("pre", { tabindex: "0", "aria-label": "SPICE card" }, data.card),
    h(
      "a",
      {
        class: "button",
        download: "model.lib",
        href: URL.createObjectURL(new Blob([data.card], { type: "text/plain" })),
      },
      "Download the card",
    ),
    plotted(data.plot),
    (data.notes ?? []).map((note) => h("p", { class: "notice" }, note)),
    h("h3", {}, "Where each value is from"),
    table(
      "Model parameters",
      ["Name", "Value", "Unit", "Origin", "From"],
      data.model_parameters.map((one) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, one.name),
          h("td", { class: "num" }, number(one.value, 4)),
          h("td", {}, one.unit ?? "–"),
          h("td", {}, h("span", { class: `tag origin-${one.origin}` }, ORIGINS[one.origin] ?? one.origin)),
          h(
            "td",
            {},
            [
              ...(one.from ?? []).map((source) =>
                typeof source === "string" ? source : (source.name ?? JSON.stringify(source)),
              ),
              one.formula,
            ]
              .filter(Boolean)
              .join("; "),
          ),
        ),
      ),
    ),
    h("h3", {}, "How far the model is from the sheet"),
    data.checks.length
      ? table("Residuals", ["Quantity", "Sheet", "Model", "Unit", "Off by", "Page"], data.checks.map(check))
      : h("p", { class: "faint" }, "Nothing could be checked."),
    h(
      "p",
      { class: "faint" },
      data.simulator ? `Simulated with ${data.simulator}.` : "No simulator is installed here; nothing was simulated.",
    ),
  ];
}

/** The simulated curve beside the sheet's points, as an image: a picture cannot run anything. */
function plotted(plot) {
  if (!plot) return null;
  const drawn =
    plot.format === "svg"
      ? new Blob([plot.data], { type: "image/svg+xml" })
      : new Blob([Uint8Array.from(atob(plot.data), (byte) => byte.charCodeAt(0))], { type: "image/png" });
  const src = URL.createObjectURL(drawn);
  const release = () => URL.revokeObjectURL(src);
  return h(
    "figure",
    { class: "plot curve" },
    h("img", {
      src,
      alt: "The simulated curve with the sheet's points; the table below has the numbers",
      onload: release,
    }),
  );
}

function check(one) {
  const off = one.relative_error;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, one.quantity),
    h("td", { class: "num" }, number(one.datasheet)),
    h("td", { class: one.within === false ? "num bad" : "num" }, number(one.simulated)),
    h("td", {}, one.unit ?? "–"),
    h(
      "td",
      { class: "num" },
      off === null || off === undefined
        ? "–"
        : h(
            "span",
            { class: "residual" },
            h(
              "span",
              { class: "track", "aria-hidden": "true" },
              h("span", { class: "fill", style: { width: `${Math.min(1, Math.abs(off)) * 100}%` } }),
            ),
            `${number(off * 100)} %`,
          ),
    ),
    h("td", { class: "num" }, one.source?.page ?? "–"),
  );
}
