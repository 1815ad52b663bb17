import type { Json } from '@/core/protocol';
import { ConvoyModel } from './convoyModel';
import type { Task } from './task';
import { json, type Relation, relation, text } from './watermelondb';

/** An activity of the feed. Append-only. */
export class ActivityFeed extends ConvoyModel {
  static override table = 'activity_feed';

  static override associations = {
    tasks: { type: 'belongs_to', key: 'task_id' },
  } as const;

  @text('task_id') taskId!: string | null;
  @text('entity_type') entityType!: string | null;
  @text('entity_id') entityId!: string | null;
  @text('actor_id') actorId!: string | null;
  @text('activity_type') activityType!: string;
  @json('details', (stored: unknown) => stored ?? {}) details!: Json;

  @relation('tasks', 'task_id') task!: Relation<Task>;
}
