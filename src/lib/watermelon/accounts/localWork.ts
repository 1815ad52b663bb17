/** Finds the work begun on this device without an account, and takes it along into a user's database (D21, D22). */

import { ConvoyError, type StorageError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import type { ConvoyDatabase } from '../database';
import { type AccountsPlatform, databaseName, LOCAL_USER, openBare } from './databases';
import { adoptEarlier } from './earlierStorage';
import { claimWork, finishTaking, type LocalWork, localWork, readClaim } from './takeAlong';

/** Key in the session storage while work is being taken along, so that the next opening resumes it. */
const UNDER_WAY = 'convoy:taking-along';

/** The user who takes the work along, with their open database. */
export interface Taker {
  readonly database: ConvoyDatabase;
  readonly userId: string;
}

/**
 * Finishes what an earlier taking along left unfinished, then looks for work that nobody has claimed.
 * @returns the work begun without an account; null where there is none, or its database cannot be opened now
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
 * Moves the work begun without an account into the taker's database, from where it is pushed. When it breaks off,
 * the next call resumes it.
 * @returns what was taken; null where there was nothing; the storage error where a database cannot be opened now
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
    await platform.sessionStorage().setItem(UNDER_WAY, taker.userId);
    await finishTaking(from, taker.database, await claimWork(from, taker.userId));
    return ok(work);
  });
  if (!taken.ok) return taken;
  await platform.sessionStorage().removeItem(UNDER_WAY);
  return taken.value ?? ok(null);
}

/**
 * Finishes a taking along that broke off, for the user who had claimed the work (D23).
 * @param always looks for it even where the session storage knows of none
 */
export async function resumeTaking(
  platform: AccountsPlatform,
  always: boolean,
): Promise<Result<null, StorageError>> {
  const isUnderWay = (await platform.sessionStorage().getItem(UNDER_WAY)) !== null;
  if (!isUnderWay && !always) return ok(null);
  const finished = await onLocalWork(platform, (from) => finishStanding(platform, from, null));
  if (!finished.ok) return finished;
  if (finished.value?.ok === false) return finished.value;
  if (isUnderWay) await platform.sessionStorage().removeItem(UNDER_WAY);
  return ok(null);
}

/** Finishes the taking along of claimed work: it goes to the user who claimed it, even where another user is signed in (D23). */
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

/** Runs `work` on the database without an account, if there is one, and removes it when it is empty afterwards. */
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
      await adoptEarlier(platform, database, LOCAL_USER);
      const done = await work(database);
      isEmpty = (await readClaim(database)) === null && (await localWork(database)) === null;
      return ok(done);
    } finally {
      await close();
      if (isEmpty) await removeUnlessOpen(platform);
    }
  });
}

/** Removes the database without an account, unless another tab still has it open: then the next call does. */
async function removeUnlessOpen(platform: AccountsPlatform): Promise<void> {
  try {
    await platform.removeDatabase(databaseName(LOCAL_USER));
  } catch (error) {
    const isOpen = error instanceof ConvoyError && error.detail.code === 'locked';
    if (!isOpen) throw error;
  }
}
