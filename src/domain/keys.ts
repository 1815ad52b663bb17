/**
 * Short keys (section 5 of docs/work-model.md): the part of the Context Service that finds tasks by what people and agents call
 * them, and the pure functions of keys that are derived.
 */

import type { ValidationError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import { canonicalId, isUuid } from '@/core/text';
import type { Project, Task } from './entities';
import { PROJECT_KEY_LENGTH } from './schema';
import { invalid } from './validation';

export interface KeyService {
  /**
   * Finds a live task by its key (`FIELD-42`), its derived key (`FIELD-~k7q2m9x`) or its id, in small letters or capitals. A task
   * has its derived key before the server has given it a key, and for ever.
   * @param options `workspace_id`: in this workspace alone
   * @returns the task; null where the caller may see none of that name. Rejects with `validation/ambiguous` where several have
   * it, and lists these as `candidates`; with `validation/bad_value` for a text that is no reference.
   */
  findTask(reference: string, options?: FindTaskOptions): Promise<Task | null>;
}

export interface FindTaskOptions {
  workspace_id?: string;
}

/** A task that a reference may mean, with the name of its workspace. */
export interface FoundTask {
  task: Task;
  workspace_name: string;
}

/** The meaning of a reference: a key, the two ends that ids with this derived key have, or an id. */
export type Reference = { key: string } | { ends: [string, string] } | { id: string };

/** Crockford's digits: none of them is taken for another. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const DERIVED_LENGTH = 7;
/** Hexadecimal digits of an id in which a derived key is found: 36 bits, of which it has the lower 35. */
const END_LENGTH = 9;
const HALF = 2 ** 35;

const KEY = /^[A-Z][A-Z0-9]{0,9}-[1-9][0-9]{0,9}$/;
const DERIVED = new RegExp(`^(?:[A-Z][A-Z0-9]{0,9}-)?~([0-9A-Z]{${DERIVED_LENGTH}})$`);

/** @returns the seven digits that stand for a task by its id alone; null for an id that is no UUID, which no server knows. */
export function derivedDigits(taskId: string): string | null {
  if (!isUuid(taskId)) return null;
  let rest = Number.parseInt(taskId.slice(-END_LENGTH), 16) % HALF;
  let digits = '';
  for (let n = 0; n < DERIVED_LENGTH; n += 1) {
    digits = (DIGITS[rest % 32] ?? '') + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}

/** A task as people and agents call it: by its key, or before it has one by the derived key, or by its id. */
export function nameOfTask(
  task: Pick<Task, 'id' | 'key'>,
  project: Pick<Project, 'key' | 'name'> | null,
): string {
  if (task.key !== null) return task.key;
  const digits = derivedDigits(task.id);
  if (digits === null) return task.id;
  return `${project === null ? '' : `${project.key ?? projectKeyOf(project.name)}-`}~${digits}`;
}

/** @returns what the server makes a project's key of that was given none; where another project has it, a number follows. */
export function projectKeyOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
  return new RegExp(`[A-Z][A-Z0-9]{0,${PROJECT_KEY_LENGTH - 1}}`).exec(plain)?.[0] ?? 'P';
}

/** @returns what a reference says, or `validation/bad_value`. */
export function parseReference(reference: unknown): Result<Reference, ValidationError> {
  const text = typeof reference === 'string' ? reference.trim() : '';
  const upper = text.toUpperCase();
  if (KEY.test(upper)) return ok({ key: upper });
  const digits = DERIVED.exec(upper)?.[1]?.toLowerCase();
  const ends = digits === undefined ? null : endsOf(digits);
  if (ends) return ok({ ends });
  const id = canonicalId(text);
  return id === null
    ? invalid(
        'bad_value',
        'reference',
        'A task is named by its key, as in FIELD-42, by its derived key, as in FIELD-~k7q2m9x, or by its id.',
      )
    : ok({ id });
}

/** @returns the ends of ids that have these digits; null where one is no digit. O counts as 0, and I and L as 1. */
function endsOf(digits: string): [string, string] | null {
  let value = 0;
  for (const digit of digits.replaceAll('o', '0').replaceAll(/[il]/g, '1')) {
    const at = DIGITS.indexOf(digit);
    if (at < 0) return null;
    value = value * 32 + at;
  }
  const hex = (number: number) => number.toString(16).padStart(END_LENGTH, '0');
  return [hex(value), hex(value + HALF)];
}

/** @returns the one task found, or null; a failure that lists them where there are several. */
export function onlyOne(found: readonly FoundTask[]): Result<Task | null, ValidationError> {
  if (found.length <= 1) return ok(found[0]?.task ?? null);
  return fail({
    kind: 'validation',
    code: 'ambiguous',
    field: 'reference',
    message: `${found.length} tasks are called so. Give the id of one of the candidates, or the workspace.`,
    candidates: found.map(({ task, workspace_name }) => ({
      id: task.id,
      key: task.key,
      title: task.title,
      workspace_id: task.workspace_id,
      workspace_name,
    })),
  });
}
