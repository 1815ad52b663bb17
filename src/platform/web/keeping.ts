/**
 * Browsers may clear all that a site keeps when the disk runs full, unless they agreed not to. Some ask the
 * person, others decide by how much the site is used.
 */

export const keeping = {
  isAgreed: () => answerOf(() => navigator.storage.persisted()),
  async ask(): Promise<boolean> {
    return (await keeping.isAgreed()) || answerOf(() => navigator.storage.persist());
  },
};

/** What cannot be asked has not agreed; all stays as safe as it was. */
async function answerOf(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch {
    return false;
  }
}
