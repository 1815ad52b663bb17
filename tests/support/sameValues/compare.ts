/**
 * Writes the same requests in three ways and tells where they differ: all are to take a request or to refuse it for the
 * same reason and column, and all are to read back the same values in the same order.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '@/core/protocol';
import { canonicalTime } from '@/core/text';
import { sameJson } from '@/domain/changes';
import type { ContextService } from '@/domain/contextService';
import { columnsOf } from '@/domain/schema';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Quarantined } from '@/lib/watermelon';
import { TestDatabase } from '../database';
import { SyncUser } from '../syncUser';
import { type TestDevice, World } from '../world';
import type { Request, RequestTable } from './requests';
import { type Became, makeOwn, type Own, type Pushed, rawWay, serviceWay, type Way } from './ways';

export interface Disagreement {
  what: string;
  request: Request | null;
  of: unknown;
}

type Rows = Map<string, Record<string, Json>>;
const NAMES = ['local', 'remote', 'raw'] as const;

export class Comparison {
  private batches = 0;

  private constructor(
    private readonly world: World,
    private readonly here: TestDevice,
    private readonly there: TestDevice,
    private readonly remote: ContextService,
    private readonly raw: SyncUser,
  ) {}

  /** @param timezone of the server's database */
  static async start(timezone: string): Promise<Comparison> {
    const world = await World.start();
    const { backend } = world.stack;
    const database = new TestDatabase(backend, async () => {});
    const [name] = await database.query<{ name: string }>('select current_database() as name');
    await database.query(`alter database "${name?.name}" set timezone = '${timezone}'`);
    // PGlite has one connection, which was there before.
    await database.query(`set timezone = '${timezone}'`);
    const here = await world.device('owner');
    const there = await world.device('editor');
    const remote = createRemoteContextService({ client: here.client });
    return new Comparison(world, here, there, remote, new SyncUser(database, here.userId));
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** @returns where the three ways differ on these requests, one after the other, on records of their own */
  async differences(requests: readonly Request[]): Promise<Disagreement[]> {
    this.batches += 1;
    const pushed: Pushed[] = [];
    const owns: Own[] = [];
    for (const _ of NAMES) owns.push(await makeOwn(this.remote));
    await this.syncAll();
    const [local, remote, raw] = owns as [Own, Own, Own];
    const ways: Way[] = [
      serviceWay(this.here.contextService, local),
      serviceWay(this.remote, remote),
      rawWay(this.raw, raw, (one) => pushed.push(one)),
    ];
    const found: Disagreement[] = [];
    const became: Became[][] = [];
    for (const request of requests) {
      const all: Became[] = [];
      for (const way of ways) all.push(await way.write(request));
      became.push(all);
      const seen = all.map((one) => (one.isTaken ? { isTaken: true } : one));
      if (!seen.every((one) => isDeepStrictEqual(one, seen[0]))) {
        found.push({ what: 'taken or refused', request, of: named(seen) });
      }
    }
    await this.syncAll();
    found.push(...(await this.quarantined()), ...(await this.notReadAlike(owns)));
    const rows: Rows[] = [];
    for (const own of owns) rows.push(await rowsOf(this.remote, own));
    for (const [index, request] of requests.entries()) {
      const all = became[index] as Became[];
      if (request.op === 'update' || !all.every((one) => one.isTaken)) continue;
      found.push(...storedDifferently(request, all, rows));
    }
    for (const table of TABLES) {
      const records = owns.map((own, way) => contentOf(table, rows[way]?.get(own[table])));
      if (!records.every((one) => isDeepStrictEqual(one, records[0]))) {
        found.push({ what: `changed ${table}`, request: null, of: named(records) });
      }
    }
    found.push(...untold(pushed, rows[2] as Rows));
    return found;
  }

  private async syncAll(): Promise<void> {
    for (const device of [this.here, this.there]) {
      const { error } = await device.sync();
      if (error) throw new Error(`${error.code}: ${error.message}`);
    }
  }

  /** What the server refused of what the device had taken. */
  private async quarantined(): Promise<Disagreement[]> {
    const entries = await this.here.database.of(Quarantined).query().fetch();
    const found = entries.map((entry) => ({
      what: 'taken on the device, refused by the server',
      request: null,
      of: { ...entry._raw },
    }));
    await this.here.database.write(() =>
      this.here.database.batch(entries.map((entry) => entry.prepareDestroyPermanently())),
    );
    return found;
  }

  /** Lists that devices and the remote service read differently. */
  private async notReadAlike(owns: readonly Own[]): Promise<Disagreement[]> {
    const found: Disagreement[] = [];
    for (const [index, own] of owns.entries()) {
      const read = (service: ContextService) => listsOf(service, own);
      const [remote, here, there] = [
        await read(this.remote),
        await read(this.here.contextService),
        await read(this.there.contextService),
      ];
      for (const [name, lists] of Object.entries({ here, there })) {
        for (const [list, items] of Object.entries(lists)) {
          const expected = remote[list as keyof typeof remote] as unknown[];
          if (isDeepStrictEqual(items, expected)) continue;
          const at = items.findIndex((item, place) => !isDeepStrictEqual(item, expected[place]));
          found.push({
            what: `${list} of ${NAMES[index]} read ${name} and by the remote service`,
            request: null,
            of: { [name]: items[at], remote: expected[at] },
          });
        }
      }
    }
    return found;
  }
}

const TABLES: readonly RequestTable[] = ['projects', 'milestones', 'tasks', 'patterns', 'best_practices'];

const named = (of: readonly unknown[]) => Object.fromEntries(of.map((one, index) => [NAMES[index], one]));

async function listsOf(service: ContextService, own: Own) {
  const projects = await service.getProjects((await projectOf(service, own))?.workspace_id ?? '');
  const context = await service.getTaskContext(own.tasks, { activities: { items: 1_000 } });
  return {
    projects: projects.filter(({ id }) => id === own.projects),
    milestones: await service.getMilestones(own.projects),
    tasks: await service.getTasks(own.milestones),
    patterns: await service.getPatterns({ project_id: own.projects }),
    practices: await service.getBestPractices({ project_id: own.projects }),
    activities: (context?.activities ?? []).filter(({ activity_type }) => activity_type !== 'task_updated'),
  };
}

async function projectOf(service: ContextService, own: Own) {
  return (await service.getTaskContext(own.tasks))?.project ?? null;
}

async function rowsOf(service: ContextService, own: Own): Promise<Rows> {
  const { projects: _, ...lists } = await listsOf(service, own);
  const workspace = (await projectOf(service, own))?.workspace_id ?? '';
  const all = [...(await service.getProjects(workspace)), ...Object.values(lists).flat()];
  return new Map(all.map((item) => [item.id, { ...item } as unknown as Record<string, Json>]));
}

/** What callers write in a record, without what places it. */
function contentOf(table: RequestTable, row: Record<string, Json> | undefined) {
  if (!row) return null;
  const derived = ['completion_date', 'project_id', 'milestone_id', 'task_id'];
  const columns = Object.entries(columnsOf(table)).filter(
    ([name, { serverSet }]) => !serverSet && !derived.includes(name),
  );
  return Object.fromEntries(
    columns.map(([name, { isKey }]) => [name, isKey ? unsuffixed(row[name]) : (row[name] ?? null)]),
  );
}

/** A project's key without the number that tells it from others: each way makes a project of its own (Y1). */
function unsuffixed(key: Json | undefined): Json {
  return typeof key === 'string' ? key.replace(/\d+$/, '').slice(0, 7) : null;
}

function storedDifferently(request: Request, all: readonly Became[], rows: readonly Rows[]): Disagreement[] {
  const records = all.map((one, way) =>
    contentOf(request.table, one.isTaken ? rows[way]?.get(one.id) : undefined),
  );
  const isSame = records.every((one) => one !== null && isDeepStrictEqual(one, records[0]));
  return isSame ? [] : [{ what: 'stored', request, of: named(records) }];
}

/** Changes of which the server stores another value than was sent, and does not tell it (U14). */
function untold(pushed: readonly Pushed[], rows: Rows): Disagreement[] {
  return pushed.flatMap(({ change, outcome, isTold }) => {
    // Of a record that is changed again, the row is a later one.
    if (outcome.outcome !== 'applied' || isTold || change.op !== 'insert') return [];
    const row = rows.get(change.id);
    const kinds = columnsOf(change.table as RequestTable);
    const differing = Object.entries(change.values ?? {}).filter(([name, sent]) => {
      const stored = row?.[name] ?? null;
      if (kinds[name]?.isKey && outcome.key === stored) return false;
      if (kinds[name]?.kind === 'time' && typeof sent === 'string') return canonicalTime(sent) !== stored;
      return !sameJson(sent, stored);
    });
    return differing.length === 0
      ? []
      : [{ what: 'stored otherwise, and not told', request: null, of: { change, row } }];
  });
}
