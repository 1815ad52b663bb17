/**
 * What tools work on: the device of the agent that the server runs for. It is opened by the first call, so that a host has its
 * tools at once, also where nobody has signed in; a call then says how to.
 */

import type { Result } from '@/core/result';
import { MachineFailure } from '@/machine/errors';
import { type FoundLink, findLink } from '@/machine/link';
import type { OpenProfile } from '@/machine/open';
import { chooseProfile } from '@/machine/profiles';
import { syncShortly, withinMs } from '@/machine/sending';

/** How long calls are waited for that are open when the host ends, ms. */
const ANSWER_MS = 10_000;

export interface DeskOptions {
  /** Who to act as; absent: `CONVOY_AGENT`, else the default of the machine. */
  as?: string;
  url?: string;
  /** Where the host works: its `convoy.json` names workspace and project. */
  folder: string;
}

export interface Desk extends OpenProfile {
  link: FoundLink | null;
  /** The claims that calls to this process have named: it tells what becomes of them. */
  claims: Set<string>;
}

export class Desks {
  private opened: Promise<Desk> | null = null;
  private readonly calls = new Set<Promise<unknown>>();

  constructor(private readonly options: DeskOptions) {}

  /** @throws MachineFailure, ConvoyError (storage); the next call tries again */
  open(): Promise<Desk> {
    this.opened ??= this.openOnce().catch((error: unknown) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }

  /** Notes a call, so that its answer is waited for when the host ends. */
  during<T>(call: Promise<T>): Promise<T> {
    const done = call.finally(() => this.calls.delete(done));
    this.calls.add(done);
    return done;
  }

  /**
   * Ends the work of the process: what it wrote is sent, for 3 s at most.
   * @param answers whether open calls are waited for, 10 s at most
   */
  async close(answers: boolean): Promise<void> {
    if (answers) await withinMs(ANSWER_MS, Promise.allSettled(this.calls));
    const opened = await this.opened?.catch(() => null);
    if (!opened) return;
    const { total } = await opened.device.countUnsynced();
    if (total > 0) await syncShortly(opened);
    await opened.close();
  }

  private async openOnce(): Promise<Desk> {
    const { as, url, folder } = this.options;
    const link = orThrow(await findLink(folder));
    const profile = orThrow(await chooseProfile({ as, url: url ?? link?.url }));
    const { openProfile } = await import('@/machine/open');
    return { ...(await openProfile(profile, 'service')), link, claims: new Set() };
  }
}

function orThrow<T>(result: Result<T, MachineFailure['detail']>): T {
  if (result.ok) return result.value;
  throw new MachineFailure(result.error);
}
