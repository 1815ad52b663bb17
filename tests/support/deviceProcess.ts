/** A device in a process of its own, controlled by messages. `processDevice.ts` is the other end. */

import WebSocket from 'ws';
import { createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type Device, openDevice } from '@/lib/watermelon';
import type { RawValue } from '@/lib/watermelon/models/watermelondb';
import { FaultyTransport } from './faultyTransport';
import { openAdapter } from './localDatabase';
import type { Command, Opening, Reply } from './processDevice';

let device: Device;
let transport: FaultyTransport;

async function open({ url, anonKey, email, password, folder, database, pageRows }: Opening): Promise<null> {
  const client = createConvoyClient(url, anonKey, {
    persistSession: false,
    autoRefreshToken: false,
    webSocket: WebSocket,
  });
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  transport = new FaultyTransport(new SupabaseTransport(client));
  const opened = await openDevice({
    adapter: await openAdapter(folder, database),
    userId: data.user.id,
    transport,
    remote: createRemoteContextService({ client }),
    autoSync: false,
    pageRows,
  });
  if (!opened.ok) throw new Error(opened.error.message);
  device = opened.value;
  return null;
}

const commands = {
  open,
  sync: () => device.sync(),
  status: async () => device.syncStatus,
  export: () => device.exportUnsynced(),
  /** All rows of a table as they are stored, those marked as deleted left out. */
  rows: async (table: string) => {
    const records = await device.database
      .records(table as never)
      .query()
      .fetch();
    return records.map(({ _raw }) => ({ ..._raw }));
  },
  /** Edits a record as an application does. */
  edit: async (table: string, id: string, values: Record<string, RawValue>) => {
    await device.database.write(async () => {
      const record = await device.database.records(table as never).find(id);
      await record.update((draft) => {
        for (const [name, value] of Object.entries(values)) draft.setColumn(name, value);
      });
    });
    return null;
  },
  /** Calls the Context Service. */
  call: (method: string, ...args: unknown[]) =>
    (device.contextService as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[method]?.(
      ...args,
    ),
  retryQuarantined: (id: string) => device.retryQuarantined(id),
  editQuarantined: (id: string, values: Record<string, never>) => device.editQuarantined(id, values),
  loseNextResponse: async (direction: 'push' | 'pull', after: number) => {
    for (let n = 0; n < after; n += 1) transport.delayNext(direction, 0);
    transport.loseNextResponse(direction);
    return null;
  },
  requests: async () => transport.requests,
  close: () => device.close(),
};

process.on('message', async ({ id, name, args }: Command) => {
  const run = commands[name as keyof typeof commands] as (...given: unknown[]) => Promise<unknown>;
  const reply: Reply = await run(...args).then(
    (value) => ({ id, value }),
    (error: Error) => ({ id, error: error.stack ?? error.message }),
  );
  process.send?.(reply);
});
process.on('disconnect', () => process.exit());
