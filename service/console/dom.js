// Elements. Data only ever becomes text nodes and attributes: nothing here, or anywhere, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("p", {class: "x", onclick}, "text", [nodes]). null, undefined and false are left out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, said] of Object.entries(value)) element.style.setProperty(key, said);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Put these in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

let counted = 0;

/** A label and its field, tied together; `hint` is read out with it. */
export function field(label, input, { hint = null, wide = false } = {}) {
  if (!input.id) input.id = `field-${++counted}`;
  const said = hint && h("small", { id: `${input.id}-hint` }, hint);
  if (said) input.setAttribute("aria-describedby", said.id);
  return h("div", { class: wide ? "field wide" : "field" }, h("label", { for: input.id }, label), input, said);
}

/** A drop-down of values, or of [value, shown] pairs. */
export function select(name, choices, chosen) {
  return h(
    "select",
    { name },
    choices.map((choice) => {
      const [value, shown] = Array.isArray(choice) ? choice : [choice, choice];
      return h("option", { value, selected: value === chosen }, shown);
    }),
  );
}

/** A box to tick. */
export function tick(label, input) {
  return h("label", { class: "tick" }, input, label);
}

/** A table with a caption that is read out, in a frame that scrolls by itself. */
export function table(caption, heads, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}

/** Say something to who cannot see it. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** A number as people read it. */
export function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(digits)));
}

export const percent = (value) => `${Math.round(value * 100)} %`;

/** Bytes as people read them. */
export function bytes(count) {
  const unit = count < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(count) / 10));
  return `${number(count / 1024 ** unit)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** A moment: seconds since 1970, or ISO 8601. */
export function moment(value) {
  if (value === null || value === undefined) return h("span", {}, "–");
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  return h("time", { datetime: date.toISOString() }, date.toLocaleString());
}
