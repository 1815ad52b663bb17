/** The holder of a task, in words. Pure. */

export interface ShownClaim {
  /** Of whose claim it is. */
  name: string;
  /** It is the user's own. */
  isOwn: boolean;
  /** The task waits at a checkpoint: the claim stands whatever its lease. */
  waits: boolean;
  /** Since when the user's device has seen this claim, ms; null: it has not seen it before. */
  since: number | null;
  /** When the lease runs out, ms. */
  until: number | null;
  now: number;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

export function claimText({ name, isOwn, waits, since, until, now }: ShownClaim) {
  const verb = waits ? (isOwn ? 'have it' : 'has it') : isOwn ? 'are at work' : 'is at work';
  const minutes = since === null ? 0 : Math.floor((now - since) / 60_000);
  const headline = `${name} ${verb}${minutes > 0 && !waits ? ` for ${lasting(minutes)}` : ''}`;
  if (waits) return { headline, detail: 'Waits for the review' };
  return { headline, detail: until === null ? null : `Lease until ${clock.format(until)}` };
}

function lasting(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}
