/** What people do: random work on all tables, through the Context Service and through the models. */

import type { SyncedTable } from '@/domain/schema';
import { STANDARD_STAGES, TASK_PRIORITIES, TASK_STATUSES, type TaskPriority } from '@/domain/vocabulary';
import type { ConvoyModel } from '@/lib/watermelon/models';
import { type Do, type Hand, NothingToDo, type Operations } from './hand';
import { KEY_OPERATIONS } from './keyOperations';
import { MEMBER_OPERATIONS } from './memberOperations';
import { REVIEW_OPERATIONS } from './reviewOperations';
import { CUSTOM_STAGES, LARGE_MILESTONE } from './team';
import { RIVAL_OPERATIONS, WORK_OPERATIONS } from './workOperations';

async function edit(hand: Hand, table: SyncedTable, record: ConvoyModel, column: string, value: string) {
  hand.overwrite(table, record, column, value);
  const changes = { [column]: value };
  const { service } = hand;
  switch (table) {
    case 'tasks':
      return service.updateTask(record.id, changes);
    case 'projects':
      return service.updateProject(record.id, changes);
    case 'milestones':
      return service.updateMilestone(record.id, changes);
    case 'workspaces':
      return service.updateWorkspace(record.id, changes);
    case 'patterns':
      return service.updatePattern(record.id, changes);
    case 'best_practices':
      return service.updateBestPractice(record.id, changes);
    default:
      return hand.database.write(() =>
        record.update((draft) => draft._setRaw(column as never, value as never)),
      );
  }
}

/** One of three lines gets a new word, so that edits of different lines can be merged. */
async function editLine(hand: Hand, table: SyncedTable, column: string) {
  const record = await hand.some(table);
  const lines = String(record.raw[column] ?? 'one\ntwo\nthree').split('\n');
  lines[hand.random.below(lines.length)] = `line ${hand.token}`;
  return edit(hand, table, record, column, lines.join('\n'));
}

const rename =
  (table: SyncedTable, column = 'name'): Do =>
  async (hand) => {
    const record = await hand.some(table);
    return edit(hand, table, record, column, hand.token);
  };

/** @returns a deletion that a person is shown, of a workspace that is deleted itself too. */
async function someDeletion(hand: Hand) {
  const scope = hand.random.pick(await scopesOfDeletions(hand));
  const deletions = await hand.service.getDeletions(scope);
  if (deletions.length === 0) throw new NothingToDo();
  return hand.random.pick(deletions);
}

/** @returns workspaces that may have a deletion. @throws NothingToDo */
async function scopesOfDeletions(hand: Hand): Promise<string[]> {
  const scopes = [...(await hand.all('deletions')), ...(await hand.all('workspaces'))].map(
    ({ workspaceId }) => workspaceId,
  );
  if (scopes.length === 0) throw new NothingToDo();
  return [...new Set(scopes)];
}

async function deletionsOf(hand: Hand) {
  const found = [];
  for (const scope of await scopesOfDeletions(hand)) found.push(...(await hand.service.getDeletions(scope)));
  return found;
}

export const OPERATIONS: Operations = {
  createTask: [
    8,
    async (hand) => {
      const milestone = await hand.some('milestones');
      hand.put('tasks');
      return hand.service.createTask({
        milestone_id: milestone.id,
        title: hand.token,
        sort_order: hand.random.below(1000),
      });
    },
  ],
  createSubtask: [
    4,
    async (hand) => {
      const parent = await hand.some('tasks');
      hand.put('tasks');
      return hand.service.createTask({
        milestone_id: parent.raw.milestone_id as string,
        parent_task_id: parent.id,
        title: hand.token,
        workflow_id: parent.raw.workflow_id as string | null,
      });
    },
  ],
  title: [10, rename('tasks', 'title')],
  description: [6, (hand) => editLine(hand, 'tasks', 'description')],
  status: [
    4,
    async (hand) =>
      hand.service.updateTask((await hand.some('tasks')).id, { status: hand.random.pick(TASK_STATUSES) }),
  ],
  priority: [
    3,
    async (hand) =>
      hand.service.updateTask((await hand.some('tasks')).id, { priority: hand.random.pick(TASK_PRIORITIES) }),
  ],
  several: [
    3,
    async (hand) => {
      const task = await hand.some('tasks');
      hand.overwrite('tasks', task, 'title');
      return hand.service.updateTask(task.id, {
        title: hand.token,
        priority: hand.random.pick(TASK_PRIORITIES),
        assignee_id: hand.life.userId,
        sort_order: 7,
      });
    },
  ],
  expecting: [
    5,
    async (hand) => {
      const task = await hand.some('tasks');
      hand.overwrite('tasks', task, 'title');
      const title = String(task.raw.title);
      const priority = task.raw.priority as TaskPriority;
      return hand.service.updateTask(task.id, { title: hand.token }, { expected: { title, priority } });
    },
  ],
  take: [
    3,
    async (hand) => {
      const { id, raw } = await hand.some('tasks');
      const assignee_id = (raw.assignee_id ?? null) as string | null;
      return hand.service.updateTask(id, { assignee_id: hand.life.userId }, { expected: { assignee_id } });
    },
  ],
  stage: [
    8,
    async (hand) => {
      const task = await hand.some('tasks');
      const stages = task.raw.workflow_id ? CUSTOM_STAGES.map(({ name }) => name) : STANDARD_STAGES;
      return hand.service.updateTaskStage(task.id, hand.random.pick(stages));
    },
  ],
  stageByModel: [
    2,
    async (hand) => {
      // Past the Context Service and its early checks: the server has the last word.
      const task = await hand.some('tasks');
      const stages = task.raw.workflow_id ? CUSTOM_STAGES.map(({ name }) => name) : STANDARD_STAGES;
      const stage = hand.random.pick(stages);
      return hand.database.write(() => task.update((draft) => draft.setColumn('current_stage', stage)));
    },
  ],
  createWithShortId: [
    2,
    async (hand) => {
      // As an application does that was built on WatermelonDB before, with its own kind of ids.
      const project = await hand.some('projects');
      hand.put('milestones');
      return hand.database.write(() =>
        hand.database.records('milestones').create((draft) => {
          draft.raw.id = `short${hand.token}`.padEnd(16, '0').slice(0, 16);
          draft.setColumn('workspace_id', project.workspaceId);
          draft.setColumn('project_id', project.id);
          draft.setColumn('name', hand.token);
          draft.setColumn('status', 'planned');
        }),
      );
    },
  ],
  moveTask: [
    3,
    async (hand) => {
      const [task, milestone] = [await hand.some('tasks'), await hand.some('milestones')];
      return hand.service.updateTask(task.id, { milestone_id: milestone.id, parent_task_id: null });
    },
  ],
  moveUnder: [
    3,
    async (hand) => {
      const [task, parent] = [await hand.some('tasks'), await hand.some('tasks')];
      return hand.service.updateTask(task.id, { parent_task_id: parent.id });
    },
  ],
  workflowOf: [
    1,
    async (hand) => {
      const [task, workflow] = [await hand.some('tasks'), await hand.some('workflows')];
      return hand.service.updateTask(task.id, { workflow_id: workflow.id, current_stage: 'DRAFT' });
    },
  ],
  deleteTask: [4, async (hand) => hand.service.deleteTask((await hand.some('tasks')).id)],
  link: [
    5,
    async (hand) =>
      hand.service.addTaskDependency((await hand.some('tasks')).id, (await hand.some('tasks')).id),
  ],
  unlink: [
    3,
    async (hand) => {
      const link = await hand.some('task_dependencies');
      return hand.service.removeTaskDependency(
        link.raw.task_id as string,
        link.raw.depends_on_task_id as string,
      );
    },
  ],
  comment: [
    5,
    async (hand) => {
      const task = await hand.some('tasks');
      hand.put('activity_feed');
      return hand.service.addTaskActivity(task.id, 'comment', { text: hand.token });
    },
  ],
  readContext: [2, async (hand) => hand.service.getTaskContext((await hand.some('tasks')).id)],

  createProject: [
    2,
    async (hand) => {
      hand.put('projects');
      const workspace_id = (await hand.some('workspaces')).id;
      return hand.service.createProject({ workspace_id, name: hand.token, tech_stack: [hand.token] });
    },
  ],
  renameProject: [2, rename('projects')],
  overview: [2, (hand) => editLine(hand, 'projects', 'overview')],
  deleteProject: [0.5, async (hand) => hand.service.deleteProject((await hand.some('projects')).id)],
  createMilestone: [
    2,
    async (hand) => {
      hand.put('milestones');
      return hand.service.createMilestone({ project_id: (await hand.some('projects')).id, name: hand.token });
    },
  ],
  renameMilestone: [2, rename('milestones')],
  deleteMilestone: [1, async (hand) => hand.service.deleteMilestone((await hand.some('milestones')).id)],
  createPattern: [
    1,
    async (hand) => {
      hand.put('patterns');
      const workspace_id = (await hand.some('workspaces')).id;
      return hand.service.createPattern({ workspace_id, name: 'Pattern', content: { text: hand.token } });
    },
  ],
  editPattern: [
    2,
    async (hand) => {
      const pattern = await hand.some('patterns');
      hand.overwrite('patterns', pattern, 'content');
      return hand.service.updatePattern(pattern.id, { content: { b: hand.token, a: [1] } });
    },
  ],
  deletePattern: [0.5, async (hand) => hand.service.deletePattern((await hand.some('patterns')).id)],
  createPractice: [
    1,
    async (hand) => {
      hand.put('best_practices');
      const project = await hand.some('projects');
      return hand.service.createBestPractice({
        workspace_id: project.workspaceId,
        project_id: project.id,
        name: hand.token,
      });
    },
  ],
  renamePractice: [1, rename('best_practices')],
  createWorkspace: [
    1,
    async (hand) => {
      hand.put('workspaces');
      return hand.service.createWorkspace({ name: hand.token });
    },
  ],
  renameWorkspace: [1, rename('workspaces')],
  deleteWorkspace: [0.2, async (hand) => hand.service.deleteWorkspace((await hand.some('workspaces')).id)],

  restoreDeletion: [
    3,
    async (hand) => {
      const { id, entity_id } = await someDeletion(hand);
      hand.oracle.giveUpDeletion(entity_id);
      return hand.service.restoreDeletion(id);
    },
  ],
  restoreByModel: [
    1,
    async (hand) => {
      const record = await hand.some('deletions');
      const now = hand.database.clock.now();
      hand.oracle.giveUpDeletion(record.raw.entity_id as string);
      return hand.database.write(() => record.update((draft) => draft.setColumn('restored_at', now)));
    },
  ],

  createWorkflow: [
    0.5,
    async (hand) => {
      hand.put('workflows');
      const workspace = await hand.some('workspaces');
      return hand.database.write(() =>
        hand.database.records('workflows').create((draft) => {
          draft.setColumn('workspace_id', workspace.id);
          draft.setColumn('name', hand.token);
          draft.setColumn('stages', JSON.stringify(CUSTOM_STAGES));
        }),
      );
    },
  ],
  renameWorkflow: [1, rename('workflows')],
  ...MEMBER_OPERATIONS,
  ...WORK_OPERATIONS,
  ...REVIEW_OPERATIONS,
};

/** Work that some programs have more of, drawn apart: it changes no other program. */
export const ADDED_OPERATIONS: Record<string, Do> = { ...KEY_OPERATIONS, ...RIVAL_OPERATIONS };

/** What is done to the milestone of a large workspace that has nearly all of its tasks. */
export const LARGE_OPERATIONS: Record<string, Do> = {
  deleteLarge: async (hand) => {
    const large = (await hand.all('milestones')).find(({ raw }) => raw.name === LARGE_MILESTONE);
    if (!large) throw new NothingToDo();
    return hand.service.deleteMilestone(large.id);
  },
  restoreLarge: async (hand) => {
    const deletions = (await deletionsOf(hand)).sort((a, b) => Number(b.parts) - Number(a.parts));
    const [largest] = deletions;
    if (!largest) throw new NothingToDo();
    hand.oracle.giveUpDeletion(largest.entity_id);
    return hand.service.restoreDeletion(largest.id);
  },
};

/** The schema change of the next version: `tests/support/nextVersion.ts`. */
export const NEXT_OPERATIONS: Record<string, Do> = {
  risk: async (hand) => {
    const task = await hand.some('tasks');
    const risk = hand.random.pick(['low', 'medium', 'high']);
    return hand.database.write(() => task.update((draft) => draft.setColumn('risk', risk)));
  },
  label: async (hand) => {
    const task = await hand.some('tasks');
    const labels = 'labels' as SyncedTable;
    hand.put(labels);
    return hand.database.write(() =>
      hand.database.records(labels).create((draft) => {
        draft.setColumn('workspace_id', task.workspaceId);
        draft.setColumn('task_id', task.id);
        draft.setColumn('name', hand.token);
      }),
    );
  },
};
