/**
 * The rows of one workspace of 35,321: what a team of years leaves behind. Larger sizes are several of
 * them, 353,210 rows in ten workspaces.
 */

import type { SyncedTable } from '@/domain/schema';
import { type Random, randomFrom, textOf, uuidAt } from './random';

export const COUNTS = {
  workspaces: 1,
  projects: 20,
  milestones: 200,
  tasks: 10_000,
  task_dependencies: 5_000,
  activity_feed: 20_000,
  patterns: 50,
  best_practices: 50,
} as const satisfies Partial<Record<SyncedTable, number>>;
export const ROWS_OF_WORKSPACE = Object.values(COUNTS).reduce((sum, count) => sum + count, 0);

export type FilledTable = keyof typeof COUNTS;
type Value = string | number | null;
/** Values by column. */
export type Row = Record<string, Value> & { id: string; revision: number; created_at: string };
export type WorkspaceRows = Record<FilledTable, Row[]>;

const BEGAN = Date.UTC(2024, 0, 1);
const STAGES = ['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'VALIDATE', 'CODE_REVIEW', 'COMMIT'];
/** The revision at which a workspace is complete: one for each milestone with its tasks, after the first. */
export const HEAD = COUNTS.milestones + 1;

/** @param number of the workspace, the seed of everything in it */
export function makeWorkspace(number: number): WorkspaceRows {
  const random = randomFrom(7_919 * (number + 1));
  let at = BEGAN + number * 1_000;
  const row = (revision: number, values: Record<string, Value>): Row => {
    at += 60_000;
    return { id: uuidAt(at, random), revision, created_at: new Date(at).toISOString(), ...values };
  };
  const json = (characters: number) => JSON.stringify({ text: textOf(characters, random) });
  const made = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
  const pick = (rows: Row[]) => (rows[Math.floor(random() * rows.length)] as Row).id;

  const workspaces = [row(1, { name: `Workspace ${number}`, description: textOf(80, random) })];
  const projects = made(COUNTS.projects, (n) =>
    row(1, {
      name: `Project ${n}`,
      description: textOf(200, random),
      overview: textOf(500, random),
      tech_stack: '["ts"]',
    }),
  );
  const milestones = made(COUNTS.milestones, (n) =>
    row(n + 2, {
      project_id: projects[n % projects.length]?.id ?? null,
      name: `Milestone ${n}`,
      description: textOf(200, random),
      requirements: textOf(200, random),
    }),
  );
  const knowledge = (kind: 'pattern_type' | 'category') => (n: number) =>
    row(1, {
      project_id: n % 5 === 0 ? null : (projects[n % projects.length]?.id ?? null),
      name: `Knowledge ${n}`,
      description: textOf(120, random),
      [kind]: 'general',
      content: json(200),
    });
  return {
    workspaces,
    projects,
    milestones,
    ...work(milestones, { row, json, made, pick, random }),
    patterns: made(COUNTS.patterns, knowledge('pattern_type')),
    best_practices: made(COUNTS.best_practices, knowledge('category')),
  };
}

interface Making {
  row: (revision: number, values: Record<string, Value>) => Row;
  json: (characters: number) => string;
  made: <T>(count: number, make: (n: number) => T) => T[];
  pick: (rows: Row[]) => string;
  random: Random;
}

/** Tasks of about 300 bytes, two activities each, every other one with a dependency. */
function work(milestones: Row[], { row, json, made, pick, random }: Making) {
  const perMilestone = COUNTS.tasks / milestones.length;
  const tasks: Row[] = [];
  for (let n = 0; n < COUNTS.tasks; n += 1) {
    const milestone = milestones[Math.floor(n / perMilestone)] as Row;
    const isSubtask = n % perMilestone > 0 && n % 4 === 0;
    const parent = isSubtask ? tasks[Math.floor(n / perMilestone) * perMilestone] : undefined;
    tasks.push(
      row(milestone.revision, {
        milestone_id: milestone.id,
        parent_task_id: parent?.id ?? null,
        title: textOf(40, random),
        description: textOf(190, random),
        current_stage: STAGES[n % STAGES.length] as string,
        sort_order: n,
      }),
    );
  }
  const task_dependencies = made(COUNTS.task_dependencies, (n) => {
    const task = tasks[2 * n + 1] as Row;
    return row(task.revision, { task_id: task.id, depends_on_task_id: (tasks[2 * n] as Row).id });
  });
  const activity_feed = made(COUNTS.activity_feed, (n) => {
    const task = tasks[n >> 1] as Row;
    const id = n % 50 === 0 ? pick(tasks) : task.id;
    return row(task.revision, { task_id: id, activity_type: 'comment', details: json(50) });
  });
  return { tasks, task_dependencies, activity_feed };
}
