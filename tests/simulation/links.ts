/** Slow connections: bytes take their time, and a connection may break off before all have come. In virtual time. */

/** The connection of a device. */
export interface Link {
  /** Bytes/s. */
  up: number;
  down: number;
  /** After so long a transfer breaks off, in either direction, ms; null for never. */
  holdsMs: number | null;
}

/** What a step may make of a device's connection; null: bytes take no time. */
export const LINKS: readonly (readonly [Link | null, number])[] = [
  [null, 2],
  [{ up: 3_000, down: 3_000, holdsMs: null }, 2],
  [{ up: 3_000, down: 6_000, holdsMs: 45_000 }, 3],
  [{ up: 2_500, down: 40_000, holdsMs: null }, 2],
];

/** Bytes that come are heard of so often, ms: well within the time that a device waits for the next ones. */
const PART_MS = 5_000;

/** Carries a request. */
export function upload({ up, holdsMs }: Link, body: string, arrived: () => void, broken: () => void): void {
  const ms = (Buffer.byteLength(body) / up) * 1_000;
  if (holdsMs !== null && ms > holdsMs) setTimeout(broken, holdsMs);
  else setTimeout(arrived, ms);
}

/** An answer on its way. */
export interface Download {
  readonly body: ReadableStream<Uint8Array>;
  /** Ends it in the middle. */
  end(error: Error): void;
}

/** @param over called when no more bytes come */
export function download({ down, holdsMs }: Link, text: string, over: () => void): Download {
  const bytes = new TextEncoder().encode(text);
  const part = Math.max(1, Math.floor((down * PART_MS) / 1_000));
  let [at, passed] = [0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end: Download['end'] = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      end = (error) => {
        clearTimeout(timer);
        over();
        controller.error(error);
      };
      const goOn = () => {
        const ms = (Math.min(part, bytes.length - at) / down) * 1_000;
        if (holdsMs !== null && passed + ms > holdsMs) {
          timer = setTimeout(() => end(new TypeError('terminated')), holdsMs - passed);
          return;
        }
        timer = setTimeout(() => {
          passed += ms;
          controller.enqueue(bytes.slice(at, at + part));
          at += part;
          if (at < bytes.length) return goOn();
          over();
          controller.close();
        }, ms);
      };
      goOn();
    },
  });
  return { body, end };
}
