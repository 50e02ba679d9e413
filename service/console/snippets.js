// A call as something to paste: into a shell, into Python. The key itself is never written out.

import { address, key } from "./api.js";

/** The call as a line for a POSIX shell. */
export function asCurl(call) {
  const parts = ["curl -s", call.method === "GET" ? "" : `-X ${call.method}`, quoted(address(call.path, call.query))];
  if (key.get()) parts.push(`-H "authorization: Bearer $COGNOMEN_KEY"`);
  for (const [name, value] of Object.entries(call.headers ?? {})) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (call.json !== undefined)
    parts.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(call.json))}`);
  for (const [name, value] of call.form ?? []) parts.push(formPart(name, value));
  return parts.filter(Boolean).join(" ");
}

/** The call as Python, with httpx. */
export function asPython(call) {
  const lines = key.get() ? ["import os", "", "import httpx", ""] : ["import httpx", ""];
  const given = [python(call.method), python(address(call.path))];
  const query = Object.entries(call.query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  if (query.length) given.push(`params=${python(Object.fromEntries(query))}`);
  const headers = Object.entries(call.headers ?? {}).map(([name, value]) => `${python(name)}: ${python(value)}`);
  if (key.get()) headers.push(`"authorization": f"Bearer {os.environ['COGNOMEN_KEY']}"`);
  if (headers.length) given.push(`headers={${headers.join(", ")}}`);
  if (call.json !== undefined) given.push(`json=${python(call.json)}`);
  if (call.form) given.push(...form(call.form));
  given.push("timeout=60");
  lines.push(
    `answer = httpx.request(\n    ${given.join(",\n    ")},\n)`,
    "answer.raise_for_status()",
    "print(answer.text)",
  );
  return `${lines.join("\n")}\n`;
}

function formPart(name, value) {
  // --form-string: curl would take a text that begins with @ or < for the name of a file.
  if (!(value instanceof File)) return `--form-string ${quoted(`${name}=${value}`)}`;
  return `-F ${quoted(`${name}=@"${value.name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`)}`;
}

function form(fields) {
  const files = fields.filter(([, value]) => value instanceof File);
  const texts = new Map();
  for (const [name, value] of fields.filter(([, said]) => !(said instanceof File)))
    texts.set(name, [...(texts.get(name) ?? []), value]);
  const given = files.map(([name, value]) => `files={${python(name)}: open(${python(value.name)}, "rb")}`);
  if (texts.size) given.push(`data=${python(Object.fromEntries(texts))}`);
  return given;
}

/** JSON as a Python literal. JSON's strings are Python's, but for characters beyond the BMP, which both take as they are. */
function python(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([name, said]) => `${python(name)}: ${python(said)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
