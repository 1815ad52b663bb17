import type { TaskPriority, TaskStatus } from '@/domain/vocabulary';
import type { ActivityFeed } from './activityFeed';
import { ConvoyModel } from './convoyModel';
import type { Milestone } from './milestone';
import type { TaskDependency } from './taskDependency';
import { children, date, field, Q, type Query, type Relation, relation, text } from './watermelondb';
import type { Workflow } from './workflow';

/** A task of a milestone, or a subtask of another task. */
export class Task extends ConvoyModel {
  static override table = 'tasks';

  static override associations = {
    milestones: { type: 'belongs_to', key: 'milestone_id' },
    tasks: { type: 'belongs_to', key: 'parent_task_id' },
    subtasks: { type: 'has_many', foreignKey: 'parent_task_id' },
    activity_feed: { type: 'has_many', foreignKey: 'task_id' },
    task_dependencies: { type: 'has_many', foreignKey: 'task_id' },
    workflows: { type: 'belongs_to', key: 'workflow_id' },
  } as const;

  @text('milestone_id') milestoneId!: string;
  @text('parent_task_id') parentTaskId!: string | null;
  @text('workflow_id') workflowId!: string | null;
  @text('title') title!: string;
  @text('description') description!: string | null;
  @text('current_stage') currentStage!: string;
  @text('status') status!: TaskStatus;
  @text('priority') priority!: TaskPriority;
  @text('assignee_id') assigneeId!: string | null;
  @field('sort_order') sortOrder!: number;
  @text('claimed_by') claimedBy!: string | null;
  @date('claimed_until') claimedUntil!: Date | null;
  @date('completion_date') completionDate!: Date | null;
  @text('claim_id') claimId!: string | null;
  @text('key') key!: string | null;

  @relation('milestones', 'milestone_id') milestone!: Relation<Milestone>;
  @relation('tasks', 'parent_task_id') parentTask!: Relation<Task>;
  @relation('workflows', 'workflow_id') workflow!: Relation<Workflow>;
  @children('activity_feed') activities!: Query<ActivityFeed>;
  @children('task_dependencies') dependencies!: Query<TaskDependency>;

  /** Tasks of which this one is the parent. */
  get subtasks(): Query<Task> {
    return this.collections.get<Task>('tasks').query(Q.where('parent_task_id', this.id));
  }
}
