// Where on its page each parameter is printed: the page as the service draws it with a box for each row, or, until it is
// there or where it cannot be had, the page to scale with each row's quote in its box; and a link to the PDF's page.

import { fetchPicture } from "./api.js";
import { fill, h, svg } from "./dom.js";

const LETTER = [612, 792];

/**
 * @returns {{element: Element, rows: Element[], choose: (index: number) => void}} `rows` takes the table's rows, in order.
 */
export function pageEvidence(parameters, pdf, sheet, signal) {
  const rows = [];
  const boxes = [];
  const quote = h("p", { class: "quote", "aria-live": "polite" });
  const address = URL.createObjectURL(pdf);
  signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  const pages = [...new Set(parameters.map((one) => one.page))].sort((a, b) => a - b);
  const sheets = pages.map((page) =>
    h(
      "figure",
      { class: "page", "data-page": page },
      drawPage(page, parameters, boxes, (i) => choose(i)),
      h(
        "figcaption",
        {},
        `Page ${page} of ${sheet.pages} · `,
        h("a", { href: `${address}#page=${page}`, target: "_blank", rel: "noopener" }, "open it"),
      ),
    ),
  );

  paint(sheets, pages, pdf, signal);

  function choose(index) {
    rows.forEach((row, i) => row.classList.toggle("chosen", i === index));
    boxes.forEach((box, i) => box.classList.toggle("chosen", i === index));
    const one = parameters[index];
    fill(quote, h("strong", {}, one.name), ` – page ${one.page}: `, h("q", {}, one.quote));
    boxes[index].closest("figure").scrollIntoView({ block: "nearest", inline: "center" });
  }
  return {
    element: h(
      "div",
      { class: "evidence" },
      quote,
      h(
        "div",
        { class: "pages scroll", tabindex: "0", role: "region", "aria-label": "Pages with the rows found" },
        sheets,
      ),
    ),
    rows,
    choose,
  };
}

/** Put the pages' pictures under the boxes, one after another: each costs the service a process. */
async function paint(sheets, pages, pdf, signal) {
  for (const [i, page] of pages.entries()) {
    const form = [
      ["page", String(page)],
      ["file", pdf],
    ];
    const call = { method: "POST", path: "v1/datasheets/page", form };
    const drawn = await fetchPicture(call, { signal }).catch(() => null);
    if (!drawn || signal.aborted) return;
    const href = URL.createObjectURL(drawn.blob);
    signal.addEventListener("abort", () => URL.revokeObjectURL(href));
    const [width, height] = drawn.size;
    const drawing = sheets[i].querySelector("svg");
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.classList.add("painted");
    drawing.querySelector(".paper").replaceWith(svg("image", { class: "paper", href, width, height }));
  }
}

function drawPage(page, parameters, boxes, choose) {
  const here = parameters.map((one, i) => [one, i]).filter(([one]) => one.page === page);
  const width = Math.max(LETTER[0], ...here.map(([one]) => one.bbox[2] + 20));
  const height = Math.max(LETTER[1], ...here.map(([one]) => one.bbox[3] + 20));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Page ${page}` },
    svg("rect", { class: "paper", width, height }),
    here.map(([one, i]) => {
      const [x0, y0, x1, y1] = one.bbox;
      const size = Math.max(6, Math.min(9, (y1 - y0) * 0.8));
      const box = svg(
        "g",
        {
          class: "box",
          tabindex: "0",
          role: "button",
          "aria-label": `${one.name}: ${one.quote}`,
          onclick: () => choose(i),
          onkeydown: (event) => {
            if (event.key === "Enter" || event.key === " ") {
              event.preventDefault();
              choose(i);
            }
          },
        },
        svg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }),
        svg(
          "text",
          { x: x0 + 2, y: (y0 + y1) / 2 + size / 3, "font-size": size },
          cut(one.quote, (x1 - x0) / (size * 0.52)),
        ),
      );
      boxes[i] = box;
      return box;
    }),
  );
}

function cut(text, most) {
  const line = text.replace(/\s+/g, " ");
  return line.length > most ? `${line.slice(0, Math.max(1, Math.floor(most) - 1))}…` : line;
}
