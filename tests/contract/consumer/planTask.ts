/**
 * A consumer of the Context Service, as an application would write it. `runConsumer` checks and runs
 * it twice: as it stands, and with nothing but this import path changed to the remote service.
 */

import * as contextService from '@/lib/watermelon/contextService';

/** Creates a task with a subtask and a task that it depends on, comments, moves it on, and tells what is known of it. */
export async function planTask(milestoneId: string) {
  const task = await contextService.createTask({ milestone_id: milestoneId, title: 'Plan the release' });
  const part = await contextService.createTask({
    milestone_id: milestoneId,
    parent_task_id: task.id,
    title: 'Write the notes',
    priority: 'high',
  });
  const first = await contextService.createTask({ milestone_id: milestoneId, title: 'Freeze the branch' });
  await contextService.addTaskDependency(task.id, first.id);
  await contextService.addTaskActivity(task.id, 'comment', { text: 'Notes first.' });
  await contextService.updateTaskStage(task.id, 'PLAN_REVIEW');
  await contextService.updateTask(part.id, { status: 'done' });
  const context = await contextService.getTaskContext(task.id);
  const practices = await contextService.getBestPractices({ workspace_id: task.workspace_id });
  await contextService.deleteTask(part.id);
  const afterwards = await contextService.getTaskContext(task.id);
  return {
    stage: context?.task.current_stage,
    subtasks: context?.subtasks.map(({ title, status }) => [title, status]),
    dependencies: context?.dependencies.map(({ title }) => title),
    activities: context?.activities.map(({ activity_type }) => activity_type).sort(),
    workflow: context?.workflow?.name,
    practices: practices.map(({ name }) => name),
    left: afterwards?.subtasks.length,
  };
}
