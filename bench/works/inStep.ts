/** W2 to W4: what keeping in step costs once everything is there. */

import { median, Samples } from '../measure';
import type { SubjectName } from '../subjects/main';
import type { Bench } from './bench';

const SYNCS = 15;
const CHANGED = 100;
const EDITED = 1_000;

export async function emptyCalls(bench: Bench): Promise<void> {
  const all = new Map<SubjectName, number[]>();
  await bench.inTurns(4, async (name) => {
    const ms = await (await bench.subject(name)).tell('emptyCalls', 10);
    all.set(name, [...(all.get(name) ?? []), ...ms]);
  });
  for (const [name, ms] of all) bench.callMs.set(name, median(ms));
}

export async function idleSync(bench: Bench): Promise<void> {
  const { size, checks } = bench;
  const samples = new Samples();
  await bench.inTurns(SYNCS, async (name) => {
    const { ms, pulled, received, requests } = await (await bench.subject(name)).tell('sync');
    checks.equal(`W2 ${size.name} ${name}: rows of an idle sync`, pulled, 0);
    samples.add(name, ms, { wireKb: received / 1024, requests, callMs: bench.callMs.get(name) ?? null });
  });
  bench.results.push(...samples.results('W2 idle sync', size.name));
}

export async function changesOfOthers(bench: Bench): Promise<void> {
  const { size, checks, world } = bench;
  const samples = new Samples();
  for (let repetition = 0; repetition < 5; repetition += 1) {
    const ids = bench.tasks(CHANGED);
    const title = bench.newTitle();
    for (const schema of ['public', 'stock']) {
      const stamp = schema === 'stock' ? ', updated_at = now()' : '';
      await world.admin.query(`update ${schema}.tasks set title = $1${stamp} where id = any ($2)`, [
        title,
        ids,
      ]);
    }
    await bench.inTurns(1, async (name) => {
      const { ms, titles, received, requests } = await (await bench.subject(name)).tell('syncAndRead', ids);
      checks.equal(`W3 ${size.name} ${name}: titles`, [...new Set(titles)], [title]);
      samples.add(name, ms, { wireKb: received / 1024, requests, callMs: bench.callMs.get(name) ?? null });
    });
  }
  bench.results.push(...samples.results('W3 100 changed', size.name));
}

export async function editAndPush(bench: Bench): Promise<void> {
  const { size, checks, world, options } = bench;
  const edited = new Samples();
  const pushed = new Samples();
  await bench.inTurns(Math.max(3, options.repetitions), async (name) => {
    const subject = await bench.subject(name);
    // The limit and stock share a server's tables: what one pushed is news for the other.
    await subject.tell('sync');
    const ids = bench.tasks(EDITED);
    const title = bench.newTitle();
    const ms = await subject.tell(
      'edit',
      ids.map((id) => ({ id, title })),
    );
    edited.add(name, ms);
    const sync = await subject.tell('sync');
    const { requests } = sync;
    pushed.add(name, sync.ms, {
      wireKb: sync.received / 1024,
      requests,
      callMs: bench.callMs.get(name) ?? null,
    });
    const schema = name === 'convoy' ? 'public' : 'stock';
    const { rows } = await world.admin.query(`select count(*)::int from ${schema}.tasks where title = $1`, [
      title,
    ]);
    checks.equal(`W4 ${size.name} ${name}: edits on the server`, rows[0]?.count, EDITED);
    const again = await subject.tell('sync');
    // Stock WatermelonDB pulls what it has pushed; that is a result, not a fault of the benchmark.
    if (name !== 'stock') checks.equal(`W4 ${size.name} ${name}: rows echoed`, sync.pulled + again.pulled, 0);
  });
  bench.results.push(
    ...edited.results('W4 edit 1,000', size.name),
    ...pushed.results('W4 push 1,000', size.name),
  );
}
