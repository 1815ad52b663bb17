/**
 * The names a server answers to. A page of another site can let that site's name lead to this machine (DNS rebinding); the
 * browser then takes the server for the page's own, and only the name it is asked for by tells.
 */

export type HostCheck = (hostname: string) => boolean;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const LOOPBACK_ADDRESS = /^(::1$|(::ffff:)?127\.)/;

/**
 * @param given what the server was told to listen on.
 * @param bound the address that this is. Where other machines reach it, it may have any name.
 */
export function createHostCheck(given: string, bound: string): HostCheck {
  if (!LOOPBACK_ADDRESS.test(bound)) return () => true;
  const names = new Set([...LOOPBACK_NAMES, hostnameOf(`http://${hostInUrl(given)}`)]);
  return (hostname) => names.has(hostname);
}

/** @returns whether it is a page of another host that asks; programs send no origin. */
export function isForeignOrigin(origin: string | undefined, isOwn: HostCheck): boolean {
  return origin !== undefined && !isOwn(hostnameOf(origin));
}

export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
