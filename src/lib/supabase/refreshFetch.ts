/**
 * supabase-js ends the session when a refresh fails, unless the network failed or the status is 502 to 504.
 * Here other errors of the server and truncated answers keep the session, too (D31).
 */

/** @returns a `fetch` that reports passing failures of a refresh in a form after which supabase-js keeps the session. */
export function refreshFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes('grant_type=refresh_token')) return response;
    if (response.status >= 500) return new Response(null, { status: 503 });
    if (!response.ok) return response;
    const body = await response.text();
    if (!isJson(body)) throw new TypeError('The answer to the refresh of the session is truncated.');
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
