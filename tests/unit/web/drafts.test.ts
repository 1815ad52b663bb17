import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Drafts } from '@/web/shared/drafts';

/** A browser's storage, which outlives the page. */
class Store {
  readonly entries = new Map<string, string>();
  isFull = false;
  get length() {
    return this.entries.size;
  }
  key = (index: number) => [...this.entries.keys()][index] ?? null;
  getItem = (key: string) => this.entries.get(key) ?? null;
  removeItem = (key: string) => void this.entries.delete(key);
  setItem = (key: string, value: string) => {
    if (this.isFull) throw new Error('QuotaExceededError');
    this.entries.set(key, value);
  };
}

const PLACE = { userId: 'u1', recordId: 't1', field: 'title' };

describe('drafts', () => {
  let store: Store;
  let time: number;
  const page = () =>
    new Drafts(
      () => store,
      () => (time += 1),
    );
  beforeEach(() => {
    vi.useFakeTimers();
    store = new Store();
    time = 0;
  });
  afterEach(() => vi.useRealTimers());

  it('what was typed is there in the page at once, and after a crash a moment later', () => {
    const typed = page();
    typed.write(PLACE, 'Half', 'Before');
    typed.write(PLACE, 'Half a title', 'Before');
    expect(typed.read(PLACE)).toMatchObject({ text: 'Half a title', base: 'Before' });
    vi.runAllTimers();
    expect(page().read(PLACE)).toMatchObject({ text: 'Half a title', base: 'Before' });
  });

  it('a page that is put away stores what was typed last', () => {
    const typed = page();
    typed.write(PLACE, 'Just now', '');
    expect(page().read(PLACE)).toBeNull();
    typed.flush();
    expect(page().read(PLACE)?.text).toBe('Just now');
  });

  it('a draft that was removed does not come back with the next write', () => {
    const typed = page();
    typed.write(PLACE, 'Saved', '');
    typed.remove(PLACE);
    vi.runAllTimers();
    expect(typed.read(PLACE)).toBeNull();
    expect(store.length).toBe(0);
  });

  it('belong to a user, a record and a field', () => {
    const typed = page();
    typed.write(PLACE, 'Mine', '');
    typed.flush();
    for (const other of [{ userId: 'u2' }, { recordId: 't2' }, { field: 'description' }]) {
      expect(typed.read({ ...PLACE, ...other })).toBeNull();
    }
  });

  it('of a user who leaves this browser are removed, stored or not, and nobody else’s', () => {
    const typed = page();
    typed.write(PLACE, 'Stored', '');
    typed.write({ ...PLACE, userId: 'u2' }, 'Of somebody else', '');
    typed.flush();
    typed.write({ ...PLACE, field: 'comment' }, 'Not stored yet', '');
    store.setItem('convoy.theme', 'dark');
    typed.forget('u1');
    vi.runAllTimers();
    expect(typed.read(PLACE)).toBeNull();
    expect(typed.read({ ...PLACE, field: 'comment' })).toBeNull();
    expect(typed.read({ ...PLACE, userId: 'u2' })?.text).toBe('Of somebody else');
    expect(store.getItem('convoy.theme')).toBe('dark');
  });

  it('are told of to those who show them, also by other tabs, and one that nobody changes stays the same object', () => {
    const [here, there] = [page(), page()];
    const heard: (string | null)[] = [];
    const stop = here.onChange(() => heard.push(here.read(PLACE)?.text ?? null));
    here.write(PLACE, 'Half', '');
    here.flush();
    expect(here.read(PLACE)).toBe(here.read(PLACE));
    there.write(PLACE, 'Half a title', '');
    there.flush();
    here.changedElsewhere({ key: [...store.entries.keys()][0] ?? null });
    there.remove(PLACE);
    here.changedElsewhere({ key: null });
    here.changedElsewhere({ key: 'another app' });
    stop();
    here.write(PLACE, 'Unheard', '');
    expect(heard).toEqual(['Half', 'Half a title', null]);
  });

  it('last as long as the page where the browser stores nothing', () => {
    store.isFull = true;
    const typed = page();
    typed.write(PLACE, 'Kept here', '');
    vi.runAllTimers();
    expect(typed.read(PLACE)?.text).toBe('Kept here');
  });

  it('the oldest goes where there are too many, and what is no draft is none', () => {
    const typed = page();
    for (let n = 0; n < 205; n += 1) {
      typed.write({ ...PLACE, recordId: `t${n}` }, `Text ${n}`, '');
      typed.flush();
    }
    expect(store.length).toBe(200);
    expect(typed.read({ ...PLACE, recordId: 't4' })).toBeNull();
    expect(typed.read({ ...PLACE, recordId: 't204' })?.text).toBe('Text 204');
    store.entries.set('convoy.draft.u1.t204.title', '{"text":5}');
    expect(page().read({ ...PLACE, recordId: 't204' })).toBeNull();
  });
});
