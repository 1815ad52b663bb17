import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useSearch } from 'wouter';
import { useDevice } from '../hooks/useDevice';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { routes } from '../routes';
import { drafts } from '../shared/drafts';
import { type InboxItem, itemInsteadOf, itemNamed, nameOfItem } from './items';
import { isTypedInto } from './typedText';

/** From this width on, px, the item is shown beside the list. As in InboxPage.module.css. */
const BESIDE = '(min-width: 64rem)';

/**
 * The item that is open, which the address names. Where there is room beside the list, one always is. One that somebody else settles
 * stays open as long as its person has typed something about it.
 * @param items those that the list shows
 * @param all with those that are folded away
 * @param isKnown whether the inbox has been read: before, nobody knows what an address names
 */
export function useSelectedItem(items: readonly InboxItem[], all: readonly InboxItem[], isKnown: boolean) {
  const search = useSearch();
  const navigate = useNavigateFromHere();
  const isBeside = useMedia(BESIDE);
  const named = new URLSearchParams(search).get('at');
  const before = useRef(all);
  const { userId } = useDevice();
  const found = itemNamed(all, named);
  const left = found ? undefined : itemNamed(before.current, named);
  const isHeld = useSyncExternalStore(drafts.onChange, () => left !== undefined && isTypedInto(left, userId));
  const settled = isHeld ? left : undefined;

  const open = (item: InboxItem | undefined, replace = isBeside) =>
    navigate(routes.inbox() + (item ? `?${new URLSearchParams({ at: nameOfItem(item) })}` : ''), { replace });

  useEffect(() => {
    if (found) before.current = all;
  }, [found, all]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `open` goes to the address of the time of the call
  useEffect(() => {
    if (found || settled || !isKnown) return;
    if (named !== null) {
      const next = itemInsteadOf(items, before.current, named);
      open(isBeside ? next : undefined, true);
    } else if (isBeside && items[0]) open(items[0], true);
  }, [found, settled, named, items, isBeside, isKnown]);

  const step = (by: 1 | -1) => {
    const at = found ? items.indexOf(found) : by > 0 ? -1 : items.length;
    const next = items[Math.min(Math.max(at + by, 0), items.length - 1)];
    if (next) open(next, true);
  };
  return { selected: found ?? settled, isSettled: settled !== undefined, open, step, isBeside };
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const show = () => setMatches(list.matches);
    show();
    list.addEventListener('change', show);
    return () => list.removeEventListener('change', show);
  }, [query]);
  return matches;
}
