import type { Json } from '@/core/protocol';
import type { ProjectStatus } from '@/domain/vocabulary';
import type { BestPractice } from './bestPractice';
import { ConvoyModel } from './convoyModel';
import type { Milestone } from './milestone';
import type { Pattern } from './pattern';
import { children, json, type Query, type Relation, relation, text } from './watermelondb';
import type { Workspace } from './workspace';

/** A project of a workspace. */
export class Project extends ConvoyModel {
  static override table = 'projects';

  static override associations = {
    workspaces: { type: 'belongs_to', key: 'workspace_id' },
    milestones: { type: 'has_many', foreignKey: 'project_id' },
    patterns: { type: 'has_many', foreignKey: 'project_id' },
    best_practices: { type: 'has_many', foreignKey: 'project_id' },
  } as const;

  @text('name') name!: string;
  @text('description') description!: string | null;
  @text('overview') overview!: string | null;
  @json('tech_stack', (stored: unknown) => stored ?? []) techStack!: Json;
  @text('status') status!: ProjectStatus;
  @text('key') key!: string | null;

  @relation('workspaces', 'workspace_id') workspace!: Relation<Workspace>;
  @children('milestones') milestones!: Query<Milestone>;
  @children('patterns') patterns!: Query<Pattern>;
  @children('best_practices') bestPractices!: Query<BestPractice>;
}
