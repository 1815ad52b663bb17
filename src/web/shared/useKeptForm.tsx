import { type ReactNode, useState } from 'react';
import type { FieldSpec } from '../ui/FormDialog';
import { useDraft } from './useDraft';

export interface KeptForm<State> {
  state: State;
  change: (next: State) => void;
  /** It was saved. */
  remove: () => void;
  /** Says that the form shows what was typed before, and offers to begin anew; null: it does not. */
  notice: ReactNode;
}

/**
 * The state of a form, which is a draft: neither Escape nor a crash loses what was typed, and the form shows it when it is opened again.
 * @param recordId of the record that it edits, or in which it makes one
 * @param form names it among the drafts of the record
 * @param untouched the state of a form in which nothing is typed
 * @param textsOf what is kept of a state: texts, since a choice that was cancelled is not wanted any more; null: there is none
 * @param isState whether what was stored, by this version of the app or another, is a state of this form
 */
export function useKeptForm<State>(
  recordId: string,
  form: string,
  untouched: State,
  textsOf: (state: State) => State | null,
  isState: (stored: unknown) => stored is State,
): KeptForm<State> {
  const kept = useDraft(recordId, `form ${form}`);
  const [before] = useState(() => parsed(kept.draft?.text, isState));
  const [state, setState] = useState(before ?? untouched);
  const [isRestored, setRestored] = useState(before !== null);
  return {
    state,
    change: (next) => {
      setState(next);
      const texts = textsOf(next);
      if (texts === null) kept.remove();
      else kept.write(JSON.stringify(texts));
    },
    remove: kept.remove,
    notice: isRestored ? (
      <div className="note" role="note">
        <span>You had typed this and not saved it.</span>
        <button
          type="button"
          className="button"
          onClick={({ currentTarget }) => {
            // This button is about to go.
            currentTarget.closest('form')?.querySelector<HTMLElement>('input, textarea, select')?.focus();
            kept.remove();
            setState(untouched);
            setRestored(false);
          }}
        >
          Begin anew
        </button>
      </div>
    ) : null,
  };
}

function parsed<State>(
  text: string | undefined,
  isState: (stored: unknown) => stored is State,
): State | null {
  try {
    const stored: unknown = JSON.parse(text ?? 'null');
    return isState(stored) ? stored : null;
  } catch {
    return null;
  }
}

/** Whether it is an object whose values are texts. */
export function isOfTexts(stored: unknown): stored is Record<string, string> {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    Object.values(stored).every((value) => typeof value === 'string')
  );
}

/** Whether a field of this kind holds a text of its person's own. */
export function isProse(kind: FieldSpec<string>['kind']): boolean {
  return kind === 'text' || kind === 'prose';
}
