/** Calls to the house's own API. */

const TIMEOUT_MS = 10_000;

/** The house answered with a problem, or not at all (`status` 0). */
export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} text */
  constructor(status, code, text) {
    super(text || code);
    this.status = status;
    this.code = code;
  }
}

/** @param {string} path @param {RequestInit} init @returns {Promise<any>} the JSON of the answer */
async function call(path, init) {
  let reply;
  try {
    reply = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Refused(0, "no_answer", String(error));
  }
  const json = (reply.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? await reply.json().catch(() => null) : null;
  if (!reply.ok) throw new Refused(reply.status, body?.code ?? `http_${reply.status}`, body?.detail ?? body?.title ?? "");
  return body;
}

/** @param {string} path */
export function get(path) {
  return call(path, { headers: { Accept: "application/json" } });
}

/** @param {string} path @param {unknown} body */
export function post(path, body) {
  const token = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";
  return call(path, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });
}

const LINES_TIMEOUT_MS = 45_000;

/**
 * Reads an answer that comes line by line, each a JSON value.
 * @param {string} path
 * @returns {AsyncGenerator<any>} throws Refused when the house refuses or the answer breaks off
 */
export async function* readLines(path) {
  try {
    const reply = await fetch(path, { credentials: "same-origin", signal: AbortSignal.timeout(LINES_TIMEOUT_MS) });
    if (!reply.ok || !reply.body) throw new Refused(reply.status, `http_${reply.status}`, "");
    const reader = reply.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + decoder.decode(piece.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line);
    }
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(0, "broke_off", String(error));
  }
}
