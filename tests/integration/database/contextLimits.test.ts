/** Limits of a context as anybody may send them: none of them is an error, and each means what it can. */

import { expect, it } from 'vitest';
import { type ContextLimits, checkLimits } from '@/domain/contextLimits';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForFile } from '../../support/teamDatabase';
import { rowsRead } from '../../support/work';

teamForFile();

const SUBTASKS = 3;

/** A limit as JSON, how many subtasks it lets through as `items`, and whether devices refuse it before they ask. */
const ODD: [limit: string, shown: number, isRefused?: boolean][] = [
  ['2', 2, false],
  ['0', 0, false],
  ['1.5', 1],
  ['-0.5', 0],
  ['-1', 0],
  ['-9223372036854775808', 0],
  ['9223372036854775808', SUBTASKS],
  ['1e400', SUBTASKS],
  ['-1e400', 0],
  ['null', SUBTASKS],
  ['true', SUBTASKS],
  ['"NaN"', SUBTASKS],
  ['"2"', SUBTASKS],
  ['{"a": 1}', SUBTASKS],
  ['[1]', SUBTASKS],
];

async function subtasksFor(who: SyncUser, limits: string): Promise<number | null> {
  const [row] = await database.as(who.id, (connection) =>
    connection.query<{ context: { subtasks: unknown[] } | null }>(
      'select public.get_bounded_context($1::uuid, $2::jsonb) as context',
      [team.task, limits],
    ),
  );
  return row?.context ? row.context.subtasks.length : null;
}

it('odd limits are read as what they can mean, and tell a stranger nothing; devices refuse them', async () => {
  await team.owner.push(
    Array.from({ length: SUBTASKS }, (_, n) =>
      team.make.insert('tasks', {
        title: `subtask ${n}`,
        milestone_id: team.milestone,
        parent_task_id: team.task,
      }),
    ),
  );
  for (const [limit, shown, isRefused = true] of ODD) {
    const items = `{"subtasks": {"items": ${limit}}}`;
    expect([limit, await subtasksFor(team.owner, items)]).toEqual([limit, shown]);
    expect([limit, checkLimits(JSON.parse(items) as ContextLimits).ok]).toEqual([limit, !isRefused]);
    // A few bytes hold no subtask; what is no number, or a huge one, holds all.
    const fits = shown === SUBTASKS ? SUBTASKS : 0;
    for (const bytes of [`{"subtasks": {"bytes": ${limit}}}`, `{"bytes": ${limit}}`]) {
      expect([bytes, await subtasksFor(team.owner, bytes)]).toEqual([bytes, fits]);
      expect(await subtasksFor(team.stranger, bytes)).toBeNull();
    }
  }
  for (const limits of ['null', '1', '"x"', '[]', '[{"bytes": "x"}]', '{"subtasks": 1}', '{"bytes": null}']) {
    expect([limits, await subtasksFor(team.owner, limits)]).toEqual([limits, SUBTASKS]);
    expect(await subtasksFor(team.stranger, limits)).toBeNull();
  }
});

it('the knowledge of other projects costs a context nothing', async () => {
  const others = 3_000;
  const project = team.make.insert('projects', { name: 'Another' });
  await team.owner.push([project]);
  for (const table of ['patterns', 'best_practices']) {
    await database.query(
      `insert into public.${table} (id, workspace_id, project_id, name)
       select gen_random_uuid(), $1::uuid, $2::uuid, 'Of another project ' || n from generate_series(1, $3::int) n`,
      [team.workspace, project.id, others],
    );
  }
  await database.query('analyze public.patterns, public.best_practices', []);
  await database.as(team.owner.id, async (connection) => {
    const read = async () =>
      (await rowsRead(connection, 'public', 'patterns')) +
      (await rowsRead(connection, 'public', 'best_practices'));
    const before = await read();
    await connection.query(`select public.get_bounded_context($1::uuid, '{}')`, [team.task]);
    expect((await read()) - before).toBeLessThan(200);
  });
});
