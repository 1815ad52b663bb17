/** The title that was typed for a new task and not saved, for each list: it outlives Escape, Back and a crash. */

const keyOf = (userId: string, list: string) => `convoy.draft.newTask.${userId}.${list}`;

export const newTaskDraft = {
  read(userId: string, list: string): string {
    try {
      return localStorage.getItem(keyOf(userId, list)) ?? '';
    } catch {
      return '';
    }
  },
  keep(userId: string, list: string, title: string): void {
    try {
      if (title === '') localStorage.removeItem(keyOf(userId, list));
      else localStorage.setItem(keyOf(userId, list), title);
    } catch {
      // Without storage the draft lasts as long as the row.
    }
  },
};
