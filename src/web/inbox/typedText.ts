import { drafts } from '../shared/drafts';
import { useDraft } from '../shared/useDraft';
import { type InboxItem, nameOfItem } from './items';

/** What a person writes about an item is a draft of it. */
const FIELD = 'inbox';

const beingSent = new Set<string>();

/** @returns whether the item has a text that its person has typed, and that is not on its way */
export function isTypedInto(item: InboxItem, userId: string): boolean {
  const name = nameOfItem(item);
  return !beingSent.has(name) && drafts.read({ userId, recordId: name, field: FIELD }) !== null;
}

export interface TypedText {
  text: string;
  /** There is one, from now or before. */
  isKept: boolean;
  write: (text: string) => void;
  remove: () => void;
  /** Sends it; it stays a draft where that fails. */
  send: (sending: (text: string) => Promise<boolean>) => Promise<boolean>;
}

/** @param name of the item, as addresses have it */
export function useTypedText(name: string): TypedText {
  const kept = useDraft(name, FIELD);
  const text = kept.draft?.text ?? '';
  return {
    text,
    isKept: kept.draft !== null,
    write: (typed) => (typed === '' ? kept.remove() : kept.write(typed)),
    remove: kept.remove,
    send: async (sending) => {
      beingSent.add(name);
      try {
        const isSent = await sending(text.trim());
        if (isSent) kept.remove();
        return isSent;
      } finally {
        beingSent.delete(name);
      }
    },
  };
}
