import { afterEach, describe, expect, it } from 'vitest';
import { makeUndoable, undoLatest } from '@/web/actions/undo';

/** Stored when the test says so. */
function slowChange(name: string) {
  let store = () => {};
  let fail = (_error: Error) => {};
  const stored = new Promise<void>((resolve, reject) => {
    store = resolve;
    fail = reject;
  });
  const change = async () => {
    await stored;
    return async () => void undone.push(name);
  };
  return { change, store, fail };
}

const undone: string[] = [];
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('undo', () => {
  afterEach(async () => {
    for (let times = 0; times < 5; times++) undoLatest();
    await settled();
    undone.length = 0;
  });

  it('takes back the latest change first, each once', async () => {
    for (const name of ['first', 'second'])
      await makeUndoable(name, async () => async () => void undone.push(name));
    for (let times = 0; times < 3; times++) undoLatest();
    await settled();
    expect(undone).toEqual(['second', 'first']);
  });

  it('waits for a change that is not stored yet, and takes back no earlier one instead', async () => {
    await makeUndoable('stored', async () => async () => void undone.push('stored'));
    const { change, store } = slowChange('slow');
    const made = makeUndoable('slow', change);
    undoLatest();
    await settled();
    expect(undone).toEqual([]);
    store();
    await made;
    await settled();
    expect(undone).toEqual(['slow']);
  });

  it('takes back the later change first, also where it is stored after the second order to undo', async () => {
    await makeUndoable('stored', async () => async () => void undone.push('stored'));
    const { change, store } = slowChange('slow');
    const made = makeUndoable('slow', change);
    undoLatest();
    undoLatest();
    await settled();
    expect(undone).toEqual([]);
    store();
    await made;
    await settled();
    expect(undone).toEqual(['slow', 'stored']);
  });

  it('knows nothing of a change that failed, or that nothing takes back', async () => {
    await makeUndoable('stored', async () => async () => void undone.push('stored'));
    const { change, fail } = slowChange('failed');
    const made = makeUndoable('failed', change);
    fail(new Error('There is no room.'));
    await expect(made).rejects.toThrow('There is no room.');
    await makeUndoable('final', async () => null);
    undoLatest();
    await settled();
    expect(undone).toEqual(['stored']);
  });
});
