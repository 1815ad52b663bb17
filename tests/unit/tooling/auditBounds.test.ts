import { describe, expect, it } from 'vitest';
import { BOUNDS, brokenOf, verdictOf } from '../../../scripts/audit/bounds';

const SOUND: Parameters<typeof verdictOf>[0] = {
  scriptKb: BOUNDS.scriptKb,
  wasmKb: 400,
  requests: 9,
  signInMs: BOUNDS.signInMs,
  coldMs: BOUNDS.coldMs,
  openListMs: BOUNDS.openListMs,
  clickP95Ms: BOUNDS.clickP95Ms,
  screens: [
    {
      name: 'task',
      axe: [],
      cls: BOUNDS.cls,
      lighthouse: { performance: BOUNDS.lighthouse, accessibility: 100 },
    },
    { name: 'sign-in', axe: [], cls: 0, lighthouse: null },
  ],
};

const broken = (audit: typeof SOUND) => brokenOf(verdictOf(audit)).map(({ name }) => name);

describe('the bounds of the web app', () => {
  it('hold at the bound itself', () => {
    expect(broken(SOUND)).toEqual([]);
  });

  it.each(['scriptKb', 'signInMs', 'coldMs', 'openListMs', 'clickP95Ms'] as const)(
    '%s breaks one',
    (name) => {
      expect(broken({ ...SOUND, [name]: SOUND[name] + 1 })).toHaveLength(1);
    },
  );

  it('a measure that is missing breaks one', () => {
    expect(broken({ ...SOUND, coldMs: Number.NaN })).toEqual(['reload to list']);
  });

  it('are those of each screen: accessibility, shifts, and each score', () => {
    const [task] = SOUND.screens;
    if (!task) throw new Error('There is a screen.');
    const worse = {
      ...task,
      axe: ['dark: color-contrast at p'],
      cls: 0.06,
      lighthouse: { performance: 94, accessibility: 95 },
    };
    expect(broken({ ...SOUND, screens: [worse] })).toEqual([
      'task: violations that axe finds',
      'task: layout shift',
      'task: Lighthouse, performance',
    ]);
  });
});
