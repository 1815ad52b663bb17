import type { MilestoneStatus } from '@/domain/vocabulary';
import { ConvoyModel } from './convoyModel';
import type { Project } from './project';
import type { Task } from './task';
import { children, date, type Query, type Relation, relation, text } from './watermelondb';

/** A milestone of a project. */
export class Milestone extends ConvoyModel {
  static override table = 'milestones';

  static override associations = {
    projects: { type: 'belongs_to', key: 'project_id' },
    tasks: { type: 'has_many', foreignKey: 'milestone_id' },
  } as const;

  @text('project_id') projectId!: string;
  @text('name') name!: string;
  @text('description') description!: string | null;
  @text('requirements') requirements!: string | null;
  @text('status') status!: MilestoneStatus;
  @date('target_date') targetDate!: Date | null;

  @relation('projects', 'project_id') project!: Relation<Project>;
  @children('tasks') tasks!: Query<Task>;
}
