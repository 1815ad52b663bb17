import { useState } from 'react';
import { ConvoyError } from '@/core/errors';
import type { Task } from '@/domain/entities';
import { makeUndoable } from '../actions/undo';
import { useTaskEdit } from '../hooks/useTaskEdit';
import { useDraft } from '../shared/useDraft';
import { useAction } from '../ui/useAction';
import { type InPlaceText, overtaken, savedValue } from './inPlaceText';

/** A text of a task that is edited where it is shown. */
export interface InPlace {
  /** The text while it is edited; null: it is not. */
  text: string | null;
  /** The text that was typed and not saved, while it is not edited. */
  leftOver: string | null;
  /** The value that somebody else has given it meanwhile; null: they have not, or wrote the same. */
  theirs: string | null;
  error: unknown;
  /** Begins, or goes on with what was typed before. */
  open: () => void;
  type: (text: string) => void;
  /** Saves it where it differs, and ends. It stays open where it cannot be saved. */
  save: () => Promise<void>;
  /** Ends without saving; what was typed is kept as a draft. */
  leave: () => void;
  discard: () => void;
  keepMine: () => Promise<void>;
  takeTheirs: () => void;
}

/** Edits a column of a task in place. What is typed is a draft from the first letter until it is saved or discarded. */
export function useInPlace(task: Task, column: 'title' | 'description'): InPlace {
  const saveTask = useTaskEdit();
  const kept = useDraft(task.id, column);
  const [edited, setEdited] = useState<InPlaceText | null>(null);
  const present = task[column] ?? '';
  const shown = edited && !edited.isTyped ? { ...edited, text: present, base: present } : edited;
  const theirs = shown === null ? null : overtaken(shown, present);
  const saving = useAction((text: string, base: string) =>
    saveTask(
      { ...task, [column]: base === '' && present === '' ? task[column] : base || null },
      { [column]: savedValue(column, text) },
      `The ${column} of “${task.title}” is changed.`,
    ),
  );
  const end = () => {
    setEdited(null);
    saving.clearError();
  };
  const store = async (text: string, base: string) => {
    if (savedValue(column, text) === (task[column] ?? null) || (await saving.run(text, base))) {
      kept.remove();
      end();
    }
  };
  return {
    text: shown?.text ?? null,
    leftOver: shown === null && kept.draft !== null && kept.draft.text !== present ? kept.draft.text : null,
    theirs,
    // Both texts are shown then.
    error: theirs !== null && isStale(saving.error) ? null : saving.error,
    open: () => {
      const { draft } = kept;
      setEdited(
        draft === null
          ? { text: present, base: present, isTyped: false }
          : { text: draft.text, base: draft.base, isTyped: true },
      );
    },
    type: (text) => {
      const base = shown?.base ?? present;
      kept.write(text, base);
      setEdited({ text, base, isTyped: true });
    },
    save: async () => {
      if (shown === null || theirs !== null || saving.isRunning) return;
      if (shown.isTyped) await store(shown.text, shown.base);
      else end();
    },
    leave: end,
    discard: () => {
      const { draft } = kept;
      kept.remove();
      end();
      if (draft) {
        void makeUndoable(
          `What you typed for the ${column} is discarded.`,
          async () => async () => kept.write(draft.text, draft.base),
        );
      }
    },
    keepMine: async () => {
      if (shown !== null) await store(shown.text, present);
    },
    takeTheirs: () => {
      kept.remove();
      end();
    },
  };
}

function isStale(error: unknown): boolean {
  return error instanceof ConvoyError && error.code === 'stale';
}
