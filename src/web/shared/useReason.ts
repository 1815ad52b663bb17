import { useDraft } from './useDraft';

/** Why a request for review is sent back, as far as it is written. */
export interface ReasonDraft {
  text: string;
  /** A reason that was written about an earlier request of the task; null: there is none. */
  older: string | null;
  write: (text: string) => void;
  /** Takes the older one for this request. */
  takeOlder: () => void;
  remove: () => void;
}

/** The place of the draft among those of the task. Its base is the request that it is about. */
export const REASON = 'reason';

/** @param requestId of the request that is shown */
export function useReason(taskId: string, requestId: string): ReasonDraft {
  const { draft, write, remove } = useDraft(taskId, REASON);
  const isOlder = draft !== null && draft.base !== requestId;
  return {
    text: isOlder ? '' : (draft?.text ?? ''),
    older: isOlder ? draft.text : null,
    write: (text) => (text === '' ? remove() : write(text, requestId)),
    takeOlder: () => draft && write(draft.text, requestId),
    remove,
  };
}
