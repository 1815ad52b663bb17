import type { Json } from '@/core/protocol';
import { ConvoyModel } from './convoyModel';
import type { Project } from './project';
import { json, type Relation, relation, text } from './watermelondb';

/** A best practice: global, of a workspace, or of one project. */
export class BestPractice extends ConvoyModel {
  static override table = 'best_practices';

  static override associations = {
    projects: { type: 'belongs_to', key: 'project_id' },
  } as const;

  @text('project_id') projectId!: string | null;
  @text('name') name!: string;
  @text('description') description!: string | null;
  @text('category') category!: string;
  @json('content', (stored: unknown) => stored ?? {}) content!: Json;

  @relation('projects', 'project_id') project!: Relation<Project>;
}
