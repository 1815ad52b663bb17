/** Three ways of writing the same: through a device and a push, through the remote service, and through `sync_push` itself. */

import { randomUUID } from 'node:crypto';
import type { AppError } from '@/core/errors';
import { ConvoyError } from '@/core/errors';
import type { Json, PushChange, PushOutcome } from '@/core/protocol';
import type { ContextService } from '@/domain/contextService';
import { SEED } from '../seed';
import type { SyncUser } from '../syncUser';
import type { Request, RequestTable } from './requests';

/** The records that one way of writing has of its own, by table. */
export type Own = Record<RequestTable, string>;

/** What became of a request; codes of the server and of the services that mean the same are one. */
export type Became =
  | { isTaken: true; id: string }
  | { isTaken: false; reason: string; column: string | null };

export interface Way {
  readonly own: Own;
  write(request: Request): Promise<Became>;
}

/** Makes the records that a way of writing changes. */
export async function makeOwn(service: ContextService): Promise<Own> {
  const { id: projects } = await service.createProject({ workspace_id: SEED.workspace, name: 'Own' });
  const { id: milestones } = await service.createMilestone({ project_id: projects, name: 'Own' });
  const { id: tasks } = await service.createTask({ milestone_id: milestones, title: 'Own', sort_order: 1 });
  const scope = { workspace_id: SEED.workspace, project_id: projects };
  const { id: patterns } = await service.createPattern({ ...scope, name: 'Own' });
  const { id: best_practices } = await service.createBestPractice({ ...scope, name: 'Own' });
  return { projects, milestones, tasks, patterns, best_practices, activity_feed: tasks };
}

/** The columns that place a new record among a way's own. */
function placeOf(table: RequestTable, own: Own): Record<string, string> {
  switch (table) {
    case 'projects':
      return { workspace_id: SEED.workspace };
    case 'milestones':
      return { project_id: own.projects };
    case 'tasks':
      return { milestone_id: own.milestones };
    case 'patterns':
    case 'best_practices':
      return { workspace_id: SEED.workspace, project_id: own.projects };
    case 'activity_feed':
      return { task_id: own.tasks };
  }
}

export function serviceWay(service: ContextService, own: Own): Way {
  return {
    own,
    async write({ op, table, values }) {
      try {
        const given = { ...values, ...(op === 'insert' && placeOf(table, own)) } as never;
        const { id } = await (op === 'insert'
          ? inserted(service, table, own, values, given)
          : updated(service, table, own[table], values as never));
        return { isTaken: true, id };
      } catch (error) {
        if (error instanceof ConvoyError) return refusalBy(error.detail);
        throw error;
      }
    },
  };
}

function inserted(
  service: ContextService,
  table: RequestTable,
  own: Own,
  values: Record<string, unknown>,
  given: never,
): Promise<{ id: string }> {
  switch (table) {
    case 'projects':
      return service.createProject(given);
    case 'milestones':
      return service.createMilestone(given);
    case 'tasks':
      return service.createTask(given);
    case 'patterns':
      return service.createPattern(given);
    case 'best_practices':
      return service.createBestPractice(given);
    case 'activity_feed':
      return service.addTaskActivity(own.tasks, values.activity_type as string, values.details as Json);
  }
}

function updated(
  service: ContextService,
  table: RequestTable,
  id: string,
  changes: never,
): Promise<{ id: string }> {
  switch (table) {
    case 'projects':
      return service.updateProject(id, changes);
    case 'milestones':
      return service.updateMilestone(id, changes);
    case 'tasks':
      return service.updateTask(id, changes);
    case 'patterns':
      return service.updatePattern(id, changes);
    case 'best_practices':
      return service.updateBestPractice(id, changes);
    case 'activity_feed':
      throw new Error('An activity is not changed.');
  }
}

/** Codes of services and of the server, by what they mean. */
const MEANINGS: Record<string, string> = {
  required: 'value',
  bad_value: 'value',
  bad_id: 'value',
  bad_character: 'value',
  invalid_value: 'value',
  missing_parent: 'not_found',
  unknown_column: 'unknown_field',
};

const meaningOf = (code: string) => MEANINGS[code] ?? code;

function refusalBy(detail: AppError): Became {
  const column =
    detail.kind === 'validation' ? detail.field : detail.kind === 'rejected' ? detail.column : null;
  return { isTaken: false, reason: meaningOf(detail.code), column };
}

/** What `sync_push` answered to a change, and whether the device that sent it was told the row as it is (U14). */
export interface Pushed {
  change: PushChange;
  outcome: PushOutcome;
  isTold: boolean;
}

/** @param pushed is called with each change that was answered */
export function rawWay(user: SyncUser, own: Own, pushed: (one: Pushed) => void): Way {
  return {
    own,
    async write({ op, table, values }) {
      const { workspace_id: _, ...place } = placeOf(table, own);
      const change: PushChange = {
        table,
        op,
        id: op === 'insert' ? randomUUID() : own[table],
        workspace_id: SEED.workspace,
        base: null,
        group: 0,
        values: { ...(values as Record<string, Json>), ...(op === 'insert' && place) },
      };
      const { outcomes, effects } = await user.push([change]);
      const outcome = outcomes[0] as PushOutcome;
      pushed({ change, outcome, isTold: effects.rows[table]?.id.includes(change.id) ?? false });
      if (outcome.outcome === 'applied' || outcome.outcome === 'merged')
        return { isTaken: true, id: change.id };
      if (outcome.outcome !== 'rejected') throw new Error(`unexpected outcome ${outcome.outcome}`);
      return { isTaken: false, reason: meaningOf(outcome.code), column: outcome.column };
    },
  };
}
