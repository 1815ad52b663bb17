import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PushRequest } from '@/core/protocol';
import type { Task } from '@/domain/entities';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Conflict } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

/** Few values, so that a column often has again what it had before. */
const VALUES = { title: ['a', 'b', 'c'], description: ['a', 'b', null], priority: ['low', 'medium', 'high'] };
type Name = keyof typeof VALUES;
type Values = Partial<Record<Name, string | null>>;
const NAMES = Object.keys(VALUES) as Name[];

const values = fc
  .record({
    title: fc.constantFrom(...VALUES.title),
    description: fc.constantFrom(...VALUES.description),
    priority: fc.constantFrom(...VALUES.priority),
  })
  .chain((all) => fc.subarray(NAMES, { minLength: 1, maxLength: 2 }).map((names) => pick(all, names)));

/** What an update expects: nothing, what its writer reads, or anything. */
const expectation = fc.oneof(
  fc.constant(null),
  fc.record({ reads: fc.subarray(NAMES, { minLength: 1 }) }),
  fc.record({ guesses: values }),
);
const step = fc.oneof(
  { arbitrary: fc.record({ by: fc.nat(2), changes: values, expects: expectation }), weight: 3 },
  { arbitrary: fc.record({ syncs: fc.nat(1) }), weight: 2 },
);

function pick<Given extends object>(given: Given, names: readonly (keyof Given)[]): Partial<Given> {
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Partial<Given>;
}

/** The task as the server has it. */
async function onServer(id: string): Promise<Values> {
  const done = await world.stack.backend.transaction((connection) =>
    connection.query<Values>('select title, description, priority from public.tasks where id = $1::uuid', [
      id,
    ]),
  );
  if (!done.ok) throw new Error(done.error.message);
  return done.value[0] as Values;
}

/** Whether an update is held back: a column is not as expected, and does not have the update's value already. */
function isHeldBack(row: Values, changes: Values, expected: Values): boolean {
  return NAMES.some((name) => {
    const isDone = name in changes && changes[name] === row[name];
    return name in expected && expected[name] !== row[name] && !isDone;
  });
}

/** A device, and what its unsynced edits of the task depend on by the model. */
class Writer {
  conditions: Values = {};
  /** The task as it was when last in step. */
  inStep: Values = {};
  heldBack = 0;

  constructor(
    readonly device: TestDevice,
    private readonly id: string,
  ) {}

  async read(): Promise<Values> {
    return pick((await this.device.contextService.getLocalTask(this.id)) as Task, NAMES) as Values;
  }

  async sync(): Promise<void> {
    const { push } = this.device.transport;
    this.device.transport.push = (request, signal) => this.judged(request, () => push(request, signal));
    const { error } = await this.device.sync();
    this.device.transport.push = push;
    if (error) throw new Error(error.message);
    this.conditions = {};
    this.inStep = await onServer(this.id);
  }

  private async judged<Answer>(request: PushRequest, send: () => Promise<Answer>): Promise<Answer> {
    const change = request.changes.find(({ id }) => id === this.id);
    const expected = (change?.expected ?? {}) as Values;
    expect(expected, 'an update goes with what it depends on').toMatchObject(this.conditions);
    this.conditions = {};
    const before = await onServer(this.id);
    const answer = await send();
    if (change && isHeldBack(before, (change.values ?? {}) as Values, expected)) {
      this.heldBack += 1;
      expect(await onServer(this.id), 'nothing is written over').toEqual(before);
    }
    return answer;
  }
}

it('no update is written over what it did not expect, and none that is held back is lost, however devices and the remote service write and sync (D15, U45)', async () => {
  const remote = createRemoteContextService({ client: here.client });
  let heldBack = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const { id } = await here.contextService.createTask({
        milestone_id: SEED.offlineMilestone,
        title: 'a',
        description: 'a',
      });
      await settle(here, there);
      const writers = [here, there].map((device) => new Writer(device, id)) as [Writer, Writer];
      for (const writer of writers) await writer.sync();
      for (const made of steps) {
        if ('syncs' in made) {
          await writers[made.syncs]?.sync();
          continue;
        }
        const { changes, expects } = made;
        const writer = writers[made.by];
        const before = writer ? await writer.read() : await onServer(id);
        const expected = expects && ('reads' in expects ? pick(before, expects.reads) : expects.guesses);
        const { updateTask } = writer?.device.contextService ?? remote;
        const written = await updateTask(
          id,
          changes as Partial<Task>,
          expected ? { expected: expected as Partial<Task> } : {},
        )
          .then(() => true)
          .catch((error: { code?: string }) => {
            expect(error.code).toBe('stale');
            return false;
          });
        expect(written).toBe(!isHeldBack(before, changes, expected ?? {}));
        const after = writer ? await writer.read() : await onServer(id);
        expect(after).toEqual(written ? { ...before, ...changes } : before);
        const isChanged = NAMES.some((name) => after[name] !== before[name]);
        if (!writer || !expected || !isChanged) continue;
        for (const name of Object.keys(expected) as Name[])
          writer.conditions[name] ??= writer.inStep[name] as string;
      }
      for (const writer of [...writers, ...writers]) await writer.sync();
      await settle(here, there);
      const held = await onServer(id);
      for (const writer of writers) {
        heldBack += writer.heldBack;
        expect(await writer.read()).toEqual(held);
        const asked = await writer.device.database.of(Conflict).query().fetch();
        const open = asked.filter(({ recordId, state }) => recordId === id && state === 'open');
        expect(open.length, 'a person is asked').toBeGreaterThanOrEqual(Math.min(writer.heldBack, 1));
      }
    }),
    { numRuns: 12, seed: 1 },
  );
  expect(heldBack).toBeGreaterThan(0);
});
