/** The Supabase CLI, without Docker: against any PostgreSQL. */

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { packageRoot, readStackSql } from '@/server';
import type { TestPostgres } from './postgres';

const BINARY = fileURLToPath(
  new URL(
    `../../node_modules/@supabase/cli-${process.platform}-${process.arch}/bin/supabase`,
    import.meta.url,
  ),
);

/** The package is optional: the lockfile has it for Linux on x64 alone. */
export function supabaseCliInstalled(): boolean {
  return existsSync(BINARY);
}

/** The role that a project's migrations run as. */
export const PROJECT_OWNER = 'project_owner';

export interface CliAnswer {
  exitCode: number;
  /** The JSON value on standard output; null: there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: each command answers in a form of its own
  value: any;
  /** What it says to people: progress and warnings. */
  said: string;
}

export interface SupabaseCli {
  run(...args: string[]): Promise<CliAnswer>;
  close(): void;
}

/** Runs the CLI on a copy of `supabase/`: it keeps notes of its own in that folder. */
export function openSupabaseCli(): SupabaseCli {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-supabase-'));
  cpSync(join(packageRoot(), 'supabase'), join(folder, 'supabase'), { recursive: true });
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    DO_NOT_TRACK: '1',
    SUPABASE_TELEMETRY_DISABLED: '1',
    // No test starts containers, whatever the machine has.
    DOCKER_HOST: 'unix:///nowhere.sock',
  };
  return {
    run: (...args) =>
      new Promise((resolve) => {
        const all = [...args, '--output-format', 'json', '--workdir', folder];
        execFile(BINARY, all, { cwd: folder, env }, (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : Number(error.code ?? 1);
          resolve({ exitCode, value: stdout.trim() === '' ? null : JSON.parse(stdout), said: stderr });
        });
      }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Makes a database as a Supabase project is when it is new: its owner may do less than a superuser, and has `auth` and
 * `realtime` from Supabase's own roles.
 * @returns its URL, as that owner
 */
export async function createProject(postgres: TestPostgres): Promise<string> {
  const url = new URL(await postgres.createDatabase());
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(readStackSql().bootstrap);
    await client.query(`
      do $$ begin
        if to_regrole('project_owner') is null then
          create role ${PROJECT_OWNER} login createdb createrole bypassrls in role anon, authenticated, service_role;
          create role realtime_admin nologin;
          grant realtime_admin to ${PROJECT_OWNER};
        end if;
      end $$;
      alter database ${url.pathname.slice(1)} owner to ${PROJECT_OWNER};
      grant usage on schema auth, realtime to ${PROJECT_OWNER};
      grant all on auth.users to ${PROJECT_OWNER};
      alter table realtime.messages owner to realtime_admin;
      grant usage on schema realtime to realtime_admin;
      alter default privileges for role ${PROJECT_OWNER} in schema public
        grant all on tables to anon, authenticated, service_role;
      alter default privileges for role ${PROJECT_OWNER} in schema public
        grant all on functions to anon, authenticated, service_role;
      alter default privileges for role ${PROJECT_OWNER} in schema public
        grant all on sequences to anon, authenticated, service_role;`);
  } finally {
    await client.end();
  }
  url.username = PROJECT_OWNER;
  return url.href;
}
