// Which view is shown, and what surrounds it. A view is {title, render(place, params, context)}; its address is
// #/NAME?params, which never leaves the browser: what follows # is not sent to a server, nor written into its log.

import { ask, key } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { closed, lacking, look, may, signIn, who } from "./session.js";
import * as datasheets from "./views/datasheets.js";
import * as feedback from "./views/feedback.js";
import * as files from "./views/files.js";
import * as generations from "./views/generations.js";
import * as home from "./views/home.js";
import * as jobTitles from "./views/job_titles.js";
import * as jobs from "./views/jobs.js";
import * as keys from "./views/keys.js";
import * as medical from "./views/medical.js";
import * as retrieval from "./views/retrieval.js";
import * as terminologies from "./views/terminologies.js";

const VIEWS = {
  "": home,
  "job-titles": jobTitles,
  medical,
  datasheets,
  retrieval,
  terminologies,
  feedback,
  files,
  jobs,
  generations,
  keys,
};

let leave = new AbortController();

/** Show what the address says. */
async function route() {
  leave.abort();
  leave = new AbortController();
  const [name, params] = parsedHash();
  const view = VIEWS[name] ?? null;
  const main = document.getElementById("main");
  document.title = view ? `${view.title} · cognomen` : "cognomen";
  document.querySelectorAll("#nav a").forEach((link) => {
    if (link.dataset.view === name) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  });
  if (!view) {
    fill(main, h("h1", {}, "No such view"), h("p", {}, h("a", { href: "#/" }, "Begin here")));
    return;
  }
  const place = h("div", { class: `view view-${name || "home"}` });
  fill(main, place);
  if (!may("read")) {
    signIn(place, signedIn);
    return;
  }
  const scope = lacking(name);
  if (scope) {
    closed(place, view.title, scope);
    return;
  }
  try {
    await view.render(place, params, { signal: leave.signal, address: (said) => remember(name, said) });
  } catch (error) {
    // Left before its answer came.
    if (error.name !== "AbortError") throw error;
  }
}

function parsedHash() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return [path, new URLSearchParams(query)];
}

/** Write into the address what is shown, so that the link shows it again. Empty values are left out. */
function remember(name, said) {
  const params = new URLSearchParams(
    Object.entries(said).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  const query = params.size ? `?${params}` : "";
  history.replaceState(null, "", `#/${name}${query}`);
}

function drawNav() {
  const links = Object.entries(VIEWS).map(([name, view]) => {
    const scope = lacking(name);
    const closed = scope && who();
    return h(
      "a",
      { href: `#/${name}`, "data-view": name, class: closed && "closed", title: closed && `needs the scope ${scope}` },
      view.title,
      closed && h("span", { class: "unseen" }, ` (needs the scope ${scope})`),
    );
  });
  fill(document.getElementById("nav"), links);
}

/** The key of this tab is another: what it opens is drawn anew. */
function signedIn() {
  drawNav();
  labelKey();
  route();
}

function labelKey() {
  const button = document.getElementById("key-button");
  const self = key.get() ? who() : null;
  button.classList.toggle("set", Boolean(self));
  button.textContent = self?.required ? self.name : "Key";
  if (self?.required) button.setAttribute("aria-label", `Key: ${self.name}`);
  else button.removeAttribute("aria-label");
  button.title = self?.required ? `scopes: ${self.scopes.join(" ")}` : "";
}

async function drawState() {
  const answer = await ask({ method: "GET", path: "readyz" });
  const said = answer.ok ? "ready" : (answer.data?.title ?? "no answer");
  const state = document.getElementById("state");
  state.className = `state ${answer.ok ? "ready" : "not-ready"}`;
  document.getElementById("state-text").textContent = said;
}

function wireTheme() {
  const button = document.getElementById("theme-button");
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const label = () => {
    const other = now() === "dark" ? "Light" : "Dark";
    button.textContent = other;
    button.setAttribute("aria-label", `${other} theme`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = now() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("cognomen-theme", root.dataset.theme);
    } catch {
      // A browser that keeps nothing forgets it with the page.
    }
    label();
  });
  dark.addEventListener("change", label);
  label();
}

function wireKey() {
  const button = document.getElementById("key-button");
  const dialog = document.getElementById("key-dialog");
  const input = document.getElementById("key-input");
  button.addEventListener("click", () => {
    input.value = key.get();
    // Escape leaves the value of the time before.
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", async () => {
    const said = input.value.trim();
    input.value = "";
    if (dialog.returnValue === "use" || dialog.returnValue === "forget") {
      key.set(dialog.returnValue === "use" ? said : "");
      await look();
      announce(key.get() ? "The key is used from now on" : "The key is forgotten");
      signedIn();
    }
  });
}

wireTheme();
wireKey();
addEventListener("hashchange", async () => {
  await route();
  document.getElementById("main").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  // The address after # is the view's.
  event.preventDefault();
  document.getElementById("main").focus();
});
drawState();
await look();
signedIn();
