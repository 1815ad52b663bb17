/** Parts of the app that the first list of work does not need. */

import { type ComponentType, useEffect, useState } from 'react';

const loaders: (() => Promise<unknown>)[] = [];

/**
 * A part that is fetched when it is rendered first, or by `fetchTheRest`. Not React's `lazy`: that shows its fallback even where the part
 * has come, and then holds the part back for 300 ms.
 * @param Meanwhile is shown until the part is there; absent: nothing is
 * @param isOptional where the part cannot be fetched, what is shown meanwhile stays; else the screen says that it failed
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Meanwhile?: ComponentType<Props>,
  isOptional = false,
): ComponentType<Props> {
  let fetched: ComponentType<Props> | null = null;
  const fetchPart = async () => {
    fetched = await load();
    return fetched;
  };
  loaders.push(fetchPart);
  return function Later(props: Props) {
    const [Part, setPart] = useState(() => fetched);
    const [failure, setFailure] = useState<{ cause: unknown } | null>(null);
    useEffect(() => {
      if (Part) return;
      let isShown = true;
      fetchPart().then(
        (part) => isShown && setPart(() => part),
        (cause: unknown) => isShown && setFailure({ cause }),
      );
      return () => {
        isShown = false;
      };
    }, [Part]);
    if (failure && !isOptional) throw failure.cause;
    if (!Part) return Meanwhile ? <Meanwhile {...props} /> : null;
    return <Part {...props} />;
  };
}

/** The first list of work, and what it asks the network for, come before, ms. */
const PATIENCE_MS = 1_000;

/**
 * Fetches what is left when the page has nothing else to do, one after another, so that it is there when the network is not.
 * What fails is fetched when it is opened.
 * @returns a function that gives it up
 */
export function fetchTheRest(onFetched: () => void): () => void {
  let isWanted = true;
  const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run));
  const fetchAll = async () => {
    for (const load of loaders) if (isWanted) await load().catch(() => undefined);
    if (isWanted) onFetched();
  };
  const timer = setTimeout(() => idle(() => void fetchAll(), { timeout: PATIENCE_MS }), PATIENCE_MS);
  return () => {
    isWanted = false;
    clearTimeout(timer);
  };
}
