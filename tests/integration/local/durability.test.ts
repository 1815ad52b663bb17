import { expect, it } from 'vitest';
import { proveNode } from '../../../scripts/prove/durability/node';

it('acknowledged writes survive killed processes, two writers and a full disk (P-DURABLE)', async () => {
  const { killed, processes, fullDisk } = await proveNode(2, 2, () => undefined);
  expect(killed).toMatchObject({ kills: 2, lost: 0, twice: 0, torn: 0 });
  expect(killed.acknowledged).toBeGreaterThan(2);
  expect(processes).toMatchObject({ deaths: 2, lost: 0, twice: 0 });
  expect(processes.acknowledged).toBeGreaterThan(80);
  if (fullDisk) expect(fullDisk).toMatchObject({ lost: 0, twice: 0, refused: 20 });
});
