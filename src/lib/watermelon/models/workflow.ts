import type { WorkflowStage } from '@/domain/entities';
import { ConvoyModel } from './convoyModel';
import type { Task } from './task';
import { children, json, type Query, text } from './watermelondb';

/** A workflow: the stages that tasks go through. */
export class Workflow extends ConvoyModel {
  static override table = 'workflows';

  static override associations = {
    tasks: { type: 'has_many', foreignKey: 'workflow_id' },
  } as const;

  @text('name') name!: string;
  @text('description') description!: string | null;
  @json('stages', (stored: unknown) => (Array.isArray(stored) ? stored : [])) stages!: WorkflowStage[];

  @children('tasks') tasks!: Query<Task>;
}
