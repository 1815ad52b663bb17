/** The initial state of a run: workspaces with members, projects, tasks and a workflow of their own. */

import type { Random } from './random';
import { type SimServer, type SimUser, USERS } from './server';

export const CUSTOM_STAGES = [
  { name: 'DRAFT', description: '', order: 1, is_checkpoint: false },
  { name: 'APPROVAL', description: '', order: 2, is_checkpoint: true },
  { name: 'BUILD', description: '', order: 3, is_checkpoint: false },
];

/** The name of the milestone that has nearly all tasks of a large workspace. */
export const LARGE_MILESTONE = 'Large';

export interface Workspace {
  id: string;
  members: Map<string, string>;
}

/** Ids that sort like those of a device, and are the same in every run of a seed. */
export function makeId(random: Random): string {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => random.below(16).toString(16)).join('');
  return `019a${hex(4)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
}

/** Tasks that are written in one transaction. */
const AT_ONCE = 500;

/**
 * Lays down one workspace, as the service would.
 * @param rows tasks in a milestone of their own
 */
export async function layDown(server: SimServer, random: Random, name: string, rows = 0): Promise<Workspace> {
  const id = makeId(random);
  const members = new Map<string, string>([[USERS.olga.id, 'owner']]);
  const roles: [SimUser, readonly (readonly [string | null, number])[]][] = [
    [
      USERS.oskar,
      [
        ['owner', 4],
        ['editor', 2],
        [null, 1],
      ],
    ],
    [
      USERS.edgar,
      [
        ['editor', 8],
        ['viewer', 1],
        [null, 1],
      ],
    ],
    [
      USERS.vera,
      [
        ['viewer', 3],
        ['editor', 2],
      ],
    ],
    [
      USERS.agnes,
      [
        ['agent', 7],
        ['editor', 2],
        [null, 1],
      ],
    ],
  ];
  for (const [user, weights] of roles) {
    const role = random.weighted(weights);
    if (role !== null) members.set(user.id, role);
  }
  const [workflow, project] = [makeId(random), makeId(random)];
  const milestones = [makeId(random), makeId(random)];
  const insert = (table: string, values: Record<string, string | null>) => {
    const all = { workspace_id: id, ...values };
    const cells = Object.values(all).map((value) =>
      value === null ? 'null' : `'${value.replaceAll("'", "''")}'`,
    );
    return `insert into public.${table} (${Object.keys(all).join(', ')}) values (${cells.join(', ')});`;
  };
  const script = [
    insert('workspaces', { id, name }),
    ...[...members].map(([user_id, role]) =>
      insert('workspace_members', { id: makeId(random), user_id, role }),
    ),
    insert('workflows', { id: workflow, name: 'Own', stages: JSON.stringify(CUSTOM_STAGES) }),
    insert('projects', { id: project, name: 'Project' }),
    ...milestones.map((milestone) =>
      insert('milestones', { id: milestone, project_id: project, name: 'Milestone' }),
    ),
    ...Array.from({ length: 3 }, (_, n) =>
      insert('tasks', {
        id: makeId(random),
        milestone_id: milestones[n % 2] as string,
        title: `Task ${n}`,
        description: 'one\ntwo\nthree',
        workflow_id: n === 2 ? workflow : null,
        current_stage: n === 2 ? 'DRAFT' : 'PLAN',
      }),
    ),
    insert('patterns', { id: makeId(random), name: 'Pattern' }),
    insert('best_practices', { id: makeId(random), project_id: project, name: 'Practice' }),
  ];
  await server.script(script.join('\n'));
  if (rows === 0) return { id, members };
  const large = makeId(random);
  await server.script(insert('milestones', { id: large, project_id: project, name: LARGE_MILESTONE }));
  for (let from = 0; from < rows; from += AT_ONCE) {
    await server.script(
      `insert into public.tasks (id, workspace_id, milestone_id, title, description)
       select (left(h, 12) || '4' || substr(h, 14, 3) || '8' || right(h, 15))::uuid, '${id}', '${large}', 'Large ' || n, md5(n::text) || md5((n * 7)::text)
       from generate_series(${from + 1}, ${Math.min(rows, from + AT_ONCE)}) n, md5('${id} ' || n) h`,
    );
  }
  return { id, members };
}

/** Users who may write are drawn more often. */
const TURNS: readonly (readonly [SimUser, number])[] = [
  [USERS.olga, 3],
  [USERS.oskar, 2],
  [USERS.edgar, 4],
  [USERS.agnes, 3],
  [USERS.vera, 1],
];

/** @returns the users whose devices take part: the owner first, then any. */
export function chooseUsers(random: Random, count: number): SimUser[] {
  return Array.from({ length: count }, (_, n) => (n === 0 ? USERS.olga : random.weighted(TURNS)));
}
