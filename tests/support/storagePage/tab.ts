/** One open database of the page, and what tests do with it. */

import type { StorageError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { type Device, openDevice } from '@/lib/watermelon/device/device';
import { LOCAL_DATABASE, migrations, schema } from '@/lib/watermelon/models';
import { type Model, Q } from '@/lib/watermelon/models/watermelondb';
import { asDatabaseAdapter, SqliteAdapter } from '@/platform/sqlite/adapter';
import { openPort } from '@/platform/web/opfs';
import type { WebPort } from '@/platform/web/store/webPort';

export interface Place {
  workspace: string;
  project: string;
  milestone: string;
  task: string;
}

export class Tab {
  /** Codes of the errors that the store reported by itself. */
  readonly troubles: string[] = [];
  /** Titles of the tasks of the milestone that is observed, as a screen would have them. */
  private shown: string[] = [];
  private isStopped = false;
  finishSlowWrite: () => void = () => undefined;

  private constructor(
    readonly device: Device,
    readonly port: WebPort,
  ) {
    port.onTrouble((error) => this.troubles.push(error?.code ?? 'over'));
  }

  static async open(name: string, ahead: number, patienceMs?: number): Promise<Result<Tab, StorageError>> {
    const options = { name, ...codeAhead(ahead), salvage: LOCAL_DATABASE.salvage };
    const port = await openPort(options, patienceMs);
    if (!port.ok) return port;
    const adapter = asDatabaseAdapter(new SqliteAdapter({ ...options, port: port.value }));
    const device = await openDevice({ adapter, userId: 'u', transport: null, remote: null });
    return device.ok ? ok(new Tab(device.value, port.value)) : device;
  }

  /** A workspace with a project, a milestone and a task that tabs write to together. */
  async setUp(): Promise<Place> {
    const service = this.device.contextService;
    const workspace = await service.createWorkspace({ name: 'W' });
    const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
    const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
    const task = await service.createTask({ milestone_id: milestone.id, title: 'shared', description: '' });
    return { workspace: workspace.id, project: project.id, milestone: milestone.id, task: task.id };
  }

  async createTask(place: Place, title: string): Promise<string> {
    const { id } = await this.device.contextService.createTask({ milestone_id: place.milestone, title });
    return id;
  }

  /** Appends a mark to the current text of the shared task: lost when another tab writes from an older state. */
  async mark(place: Place, mark: string): Promise<void> {
    const { database } = this.device;
    await database.write(async () => {
      const task = await database.records('tasks').find(place.task);
      await task.update((record) => {
        const raw = record._raw as unknown as { description: string | null };
        record.setColumn('description', `${raw.description ?? ''}${mark};`);
      });
    });
  }

  /** Creates and marks in turn, telling the test of each that is acknowledged. @returns how many */
  async write(place: Place, who: string, rounds: number): Promise<number> {
    let done = 0;
    for (let round = 0; round < rounds && !this.isStopped; round += 1) {
      const name = `${who}-${round}`;
      await this.createTask(place, name);
      window.acknowledged?.(`task ${name}`);
      await this.mark(place, name);
      window.acknowledged?.(`mark ${name}`);
      done += 1;
    }
    return done;
  }

  stopWriting(): void {
    this.isStopped = true;
  }

  updateTask(id: string, values: Parameters<Device['contextService']['updateTask']>[1]) {
    return this.device.contextService.updateTask(id, values);
  }

  task(id: string) {
    return this.device.contextService.getLocalTask(id);
  }

  /** Begins a write that ends only when `finishSlowWrite` is called. @returns 'ok' or the code of the error */
  slowMark(place: Place, mark: string): Promise<void> {
    const { database } = this.device;
    return database.write(async () => {
      const task = await database.records('tasks').find(place.task);
      await new Promise<void>((resolve) => {
        this.finishSlowWrite = resolve;
      });
      await task.update((record) => record.setColumn('description', `${mark};`));
    });
  }

  /** The stored items, read from the store itself, in the form of the acknowledgements. */
  async stored(): Promise<string[]> {
    const rows = (await this.device.database
      .get('tasks')
      .query(Q.unsafeSqlQuery('select "title", "description" from "tasks"'))
      .unsafeFetchRaw()) as { title: string; description: string | null }[];
    return rows.flatMap(({ title, description }) =>
      title === 'shared'
        ? (description ?? '')
            .split(';')
            .filter(Boolean)
            .map((mark) => `mark ${mark}`)
        : [`task ${title}`],
    );
  }

  /** Watches the tasks of the milestone, as a list on a screen does. */
  watch(place: Place): void {
    this.device.database
      .get<Model>('tasks')
      .query(Q.where('milestone_id', place.milestone))
      .observeWithColumns(['title', 'description'])
      .subscribe((records) => {
        this.shown = records.map((record) => (record._raw as unknown as { title: string }).title);
      });
  }

  get titlesShown(): string[] {
    return [...this.shown].sort();
  }

  sql(text: string, args: (string | number | null)[] = []): Promise<unknown[][]> {
    return new Promise((resolve, reject) => {
      this.port.select(text, args, (outcome) => {
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value.rows);
      });
    });
  }

  close(): Promise<void> {
    return this.device.close();
  }
}

/** The code's schema as a later version of the code would have it. */
function codeAhead(versions: number) {
  const version = schema.version + versions;
  const steps = Array.from({ length: versions }, (_, index) => ({
    toVersion: schema.version + 1 + index,
    steps: [],
  }));
  return {
    schema: { ...schema, version },
    migrations: {
      ...migrations,
      maxVersion: version,
      sortedMigrations: [...migrations.sortedMigrations, ...steps],
    },
  };
}
