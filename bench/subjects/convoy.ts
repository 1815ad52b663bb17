/** Convoy as it is shipped: `openDevice` on the Node platform's storage, through the Supabase transport. */

import { CONTEXT_PARTS, MOST_BYTES, MOST_ITEMS } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { renderTaskContext } from '@/lib/contextText';
import type { ConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabasePokes } from '@/lib/supabase/pokes';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type ConvoyModel, type Device, observeRecords, openDevice } from '@/lib/watermelon';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { Q } from '@/lib/watermelon/models/watermelondb';
import { DEFAULT_TIMING } from '@/lib/watermelon/sync/automatic/schedule';
import { createPlatform } from '@/platform/node';
import { BetterSqliteHandle } from '@/platform/node/betterSqlite';
import { signedIn } from './client';
import { MIRRORED } from './columns';
import type { ContextIds, Edit, Setup, Subject, Synced } from './subject';
import { traffic } from './traffic';

export class Convoy implements Subject {
  private device: Device | null = null;
  private client: Promise<ConvoyClient> | null = null;
  private readonly seen = { shown: 0, rowsRead: 0 };

  constructor(private readonly setup: Setup) {}

  async open(): Promise<void> {
    this.device = await this.opened();
  }

  private async opened(
    autoSync?: Parameters<typeof openDevice>[0]['timing'],
    pokes = false,
  ): Promise<Device> {
    const platform = createPlatform({ folder: this.setup.folder });
    const adapter = await platform.openAdapter({ name: 'convoy', ...LOCAL_DATABASE });
    if (!adapter.ok) throw new Error(adapter.error.message);
    const client = autoSync ? await this.connected() : null;
    const device = await openDevice({
      adapter: adapter.value,
      userId: this.setup.userId,
      // Signed in when the server is first needed, as an application that starts offline.
      transport: {
        pull: async (request, signal) => new SupabaseTransport(await this.connected()).pull(request, signal),
        push: async (request, signal) => new SupabaseTransport(await this.connected()).push(request, signal),
        settle: async (request, changes, signal) =>
          new SupabaseTransport(await this.connected()).settle(request, changes, signal),
        step: async (request, signal) => new SupabaseTransport(await this.connected()).step(request, signal),
      },
      remote: null,
      autoSync: autoSync !== undefined,
      timing: autoSync,
      pokes: client && pokes ? new SupabasePokes(client, this.setup.userId) : null,
      exclusively: (work, signal) => platform.exclusively('sync', work, signal),
    });
    if (!device.ok) throw new Error(device.error.message);
    return device.value;
  }

  async sync(): Promise<Synced> {
    await this.connected();
    const { error, pulled, received } = await this.open_.sync();
    if (error) throw new Error(`${error.code}: ${error.message}`);
    return { pulled, received };
  }

  async prepareEdits(edits: readonly Edit[]): Promise<() => Promise<void>> {
    const { database } = this.open_;
    const records = await this.fetch(edits.map(({ id }) => id));
    return () =>
      database.write(() =>
        database.batch(
          records.map((record, n) =>
            record.prepareUpdate((draft) => draft.setColumn('title', (edits[n] as Edit).title)),
          ),
        ),
      );
  }

  async titles(ids: readonly string[]): Promise<string[]> {
    return (await this.fetch(ids)).map(({ raw }) => String(raw.title));
  }

  async firstRow(taskId: string): Promise<string> {
    return (await this.open_.contextService.getLocalTask(taskId))?.title ?? '';
  }

  async context(taskId: string): Promise<() => ContextIds> {
    const context = await this.open_.contextService.getTaskContext(taskId);
    return () => idsOf(context);
  }

  async remoteContext(taskId: string): Promise<() => ContextIds> {
    const context = await createRemoteContextService({ client: await this.connected() }).getTaskContext(
      taskId,
    );
    return () => idsOf(context);
  }

  async sizedContext(
    taskId: string,
    { isWhole, isRemote }: { isWhole: boolean; isRemote: boolean },
  ): Promise<() => number> {
    const service = isRemote
      ? createRemoteContextService({ client: await this.connected() })
      : this.open_.contextService;
    const context = await service.getTaskContext(taskId, isWhole ? UNLIMITED : undefined);
    return () => Buffer.byteLength(JSON.stringify(context));
  }

  async next(scope: Record<string, string>, isRemote: boolean): Promise<() => Promise<string | null>> {
    const service = isRemote
      ? createRemoteContextService({ client: await this.connected() })
      : this.open_.contextService;
    const { task } = await service.getNextTask(scope);
    return async () => {
      if (task) await service.updateTask(task.id, { status: 'done' });
      return task?.title ?? null;
    };
  }

  async renderedContext(taskId: string, maxTokens: number): Promise<number> {
    const { contextService } = this.open_;
    const context = await contextService.getTaskContext(taskId);
    if (!context) throw new Error('The task is not on this device.');
    const members = await contextService.getMembers(context.task.workspace_id);
    return (await renderTaskContext(context, { maxTokens, members })).tokens;
  }

  /** An hour in two seconds: every wait of the timer is shorter by the same factor. */
  async idleHour(): Promise<{ polling: number; flowing: number }> {
    const scale = 1_800;
    const timing = Object.fromEntries(
      Object.entries(DEFAULT_TIMING).map(([name, ms]) => [name, ms / scale]),
    ) as unknown as typeof DEFAULT_TIMING;
    const requests = async (pokes: boolean) => {
      await this.close();
      const device = await this.opened(timing, pokes);
      // Until it has synced after its start and, with pokes, has joined its channels and synced once more.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const before = traffic.requests;
      await new Promise((resolve) => setTimeout(resolve, 3_600_000 / scale));
      const made = traffic.requests - before;
      await device.close();
      return made;
    };
    const [polling, flowing] = [await requests(false), await requests(true)];
    await this.open();
    return { polling, flowing };
  }

  watch(milestoneId: string | null): void {
    countRows(this.seen);
    observeRecords(
      this.open_.database,
      'tasks',
      milestoneId === null ? {} : { milestone_id: milestoneId },
    ).subscribe((tasks) => {
      this.seen.shown = tasks.length;
    });
  }

  watched(): { shown: number; rowsRead: number } {
    return this.seen;
  }

  async emptyCall(): Promise<void> {
    await (await this.connected()).rpc('bench_empty' as never);
  }

  async counts(): Promise<Record<string, number>> {
    const counts = MIRRORED.map(
      async (table) => [table, await this.open_.database.get(table).query().fetchCount()] as const,
    );
    return Object.fromEntries(await Promise.all(counts));
  }

  async close(): Promise<void> {
    await this.device?.close();
    this.device = null;
  }

  private get open_(): Device {
    if (!this.device) throw new Error('not open');
    return this.device;
  }

  private connected(): Promise<ConvoyClient> {
    this.client ??= signedIn(this.setup);
    return this.client;
  }

  private async fetch(ids: readonly string[]): Promise<ConvoyModel[]> {
    const found = await this.open_.database
      .records('tasks' as never)
      .query(Q.where('id', Q.oneOf([...ids])))
      .fetch();
    const byId = new Map(found.map((record) => [record.id, record]));
    return ids.map((id) => byId.get(id) as ConvoyModel);
  }
}

/** Counts the rows that this process reads from now on. */
function countRows(seen: { rowsRead: number }): void {
  const { select } = BetterSqliteHandle.prototype;
  BetterSqliteHandle.prototype.select = function (...args) {
    const found = select.apply(this, args);
    seen.rowsRead += found.rows.length;
    return found;
  };
}

const MOST = { items: MOST_ITEMS, bytes: MOST_BYTES };
const UNLIMITED = {
  ...Object.fromEntries(CONTEXT_PARTS.map((part) => [part, MOST])),
  bytes: MOST_BYTES,
};

function idsOf(context: TaskContext | null): ContextIds {
  if (!context) throw new Error('no such task');
  const ids = (items: { id: string }[]) => items.map(({ id }) => id);
  return {
    task: context.task.id,
    milestone: context.milestone?.id ?? null,
    project: context.project?.id ?? null,
    workspace: context.workspace?.id ?? null,
    parent: context.parent_task?.id ?? null,
    workflow: context.workflow?.id ?? null,
    subtasks: ids(context.subtasks),
    dependencies: ids(context.dependencies),
    activities: ids(context.activities),
    patterns: ids(context.patterns),
    best_practices: ids(context.best_practices),
  };
}
