/** Counts what goes over HTTP in this process. */

export const traffic = { requests: 0, received: 0 };

export const countedFetch: typeof fetch = async (input, init) => {
  const response = await globalThis.fetch(input, init);
  const url = String(input instanceof Request ? input.url : input);
  // Signing in is no work of a sync.
  if (!url.includes('/auth/')) {
    traffic.requests += 1;
    traffic.received += Number(response.headers.get('content-length') ?? 0);
  }
  return response;
};
