/** PostgreSQL, the project's server on it, and a user for each size of data. */

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import WebSocket from 'ws';
import { createConvoyClient } from '@/lib/supabase/client';
import { startPostgres, type TestPostgres } from '../tests/support/postgres';
import { ENTRIES } from './bundle';
import { type Dataset, loadDataset } from './data/load';
import type { Setup } from './subjects/subject';

export interface Size extends Dataset {
  name: string;
  userId: string;
  session: Setup['session'];
}

export class BenchWorld {
  private workspaces = 0;
  private readonly folders: string[] = [];

  private constructor(
    private readonly postgres: TestPostgres,
    readonly databaseUrl: string,
    private readonly server: ChildProcess,
    private readonly address: { url: string; anonKey: string },
    readonly admin: pg.Client,
  ) {}

  /** @param profile folder for a CPU profile of the server */
  static async start(profile: string | null = null): Promise<BenchWorld> {
    const postgres = await startPostgres({ shared_buffers: '512MB', max_wal_size: '4GB' });
    const databaseUrl = await postgres.createDatabase();
    const server = fork(ENTRIES.server, [], {
      env: { ...process.env, BENCH_DATABASE: databaseUrl },
      execArgv: profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}/server`] : [],
    });
    const address = await new Promise<{ url: string; anonKey: string }>((resolve, reject) => {
      server.once('message', (message) => resolve(message as never));
      server.once('exit', () => reject(new Error('The server did not start.')));
    });
    const admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
    return new BenchWorld(postgres, databaseUrl, server, address, admin);
  }

  /** @param workspaces of 35,321 rows each */
  async addSize(name: string, workspaces: number): Promise<Size> {
    const client = createConvoyClient(this.address.url, this.address.anonKey, {
      persistSession: false,
      autoRefreshToken: false,
      webSocket: WebSocket,
    });
    const { data, error } = await client.auth.signUp({
      email: `bench-${name.toLowerCase()}@convoy.example`,
      password: 'convoy-bench',
    });
    if (error || !data.session || !data.user) throw error ?? new Error('No session.');
    const { access_token, refresh_token } = data.session;
    const dataset = await loadDataset(this.admin, data.user.id, this.workspaces, workspaces);
    this.workspaces += workspaces;
    return { name, userId: data.user.id, session: { access_token, refresh_token }, ...dataset };
  }

  /** Copies everything to the plain tables of stock WatermelonDB and of the limit. */
  async addStock(): Promise<void> {
    await this.admin.query(readFileSync(new URL('./stock.sql', import.meta.url), 'utf8'));
    await this.admin.query('vacuum analyze');
    await this.admin.query('checkpoint');
  }

  setup(size: Size, folder = this.newFolder()): Setup {
    return {
      folder,
      databaseUrl: this.databaseUrl,
      serverUrl: this.address.url,
      anonKey: this.address.anonKey,
      session: size.session,
      userId: size.userId,
      workspaceIds: size.workspaceIds,
    };
  }

  newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'convoy-bench-'));
    this.folders.push(folder);
    return folder;
  }

  async stop(): Promise<void> {
    await this.admin.end();
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.disconnect();
    await ended;
    await this.postgres.stop();
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}
