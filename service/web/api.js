// Talking to the API: JSON, and what went wrong in words. The browser adds the session's cookie by itself.

export class Unauthenticated extends Error {}

export async function get(path) {
  const response = await fetch(path, { headers: { accept: "application/json" }, cache: "no-cache" });
  return read(response);
}

export async function send(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return read(response);
}

async function read(response) {
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) throw new Unauthenticated(body.detail ?? "a key is needed");
  if (!response.ok) throw new Error(body.detail ?? `${response.status} ${response.statusText}`);
  return body;
}
