import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useSupabaseClient as setRemoteClient } from '@/lib/supabase/contextService';
import { closeDatabase, initDatabase, sync } from '@/lib/watermelon';
import { GeneratedModules, typeErrors } from '../support/compile';
import { type DemoStack, startDemoStack } from '../support/demoStack';
import { SEED } from '../support/seed';
import { signInByDefault } from '../support/signedInDefault';
import { planTask } from './consumer/planTask';

const SOURCE = 'tests/contract/consumer/planTask.ts';
const LOCAL = '@/lib/watermelon/contextService';
const REMOTE = '@/lib/supabase/contextService';

let demo: DemoStack;
let signOut: () => void;
const generated = new GeneratedModules('consumer');

beforeAll(async () => {
  demo = await startDemoStack();
  signOut = await signInByDefault(demo.stack, 'owner');
  await initDatabase();
  await sync();
});
afterAll(async () => {
  await closeDatabase();
  signOut();
  await demo.stack.close();
  generated.remove();
});

describe('a consumer of the Context Service', () => {
  it('gives the same results when only its import path changes', async () => {
    const source = readFileSync(SOURCE, 'utf8');
    expect(source.split(LOCAL)).toHaveLength(2);
    const remotePath = generated.write('planTask', source.replace(LOCAL, REMOTE));
    expect(typeErrors([SOURCE, remotePath])).toEqual([]);

    const remote = (await import(remotePath)) as { planTask: typeof planTask };
    const { client } = await demo.signIn('owner');
    setRemoteClient(client);
    const [milestone] = await client
      .rpc('get_milestones', { project_id: SEED.fieldApp })
      .then(({ data }) => data as { id: string }[]);
    const locally = await planTask(milestone?.id ?? '');
    const remotely = await remote.planTask(milestone?.id ?? '');
    expect(remotely).toEqual(locally);
    expect(locally).toMatchObject({ stage: 'PLAN_REVIEW', subtasks: [['Write the notes', 'done']], left: 0 });
    expect(await sync()).toMatchObject({ status: 'ok', rejected: 0, conflicts: 0 });
  });
});
