/**
 * supabase-js ends a session whose refresh fails, but for one that never got through or was answered with
 * 502 to 504. A server in trouble and an answer that breaks off are no end of a session either.
 */

/** @returns a `fetch` whose failed refreshes are such that supabase-js keeps the session where it may. */
export function refreshFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes('grant_type=refresh_token')) return response;
    if (response.status >= 500) return new Response(null, { status: 503 });
    if (!response.ok) return response;
    const body = await response.text();
    if (!isJson(body)) throw new TypeError('The answer broke off.');
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
