/** Deletions by what people and agents call what was deleted. */

import { isUuid } from '@/core/text';
import type { Deletion } from '@/domain/entities';
import { asDetails } from '@/domain/entries';
import { derivedDigits, parseReference } from '@/domain/keys';
import type { Device } from '@/lib/watermelon/device/device';
import { MachineFailure } from './errors';
import { quoted, shortId } from './records';

/**
 * @param listed the deletions that can be restored
 * @param reference id of the deletion, or its end as lists show it; key, derived key or id of the task that was deleted
 * @throws MachineFailure `not_found`, `ambiguous`
 */
export async function deletionNamed(
  device: Device,
  listed: readonly Deletion[],
  reference: string,
): Promise<Pick<Deletion, 'id' | 'name'>> {
  const named = new Set(await deletedBy(device, reference));
  const fits = deletionsCalled(listed, reference, named);
  const [only, another] = fits;
  if (only && !another) return only;
  // One of another workspace, or that has not come here yet.
  if (!only && isUuid(reference)) return { id: reference, name: 'The deletion' };
  const known = fits.map(({ id, name }) => `${id} ${quoted(name)}`);
  const message = only
    ? ['Several deletions are called so. Name one by its id:', ...known].join('\n  ')
    : `There is no deletion ${quoted(reference)} that can be restored. convoy task restore lists those that can.`;
  throw new MachineFailure({ kind: 'machine', code: only ? 'ambiguous' : 'not_found', message });
}

/** @param named ids of deleted tasks that have the reference as their key */
export function deletionsCalled(
  listed: readonly Deletion[],
  reference: string,
  named: ReadonlySet<string>,
): Deletion[] {
  const wanted = reference.trim().toLowerCase();
  const parsed = parseReference(reference);
  const ends: readonly string[] = parsed.ok && 'ends' in parsed.value ? parsed.value.ends : [];
  return listed.filter(
    ({ id, entity_id }) =>
      [id, shortId(id), entity_id].includes(wanted) ||
      named.has(entity_id) ||
      (derivedDigits(entity_id) !== null && ends.some((end) => entity_id.endsWith(end))),
  );
}

/** @returns ids of tasks that had a key, by what the feed tells of their deletion, and by what is deleted here and not yet sent */
async function deletedBy({ database }: Device, reference: string): Promise<string[]> {
  const parsed = parseReference(reference);
  if (!parsed.ok || !('key' in parsed.value)) return [];
  const { key } = parsed.value;
  const [told = [], unsent = []] = await database.readAll([
    {
      sql: `select "entity_id", "details" from "activity_feed"
        where "activity_type" = 'task_deleted' and "details" like ? and "_status" <> 'deleted'`,
      args: [`%"${key}"%`],
    },
    { sql: `select "id" from "tasks" where "key" = ? and "_status" = 'deleted'`, args: [key] },
  ]);
  const known = told.filter(([, details]) => asDetails(JSON.parse(String(details ?? '{}'))).key === key);
  return [...known, ...unsent].map(([id]) => String(id));
}
