/** A small database to test the stack with: the real bootstrap, and functions that fail in every way. */

import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import ws from 'ws';
import {
  type LocalStack,
  type LocalStackOptions,
  readStackSql,
  type StackSql,
  startLocalStack,
} from '@/server';
import { bareTemplate } from '../../support/template';

const FUNCTIONS = `
  create table public.notes (id int primary key, body text not null);
  insert into public.notes values (1, 'one'), (2, 'two');
  alter table public.notes enable row level security;

  create function public.whoami() returns jsonb language sql stable as $$
    select jsonb_build_object('uid', auth.uid(), 'role', current_user,
      'claims', current_setting('request.jwt.claims', true)::jsonb, 'method', current_setting('request.method', true))
  $$;
  create function public.echo(request jsonb) returns jsonb language sql immutable as $$ select request $$;
  create function public.add(a int, b int default 10) returns int language sql immutable as $$ select a + b $$;
  create function public.nothing() returns void language sql as $$ select $$;
  create function public.null_value() returns jsonb language sql as $$ select null::jsonb $$;
  create function public.numbers() returns setof int language sql stable as $$ select generate_series(1, 3) $$;
  create function public.notes_table() returns table (id int, body text) language sql stable security definer as $$
    select id, body from public.notes order by id
  $$;
  create function public.one_note() returns public.notes language sql stable security definer as $$
    select * from public.notes where id = 1
  $$;
  create function public.write_note(id int) returns void language sql security definer as $$
    insert into public.notes values (id, 'new')
  $$;
  create function public.count_notes() returns bigint language sql stable security definer as $$
    select count(*) from public.notes
  $$;
  create function public.write_while_stable() returns int language plpgsql stable security definer as $$
    begin
      perform public.write_note(99);
      return 1;
    end
  $$;
  create function public.write_and_fail() returns void language plpgsql security definer as $$
    begin
      insert into public.notes values (77, 'must not stay');
      raise exception 'no' using detail = 'the detail', hint = 'the hint';
    end
  $$;
  create function public.fail(state text) returns void language plpgsql as $$
    begin
      raise exception 'failed with %', state using errcode = state;
    end
  $$;
  create function public.members_only() returns int language sql as $$ select 1 $$;
  revoke execute on function public.members_only() from public, anon;
  grant execute on function public.members_only() to authenticated;
  create function public.hurried() returns text language sql volatile
    set statement_timeout = '4321ms' as $$ select current_setting('statement_timeout') $$;
  create function public.private_sessions() returns bigint language sql as $$
    select count(*) from local_stack.sessions
  $$;
`;

/** The stack's own SQL with the probe as its only migration. */
export function probeSql(): StackSql {
  return {
    ...readStackSql(),
    migrations: [{ version: '20250101000000', name: 'probe', sql: FUNCTIONS }],
    seed: null,
  };
}

/** Starts a stack that must start. In memory, unless told otherwise. */
export async function startProbe(options: Partial<LocalStackOptions> = {}): Promise<LocalStack> {
  const data = options.data ?? { kind: 'memory', template: await bareTemplate() };
  const stack = await startLocalStack({ sql: probeSql(), ...options, data });
  if (!stack.ok) throw new Error(stack.error.message);
  return stack.value;
}

/** A client of its own: nothing kept, nothing refreshed behind the test's back. */
export function clientOf(stack: LocalStack, key = stack.anonKey): SupabaseClient {
  return createClient(stack.url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    // Node 20 has no WebSocket of its own, and the client wants one even where it is not used.
    realtime: { transport: ws as never },
  });
}

/** A client that is signed in with a new account. */
export async function newMember(
  stack: LocalStack,
  email: string,
  password = 'correct horse',
): Promise<SupabaseClient> {
  const client = clientOf(stack);
  const { error } = await client.auth.signUp({ email, password });
  if (error) throw error;
  return client;
}
