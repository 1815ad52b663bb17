/**
 * The host names a server answers to. Another site can point its own name at this machine (DNS rebinding); the browser
 * then treats the server as same-origin, and only the Host header shows the foreign name.
 */

export type HostCheck = (hostname: string) => boolean;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const LOOPBACK_ADDRESS = /^(::1$|(::ffff:)?127\.)/;

/**
 * @param given the host that the server was told to listen on
 * @param bound its address. A server that other machines can reach may have any name.
 */
export function createHostCheck(given: string, bound: string): HostCheck {
  if (!LOOPBACK_ADDRESS.test(bound)) return () => true;
  const names = new Set([...LOOPBACK_NAMES, hostnameOf(`http://${hostInUrl(given)}`)]);
  return (hostname) => names.has(hostname);
}

/** @returns whether a request comes from a page of another host; programs send no origin */
export function isForeignOrigin(origin: string | undefined, isOwn: HostCheck): boolean {
  return origin !== undefined && !isOwn(hostnameOf(origin));
}

export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
