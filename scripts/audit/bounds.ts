/** The bounds that the app has to keep. Pure: what was measured goes in, a verdict for each bound comes out. */

import type { ScreenAudit } from './screens';
import type { Speed } from './speed';
import type { Weight } from './weight';

export interface Bound {
  name: string;
  /** The measured value, with its unit. */
  found: string;
  /** In words: what it must be. */
  bound: string;
  holds: boolean;
}

/** kB (1,000 bytes) as they travel, ms, and Lighthouse's scores. */
export const BOUNDS = {
  scriptKb: 250,
  signInMs: 1_500,
  coldMs: 500,
  openListMs: 200,
  clickP95Ms: 50,
  cls: 0.05,
  lighthouse: 95,
} as const;

/** @returns each bound with what was measured, in the order in which they are stated in docs/performance.md */
export function verdictOf(audit: Weight & Speed & { screens: readonly ScreenAudit[] }): Bound[] {
  const atMost = (name: string, found: number, bound: number, unit: string): Bound => ({
    name,
    found: `${Number(found.toFixed(unit === '' ? 3 : 0))}${unit}`,
    bound: `<= ${bound}${unit}`,
    holds: found <= bound,
  });
  return [
    atMost('first load: compressed script', audit.scriptKb, BOUNDS.scriptKb, ' kB'),
    atMost('sign-in to a usable list, app kept', audit.signInMs, BOUNDS.signInMs, ' ms'),
    atMost('reload to list', audit.coldMs, BOUNDS.coldMs, ' ms'),
    atMost('opening the milestone of all tasks', audit.openListMs, BOUNDS.openListMs, ' ms'),
    atMost('click to visible effect, p95', audit.clickP95Ms, BOUNDS.clickP95Ms, ' ms'),
    ...audit.screens.flatMap(({ name, axe, cls, lighthouse }) => [
      atMost(`${name}: violations that axe finds`, axe.length, 0, ''),
      atMost(`${name}: layout shift`, cls, BOUNDS.cls, ''),
      ...Object.entries(lighthouse ?? {}).map(([category, score]) => ({
        name: `${name}: Lighthouse, ${category}`,
        found: String(score),
        bound: `>= ${BOUNDS.lighthouse}`,
        holds: score >= BOUNDS.lighthouse,
      })),
    ]),
  ];
}

export const brokenOf = (bounds: readonly Bound[]): Bound[] => bounds.filter(({ holds }) => !holds);
