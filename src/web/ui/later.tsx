/** Parts of the app that the first list of work does not need. */

import { type ComponentType, useEffect, useState } from 'react';

const loaders: (() => Promise<unknown>)[] = [];

/** A part that cannot be fetched is asked for again so often, ms: the network may be back. */
const RETRY_MS = 3_000;

/** So often a screen is asked for before it says that it failed. */
const MOST_TRIES = 4;

/** Of small parts, such as menus: the screen goes on without them, and they are asked for as long as they are wanted. */
export const AGAIN_AND_AGAIN = Number.POSITIVE_INFINITY;

export type LaterPart<Props extends object> = ComponentType<Props> & {
  /** Begins to fetch it where it is about to be rendered. Where that fails, it is asked for again when it is. */
  fetchEarly(): void;
};

/**
 * A part that is fetched when it is rendered first, or by `fetchTheRest`. Not React's `lazy`: that shows its fallback even where the part
 * has come, and then holds the part back for 300 ms.
 * @param Meanwhile is shown until the part is there; absent: nothing is
 * @param mostTries to fetch it; then the screen that it is in says that it failed
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Meanwhile?: ComponentType<Props>,
  mostTries = MOST_TRIES,
): LaterPart<Props> {
  let fetched: ComponentType<Props> | null = null;
  const fetchPart = async () => {
    fetched ??= await load();
    return fetched;
  };
  loaders.push(fetchPart);
  function Later(props: Props) {
    const [Part, setPart] = useState(() => fetched);
    const [failure, setFailure] = useState<{ cause: unknown } | null>(null);
    useEffect(() => {
      if (Part) return;
      let isShown = true;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const ask = (tries: number) => {
        fetchPart().then(
          (part) => isShown && setPart(() => part),
          (cause: unknown) => {
            if (!isShown) return;
            if (tries < mostTries) timer = setTimeout(() => ask(tries + 1), RETRY_MS);
            else setFailure({ cause });
          },
        );
      };
      ask(1);
      return () => {
        isShown = false;
        clearTimeout(timer);
      };
    }, [Part]);
    if (failure) throw failure.cause;
    if (!Part) return Meanwhile ? <Meanwhile {...props} /> : null;
    return <Part {...props} />;
  }
  return Object.assign(Later, { fetchEarly: () => void fetchPart().catch(() => undefined) });
}

/** The page may be busy so long before parts are fetched all the same, ms. */
const PATIENCE_MS = 1_000;

/**
 * Fetches what is left when the page has nothing else to do, one after another, so that it is there when the network is not.
 * Parts that fail are asked for again.
 * @returns a function that gives it up
 */
export function fetchTheRest(onFetched: () => void): () => void {
  let isWanted = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run));
  const fetchAll = async () => {
    let isWhole = true;
    const failed = () => {
      isWhole = false;
    };
    // Parts bring others along.
    for (const load of loaders) if (isWanted) await load().catch(failed);
    if (!isWanted) return;
    if (isWhole) onFetched();
    else timer = setTimeout(() => void fetchAll(), RETRY_MS);
  };
  idle(() => void fetchAll(), { timeout: PATIENCE_MS });
  return () => {
    isWanted = false;
    clearTimeout(timer);
  };
}
