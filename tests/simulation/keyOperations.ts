/** Work on keys: projects get other ones, and tasks are made with keys that nobody gave them. */

import type { Do } from './hand';

export const KEY_OPERATIONS: Record<string, Do> = {
  rekey: async (hand) => {
    const project = await hand.some('projects');
    return hand.service.updateProject(project.id, {
      key: hand.random.pick(['FIELD', 'A1', 'PROJECT', null]),
    });
  },
  bringKey: async (hand) => {
    const milestone = await hand.some('milestones');
    const key = `${hand.random.pick(['FIELD', 'PROJECT', 'P'])}-${hand.random.pick([1, 2, 7, 40, 9_999_999])}`;
    hand.put('tasks');
    const { id } = await hand.service.createTask({ milestone_id: milestone.id, title: hand.token });
    const task = await hand.database.findRecord('tasks', id);
    if (!task) throw new Error('A new task is here.');
    return hand.database.write(() => task.update((draft) => draft.setColumn('key', key)));
  },
};
