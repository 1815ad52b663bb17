/**
 * The next version of the project, as `src/lib/watermelon/README.md` describes how to make one: a column
 * `risk` on tasks, with a default, and a table `labels`.
 */

import type { Edit } from './variant';

/** The server's end, which tests run while devices sync. */
export const NEXT_MIGRATION = `
  alter table public.tasks add column risk text not null default 'low'
    constraint tasks_risk_allowed check (risk in ('low', 'medium', 'high'));
  select convoy.make_synced('tasks', 6,
    refs => '{"milestone_id": "milestones", "parent_task_id": "tasks", "workflow_id": "workflows"}',
    parents => array['milestone_id', 'parent_task_id'],
    units => '{"milestone_id": "place", "parent_task_id": "place",
      "current_stage": "stage", "status": "stage", "completion_date": "stage"}',
    ignored => array['claimed_by', 'claimed_until', 'claim_id']);

  create table public.labels (
    like convoy.record including all,
    task_id uuid not null,
    name text not null constraint labels_name_length check (char_length(name) <= 200),
    constraint labels_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
    constraint labels_task_id_fkey foreign key (workspace_id, task_id) references public.tasks (workspace_id, id)
  );
  select convoy.make_synced('labels', 12, refs => '{"task_id": "tasks"}', parents => array['task_id']);
  insert into convoy.permissions (role, table_name, op)
    select role, 'labels', op from unnest(array['owner', 'editor']) role, unnest(array['insert', 'update', 'delete']) op;

  select convoy.build_pages();
  select convoy.build_pushes();
  update convoy.served_versions set schema = schema + 1;
  revoke execute on all functions in schema convoy from public;
`;

export const NEXT_VERSION: Edit[] = [
  {
    file: 'src/core/protocol.ts',
    find: 'export const SCHEMA_VERSION = 2;',
    replace: 'export const SCHEMA_VERSION = 3;',
  },
  {
    file: 'src/domain/schema.ts',
    find: "  'deletions',\n]",
    replace: "  'deletions',\n  'labels',\n]",
  },
  {
    file: 'src/domain/schema.ts',
    find: "    sort_order: { kind: 'number', default: 0 },\n",
    replace:
      "    sort_order: { kind: 'number', default: 0 },\n" +
      "    risk: { kind: 'text', oneOf: ['low', 'medium', 'high'], default: 'low', since: 3 },\n",
  },
  {
    file: 'src/domain/schema.ts',
    find: '} as const satisfies Record<SyncedTable, TableColumns>;',
    replace:
      "  labels: {\n    task_id: { kind: 'ref', to: 'tasks', parent: true, since: 3 },\n" +
      "    name: { kind: 'text', max: NAME, since: 3 },\n  },\n} as const satisfies Record<SyncedTable, TableColumns>;",
  },
  {
    file: 'src/lib/watermelon/models/schema.ts',
    find: 'export const LOCAL_SCHEMA_VERSION = 6;',
    replace: 'export const LOCAL_SCHEMA_VERSION = 7;',
  },
  {
    file: 'src/lib/watermelon/models/migrations.ts',
    find: '  migrations: [\n',
    replace: '  migrations: [\n    { toVersion: 7, steps: syncedSteps(3) },\n',
  },
  {
    file: 'src/lib/watermelon/models/label.ts',
    content:
      "import { ConvoyModel } from './convoyModel';\nimport { text } from './watermelondb';\n\n" +
      "export class Label extends ConvoyModel {\n  static override table = 'labels';\n\n  @text('name') name!: string;\n}\n",
  },
  {
    file: 'src/lib/watermelon/models/index.ts',
    find: "import { Milestone } from './milestone';\n",
    replace: "import { Label } from './label';\nimport { Milestone } from './milestone';\n",
  },
  {
    file: 'src/lib/watermelon/models/index.ts',
    find: '  Archived,\n  Conflict,',
    replace: '  Label,\n  Archived,\n  Conflict,',
  },
];
