// Calls: one function through which every request goes, so that each can be shown, repeated and copied.

const KEY = "cognomen-key";

/** Where the API begins: the page's own folder, whatever prefix a gateway put before it. */
export const BASE = new URL(".", document.baseURI);

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/** The whole address of a path with its query: parameters that are empty are left out. */
export function address(path, query = {}) {
  const url = new URL(path.replace(/^\//, ""), BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

/**
 * What came of a call.
 * @typedef {{call: Call, status: number, ok: boolean, data: any, ms: number, requestId: string|null, retryAfter: string|null}} Answer
 * @typedef {{method: string, path: string, query?: object, json?: any, form?: [string, string|File][], headers?: object}} Call
 */

/** Ask. Never throws but for an abort: what is no answer has status 0. @returns {Promise<Answer>} */
export async function ask(call, { signal = null } = {}) {
  const begun = performance.now();
  let response;
  try {
    response = await fetch(address(call.path, call.query), { ...options(call), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return unreached(call);
  }
  const text = await response.text();
  return {
    call,
    status: response.status,
    ok: response.ok,
    data: parsed(text),
    ms: performance.now() - begun,
    requestId: response.headers.get("x-request-id"),
    retryAfter: response.headers.get("retry-after"),
  };
}

/** Send a form, saying which share of it has been sent; only XMLHttpRequest tells. @returns {Promise<Answer>} */
export function upload(call, progress) {
  const begun = performance.now();
  const request = new XMLHttpRequest();
  const form = new FormData();
  for (const [name, value] of call.form) form.append(name, value);
  return new Promise((resolve) => {
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && progress(event.loaded / event.total),
    );
    request.addEventListener("error", () => resolve(unreached(call)));
    request.addEventListener("load", () =>
      resolve({
        call,
        status: request.status,
        ok: request.status >= 200 && request.status < 300,
        data: parsed(request.responseText),
        ms: performance.now() - begun,
        requestId: request.getResponseHeader("x-request-id"),
        retryAfter: request.getResponseHeader("retry-after"),
      }),
    );
    request.open(call.method, address(call.path, call.query));
    for (const [name, value] of Object.entries({ ...authorization(), ...call.headers }))
      request.setRequestHeader(name, value);
    request.send(form);
  });
}

/** A file as a Blob, with the key. @returns {Promise<Blob|null>} null where it is not to be had. */
export async function fetchBlob(path) {
  const response = await fetch(address(path), { headers: authorization() });
  return response.ok ? response.blob() : null;
}

/** A picture with what its headers say; null where it is not to be had. Never throws but for an abort. */
export async function fetchPicture(call, { signal }) {
  const response = await fetch(address(call.path), { ...options(call), signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (!response?.ok) return null;
  const size = ["x-page-width", "x-page-height"].map((name) => Number(response.headers.get(name)));
  return { blob: await response.blob(), size };
}

/** Server-sent events as they come, each one's data as JSON. EventSource could not send the key. */
export async function* events(path, { signal }) {
  const response = await fetch(address(path), { headers: { ...authorization(), accept: "text/event-stream" }, signal });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value.replaceAll("\r\n", "\n");
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const data = block
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart());
      if (data.length) yield parsed(data.join("\n"));
    }
  }
}

/** Whether an answer says that there is no such thing on this service at all. */
export function notHosted(answer) {
  return answer.status === 404 && /:(not-found|pipeline-unknown)$/.test(answer.data?.type ?? ":not-found");
}

function unreached(call) {
  const data = { title: "No answer", detail: "The service cannot be reached." };
  return { call, status: 0, ok: false, data, ms: 0, requestId: null, retryAfter: null };
}

function options(call) {
  const headers = { ...authorization(), ...call.headers };
  if (call.form) {
    const form = new FormData();
    for (const [name, value] of call.form) form.append(name, value);
    return { method: call.method, headers, body: form };
  }
  if (call.json === undefined) return { method: call.method, headers };
  return {
    method: call.method,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(call.json),
  };
}

function authorization() {
  return key.get() ? { authorization: `Bearer ${key.get()}` } : {};
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
