import type { Json } from '@/core/protocol';
import { ConvoyModel } from './convoyModel';
import type { Project } from './project';
import { json, type Relation, relation, text } from './watermelondb';

/** A pattern: global, of a workspace, or of one project. */
export class Pattern extends ConvoyModel {
  static override table = 'patterns';

  static override associations = {
    projects: { type: 'belongs_to', key: 'project_id' },
  } as const;

  @text('project_id') projectId!: string | null;
  @text('name') name!: string;
  @text('description') description!: string | null;
  @text('pattern_type') patternType!: string;
  @json('content', (stored: unknown) => stored ?? {}) content!: Json;

  @relation('projects', 'project_id') project!: Relation<Project>;
}
