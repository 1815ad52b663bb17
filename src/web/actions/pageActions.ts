/**
 * The actions of the page that is shown, with their keys: the list of shortcuts and the command palette name them, and one listener
 * of the page runs them.
 */

import { useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { tinykeys } from 'tinykeys';
import { interrupted, isTyping } from './interruptedTyping';
import { singleKeys } from './singleKeys';

export interface PageAction {
  /** In words, as a button would name it. */
  label: string;
  /** Keys in the form of tinykeys: `c`, `Shift+?`, `$mod+k`. */
  keys?: string;
  /** Heading in the list of shortcuts. */
  group?: string;
  /** Named in the list of shortcuts alone: another part of the page handles the keys. */
  isListedOnly?: boolean;
  /** It runs again and again while its key is held: it only moves on. */
  repeats?: boolean;
  run: () => void;
}

let registered: readonly PageAction[][] = [];
let shown: readonly PageAction[] = [];
const listeners = new Set<() => void>();

function change(next: readonly PageAction[][]) {
  registered = next;
  shown = next.flat();
  for (const notify of listeners) notify();
}

/** All actions that the page offers now. */
export function useAllActions(): readonly PageAction[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

/**
 * Offers actions as long as the caller is rendered. Keys without Ctrl, ⌘ or Alt do nothing while a person types, while a dialog
 * is open, or where single keys are turned off.
 */
export function usePageActions(actions: readonly PageAction[]): void {
  const latest = useRef(actions);
  latest.current = actions;
  const spelled = JSON.stringify(
    actions.map(({ label, keys, group, isListedOnly, repeats }) => [
      label,
      keys,
      group,
      isListedOnly,
      repeats,
    ]),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: `spelled` is all that matters of the actions; they run as they are then
  useLayoutEffect(() => {
    const own = latest.current.map(
      (action, index): PageAction => ({ ...action, run: () => latest.current[index]?.run() }),
    );
    change([...registered, own]);
    const bindings = own
      .filter(({ keys, isListedOnly }) => keys !== undefined && isListedOnly !== true)
      .map((action) => [action.keys ?? '', (event: KeyboardEvent) => runBy(event, action)] as const);
    const stop = tinykeys(window, Object.fromEntries(bindings));
    return () => {
      stop();
      change(registered.filter((known) => known !== own));
    };
  }, [spelled]);
}

function runBy(event: KeyboardEvent, { keys = '', repeats = false, run }: PageAction) {
  if (event.defaultPrevented) return;
  const isSingle = !/\$mod|Control|Meta|Alt/.test(keys);
  if (isSingle && (!singleKeys.areOn() || isTyping(event) || interrupted.isInterrupted(event))) return;
  // While a person types it takes back what they typed.
  if (keys === '$mod+z' && isTyping(event)) return;
  if (document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') !== null) return;
  event.preventDefault();
  // A key that is held does a thing once.
  if (!event.repeat || repeats) run();
}
