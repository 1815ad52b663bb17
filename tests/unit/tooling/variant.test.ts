import { afterEach, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '@/core/protocol';
import { type Edit, makeVariant, type Variant } from '../../support/variant';

let variant: Variant | null = null;
afterEach(() => {
  variant?.remove();
  variant = null;
});

const newer: Edit = {
  file: 'src/core/protocol.ts',
  find: 'export const PROTOCOL_VERSION = ',
  replace: 'export const PROTOCOL_VERSION = 10 + ',
};

describe('a variant of the project', () => {
  it('its code sees the edit, by whatever import, and this code does not', async () => {
    variant = makeVariant('newer', [
      newer,
      {
        file: 'src/platform/node/told.ts',
        content:
          "import { PROTOCOL_VERSION } from '@/core/protocol';\nexport const told = PROTOCOL_VERSION;\n",
      },
      {
        file: 'src/platform/node/index.ts',
        find: 'export function createPlatform',
        replace: "export { told } from './told';\nexport function createPlatform",
      },
      {
        file: 'tests/support/tell.ts',
        content: "import { told } from '#platform';\nconsole.log(told, process.argv[2], process.env.TELL);\n",
      },
    ]);
    const run = await variant.run('tests/support/tell.ts', ['argument'], { TELL: 'variable' });
    expect(run).toEqual({ code: 0, stdout: `${10 + PROTOCOL_VERSION} argument variable\n`, stderr: '' });
    expect(PROTOCOL_VERSION).toBeLessThan(10);
  });

  it('is refused when an edit does not match, or matches twice', () => {
    expect(() => makeVariant('never', [{ ...newer, find: 'nowhere to be found' }])).toThrow('0 times');
    expect(() => makeVariant('never', [{ ...newer, find: 'export ' }])).toThrow('times, and not once');
    expect(() => makeVariant('never', [{ file: 'package.json', content: '' }])).toThrow('exists already');
  });
});
