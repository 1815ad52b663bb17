/** W13 and W14: everything that a device holds is compared with a restored server, and purged. */

import { Samples } from '../measure';
import type { SubjectProcess } from '../subjects/process';
import type { Bench } from './bench';

/** MB. What does not fit is work whose memory grows with the data. */
const HEAP_MB = 160;

/** A process on the filled database of Convoy, with a small heap. */
async function filled(bench: Bench): Promise<SubjectProcess> {
  await bench.subject('convoy');
  await bench.endAll();
  const subject = await bench.start('convoy', false, HEAP_MB);
  await subject.tell('open');
  await subject.tell('sync');
  return subject;
}

/** The server has the same rows, and another history: as if it had been put back to a backup of a moment ago. */
export async function resync(bench: Bench): Promise<void> {
  const { size, checks, world } = bench;
  const samples = new Samples();
  const subject = await filled(bench);
  const before = await subject.tell('counts');
  for (const table of ['scope_revisions', 'scope_clocks']) {
    await world.admin.query(
      `update convoy.${table} set tag = md5('restored' || tag) where scope_id = any ($1::uuid[])`,
      [size.workspaceIds],
    );
  }
  const { ms, pulled, received, requests } = await subject.tell('sync');
  const rssMb = await subject.tell('memory');
  checks.equal(`W13 ${size.name}: rows`, pulled >= size.rows, true);
  checks.equal(`W13 ${size.name}: rows by table`, await subject.tell('counts'), before);
  checks.equal(`W13 ${size.name}: rows afterwards`, (await subject.tell('sync')).pulled, 0);
  samples.add('convoy', ms, { rssMb, wireKb: received / 1024, requests });
  await subject.end();
  bench.results.push(...samples.results('W13 resync', size.name));
}

/** The user is no member of any of the workspaces any more. To be measured last. */
export async function purge(bench: Bench): Promise<void> {
  const { size, checks, world } = bench;
  const samples = new Samples();
  const subject = await filled(bench);
  // Past the triggers: the server keeps the only owner of a workspace from leaving it.
  await world.admin.query('begin');
  await world.admin.query('set local session_replication_role = replica');
  await world.admin.query(
    'update public.workspace_members set deleted_at = now() where user_id = $1 and workspace_id = any ($2::uuid[])',
    [size.userId, size.workspaceIds],
  );
  await world.admin.query('commit');
  const { ms, requests } = await subject.tell('sync');
  const rssMb = await subject.tell('memory');
  const { tasks, activity_feed, workspaces } = await subject.tell('counts');
  checks.equal(`W14 ${size.name}: rows left`, [tasks, activity_feed, workspaces], [0, 0, 0]);
  samples.add('convoy', ms, { rssMb, requests });
  await subject.end();
  bench.results.push(...samples.results('W14 purge', size.name));
}
