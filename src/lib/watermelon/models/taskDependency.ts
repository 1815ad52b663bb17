import { ConvoyModel } from './convoyModel';
import type { Task } from './task';
import { type Relation, relation, text } from './watermelondb';

/** A dependency: `task` cannot be finished before `dependsOn`. */
export class TaskDependency extends ConvoyModel {
  static override table = 'task_dependencies';

  static override associations = {
    tasks: { type: 'belongs_to', key: 'task_id' },
  } as const;

  @text('task_id') taskId!: string;
  @text('depends_on_task_id') dependsOnTaskId!: string;

  @relation('tasks', 'task_id') task!: Relation<Task>;
  @relation('tasks', 'depends_on_task_id') dependsOn!: Relation<Task>;
}
