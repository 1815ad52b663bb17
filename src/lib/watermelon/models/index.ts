/** Every model, and the list that WatermelonDB is opened with. */

import { ActivityFeed } from './activityFeed';
import { BestPractice } from './bestPractice';
import { Deletion } from './deletion';
import { Archived } from './local/archived';
import { Conflict } from './local/conflict';
import { DeviceState } from './local/deviceState';
import { IdMapping } from './local/idMapping';
import { OutboxBatch } from './local/outboxBatch';
import { Quarantined } from './local/quarantined';
import { ScopeCursor } from './local/scopeCursor';
import { SyncLogEntry } from './local/syncLogEntry';
import { migrations } from './migrations';
import { Milestone } from './milestone';
import { Pattern } from './pattern';
import { Project } from './project';
import { SALVAGE_RULES, schema } from './schema';
import { Task } from './task';
import { TaskDependency } from './taskDependency';
import type { Model } from './watermelondb';
import { Workflow } from './workflow';
import { Workspace } from './workspace';
import { WorkspaceMember } from './workspaceMember';

export { ConvoyModel } from './convoyModel';
export type { ConflictColumn } from './local/conflict';
export type { DeviceFacts } from './local/deviceState';
export type { WantedChange } from './local/quarantined';
export type { PendingRefill } from './local/scopeCursor';
export { migrations } from './migrations';
export { LOCAL_SCHEMA_VERSION, schema } from './schema';
export {
  ActivityFeed,
  Archived,
  BestPractice,
  Conflict,
  Deletion,
  DeviceState,
  IdMapping,
  Milestone,
  OutboxBatch,
  Pattern,
  Project,
  Quarantined,
  ScopeCursor,
  SyncLogEntry,
  Task,
  TaskDependency,
  Workflow,
  Workspace,
  WorkspaceMember,
};

/** All that a platform needs to open a local database. */
export const LOCAL_DATABASE = { schema, migrations, salvage: SALVAGE_RULES };

/** Cast, since WatermelonDB's declarations allow no subclass with properties of its own. */
export const modelClasses = [
  Workspace,
  WorkspaceMember,
  Workflow,
  Project,
  Milestone,
  Task,
  TaskDependency,
  ActivityFeed,
  Pattern,
  BestPractice,
  Deletion,
  Archived,
  Conflict,
  DeviceState,
  IdMapping,
  OutboxBatch,
  Quarantined,
  ScopeCursor,
  SyncLogEntry,
] as unknown as (typeof Model)[];
