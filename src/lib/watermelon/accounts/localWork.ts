/** What was begun on this device without an account, and how it becomes somebody's. */

import { ConvoyError, type StorageError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import type { ConvoyDatabase } from '../database';
import { type AccountsPlatform, databaseName, LOCAL_USER, openBare } from './databases';
import { claimWork, finishTaking, type LocalWork, localWork, readClaim } from './takeAlong';

/** Stands in the session storage while work is on its way, so that who opens next finishes it. */
const ON_ITS_WAY = 'convoy:taking-along';

/** Who takes the work along: a device, or any user whose database is open. */
export interface Taker {
  readonly database: ConvoyDatabase;
  readonly userId: string;
}

/**
 * @returns what was begun without an account; null where there is nothing, and where it cannot be
 * opened now. What a taking that was broken off had claimed is brought to its user first.
 */
export async function findLocalWork(
  platform: AccountsPlatform,
  taker: Taker | null = null,
): Promise<LocalWork | null> {
  const found = await onLocalWork(platform, async (from) => {
    const finished = await finishStanding(platform, from, taker);
    return finished.ok ? localWork(from) : null;
  });
  return found.ok ? found.value : null;
}

/**
 * Makes the work begun without an account the taker's; it is pushed with what else is unsynced there.
 * @returns what was taken, null where there was nothing, or why it is not to be had now. Asked for
 * again after it was broken off at any point, it goes on from there.
 */
export async function takeLocalWork(
  platform: AccountsPlatform,
  taker: Taker,
): Promise<Result<LocalWork | null, StorageError>> {
  const taken = await onLocalWork(platform, async (from): Promise<Result<LocalWork | null, StorageError>> => {
    const finished = await finishStanding(platform, from, taker);
    if (!finished.ok) return finished;
    const work = await localWork(from);
    if (work === null) return ok(null);
    await platform.sessionStorage().setItem(ON_ITS_WAY, taker.userId);
    await finishTaking(from, taker.database, await claimWork(from, taker.userId));
    return ok(work);
  });
  if (!taken.ok) return taken;
  await platform.sessionStorage().removeItem(ON_ITS_WAY);
  return taken.value ?? ok(null);
}

/**
 * Finishes a taking that was broken off, whoever opens a database next.
 * @param always looks for one even where the session storage knows of none
 */
export async function resumeTaking(
  platform: AccountsPlatform,
  always: boolean,
): Promise<Result<null, StorageError>> {
  const isOnItsWay = (await platform.sessionStorage().getItem(ON_ITS_WAY)) !== null;
  if (!isOnItsWay && !always) return ok(null);
  const finished = await onLocalWork(platform, (from) => finishStanding(platform, from, null));
  if (!finished.ok) return finished;
  if (finished.value?.ok === false) return finished.value;
  if (isOnItsWay) await platform.sessionStorage().removeItem(ON_ITS_WAY);
  return ok(null);
}

/** Work that is claimed goes to whose it is, in whoever's name it is looked at. */
async function finishStanding(
  platform: AccountsPlatform,
  from: ConvoyDatabase,
  taker: Taker | null,
): Promise<Result<null, StorageError>> {
  const claim = await readClaim(from);
  if (!claim) return ok(null);
  if (taker?.userId === claim.userId) {
    await finishTaking(from, taker.database, claim);
    return ok(null);
  }
  const owner = await openBare(platform, claim.userId);
  if (!owner.ok) return owner;
  try {
    await finishTaking(from, owner.value.database, claim);
    return ok(null);
  } finally {
    await owner.value.close();
  }
}

/** Runs `work` on the database without an account, if there is one; where nothing is left in it, it goes. */
async function onLocalWork<T>(
  platform: AccountsPlatform,
  work: (from: ConvoyDatabase) => Promise<T>,
): Promise<Result<T | null, StorageError>> {
  const isThere = () => platform.hasDatabase(databaseName(LOCAL_USER));
  if (!(await isThere())) return ok(null);
  return platform.exclusively('local-work', async () => {
    if (!(await isThere())) return ok(null);
    const opened = await openBare(platform, LOCAL_USER);
    if (!opened.ok) return opened;
    const { database, close } = opened.value;
    let isEmpty = false;
    try {
      const done = await work(database);
      isEmpty = (await readClaim(database)) === null && (await localWork(database)) === null;
      return ok(done);
    } finally {
      await close();
      if (isEmpty) await removeUnlessOpen(platform);
    }
  });
}

/** Somebody else may still have it open; it is looked at again the next time. */
async function removeUnlessOpen(platform: AccountsPlatform): Promise<void> {
  try {
    await platform.removeDatabase(databaseName(LOCAL_USER));
  } catch (error) {
    const isOpen = error instanceof ConvoyError && error.detail.code === 'locked';
    if (!isOpen) throw error;
  }
}
