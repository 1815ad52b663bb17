/** A machine that dies in the middle of a write. */

import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { createPlatform, type WatermelonPlatform } from '@/platform/node';

type Callback = (result: { error: Error }) => void;

/** @param at which write is the last; `after`: it still reached the disk. */
export interface Crash {
  at: number;
  after: boolean;
}

/** A platform on the folder whose databases stop writing at the crash, all of them and for good. */
export function crashingPlatform(folder: string, crash: Crash): WatermelonPlatform {
  const platform = createPlatform({ folder });
  let writes = 0;
  return {
    ...platform,
    async openAdapter(options) {
      const opened = await platform.openAdapter({ ...options, ...LOCAL_DATABASE });
      if (!opened.ok) return opened;
      const adapter = opened.value;
      const batch = adapter.batch.bind(adapter);
      adapter.batch = (operations, callback) => {
        writes += 1;
        const die: Callback = (callback as unknown as Callback) ?? (() => undefined);
        const error = new Error('The machine died.');
        if (writes < crash.at) batch(operations, callback);
        else if (writes === crash.at && crash.after) batch(operations, () => die({ error }));
        else die({ error });
      };
      return opened;
    },
    removeDatabase: (name) =>
      writes >= crash.at ? Promise.reject(new Error('The machine died.')) : platform.removeDatabase(name),
  };
}
