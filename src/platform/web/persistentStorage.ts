/**
 * Persistent storage: a browser may clear a site's data when the disk is full, unless it granted persistence.
 * Some browsers ask the person, others decide by how much the site is used.
 */

export const persistentStorage = {
  isAgreed: () => answerOf(() => navigator.storage.persisted()),
  async ask(): Promise<boolean> {
    return (await persistentStorage.isAgreed()) || answerOf(() => navigator.storage.persist());
  },
};

/** @returns false where the browser does not offer the question */
async function answerOf(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch {
    return false;
  }
}
