/** Ids of the demo's records (supabase/seed.sql), for tests that name them. */

const KINDS = {
  user: '00',
  workspace: '01',
  project: '02',
  milestone: '03',
  task: '04',
  pattern: '07',
  practice: '08',
  member: '0a',
} as const;

/** @returns the id of the n-th record of a kind. */
export function seedId(kind: keyof typeof KINDS, n: number): string {
  return `019a0000-0000-7000-80${KINDS[kind]}-${String(n).padStart(12, '0')}`;
}

export const SEED = {
  users: {
    owner: seedId('user', 1),
    editor: seedId('user', 2),
    viewer: seedId('user', 3),
    agent: seedId('user', 4),
  },
  workspace: seedId('workspace', 1),
  fieldApp: seedId('project', 1),
  syncService: seedId('project', 2),
  /** Of the field app. */
  offlineMilestone: seedId('milestone', 1),
  /** Has subtasks, dependencies, and more than 20 activities. */
  busyTask: seedId('task', 1),
  globalPractice: '00000000-0000-7000-8000-000000000101',
  password: 'convoy-demo',
} as const;
