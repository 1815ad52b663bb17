/**
 * Addresses name tasks by their keys, screens know them by their ids. A key that a screen has shown is known at once; others are
 * looked up.
 */

import { useEffect, useState } from 'react';
import { ConvoyError, type ValidationError } from '@/core/errors';
import { canonicalId } from '@/core/text';
import { useDevice } from './useDevice';

const known = new Map<string, string>();

/** In the storage of the tab: a task that is deleted has no key to look for, and its address may be loaded again. */
const STORED = 'convoy.reference.';

/** Remembers the task that a key of an address means. */
export function rememberReference(reference: string, taskId: string): void {
  known.set(reference.toUpperCase(), taskId);
  try {
    sessionStorage.setItem(STORED + reference.toUpperCase(), taskId);
  } catch {
    // Without it a reload finds the tasks that are there.
  }
}

/** Before a device is opened: to another account, keys mean other tasks. */
export function forgetReferences(): void {
  known.clear();
}

/** @returns the id of the task that this tab has shown by a key last, though the device may not have it any more */
export function lastIdOf(reference: string): string | null {
  try {
    return canonicalId(sessionStorage.getItem(STORED + reference.toUpperCase()) ?? '');
  } catch {
    return null;
  }
}

/** @returns the id that a part of an address means, as far as it is known without asking. */
export function idOfReference(reference: string): string | null {
  return known.get(reference.toUpperCase()) ?? canonicalId(reference);
}

/** The meaning of a reference: a task's id, several tasks, or none. */
export type MeantTask =
  | { kind: 'task'; id: string }
  | { kind: 'none' }
  | { kind: 'several'; candidates: NonNullable<ValidationError['candidates']> };

/** @returns the task of an address; undefined until it is known */
export function useTaskReference(reference: string): MeantTask | undefined {
  const { contextService } = useDevice();
  const [found, setFound] = useState<{ reference: string; meant: MeantTask } | null>(null);
  const id = idOfReference(reference);
  useEffect(() => {
    if (id !== null) return;
    let isShown = true;
    const show = (meant: MeantTask) => isShown && setFound({ reference, meant });
    contextService.findTask(reference).then(
      (task) => {
        if (task) rememberReference(reference, task.id);
        show(task ? { kind: 'task', id: task.id } : { kind: 'none' });
      },
      (error: unknown) => {
        const candidates =
          error instanceof ConvoyError && error.detail.kind === 'validation'
            ? error.detail.candidates
            : undefined;
        show(candidates ? { kind: 'several', candidates } : { kind: 'none' });
      },
    );
    return () => {
      isShown = false;
    };
  }, [contextService, reference, id]);
  if (id !== null) return { kind: 'task', id };
  return found?.reference === reference ? found.meant : undefined;
}
