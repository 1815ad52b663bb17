import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useDevice } from '../hooks/useDevice';
import { type Draft, drafts } from './drafts';

/** The draft of a field of a record, as this browser has it: other tabs change it, too. */
export interface KeptDraft {
  draft: Draft | null;
  write: (text: string, base?: string) => void;
  /** It was saved, or is not wanted any more. */
  remove: () => void;
}

/** @param recordId of the record that it belongs to; a new comment belongs to its task */
export function useDraft(recordId: string, field: string): KeptDraft {
  const { userId } = useDevice();
  const place = useMemo(() => ({ userId, recordId, field }), [userId, recordId, field]);
  const draft = useSyncExternalStore(drafts.onChange, () => drafts.read(place));
  useEffect(() => () => drafts.flush(), []);
  return {
    draft,
    write: (text, base = '') => drafts.write(place, text, base),
    remove: () => drafts.remove(place),
  };
}
