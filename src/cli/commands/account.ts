/** Signing in and out on this machine, and the project that a folder belongs to. */

import { type Command, Option } from 'commander';
import { count } from '@/core/count';
import { findBackend } from '@/machine/backend';
import { MachineFailure } from '@/machine/errors';
import { findLink, writeLink } from '@/machine/link';
import { chooseProfile, listProfiles } from '@/machine/profiles';
import { theOne } from '@/machine/records';
import { EXIT } from '../exits';
import { painted, shown, table } from '../output';
import { readSecret, readText } from '../prompt';
import { type CommonOptions, runAs, runCommand } from '../run';

interface LoginOptions extends CommonOptions {
  key?: string;
  email?: string;
  passwordStdin?: boolean;
}

export function addAccountCommands(program: Command): void {
  program
    .command('login')
    .description('Sign in a person or an agent on this machine.')
    .option('--key <key>', 'public key of a Supabase project; a local stack is asked for it')
    .option('--email <address>', 'of the person or the agent; asked for on a terminal')
    .option('--password-stdin', 'read the password, or the secret of an agent, from standard input')
    .action((options: LoginOptions) => runCommand(options, (print) => login(options, print)));
  program
    .command('logout')
    .description(
      'Sign out. Does nothing while something here is not on the server, unless you say what becomes of it.',
    )
    .addOption(new Option('--sync', 'send it first').conflicts(['keep', 'discard']))
    .addOption(new Option('--keep', 'leave it here for the next sign-in').conflicts(['discard']))
    .addOption(new Option('--discard', 'remove it, with the local database'))
    .action(logout);
  program
    .command('whoami')
    .description('Who commands act as here, and who else is signed in on this machine.')
    .action(whoami);
  program
    .command('link')
    .description('Write convoy.json, so that this folder belongs to a project.')
    .argument('[project]', 'name or id of a project; absent: the whole workspace')
    .option('--workspace <name>', 'name or id, where you are in several')
    .action(link);
}

async function login(
  { url, key, as, email, passwordStdin }: LoginOptions,
  print: Parameters<Parameters<typeof runCommand>[1]>[0],
): Promise<void> {
  const found = await findLink(process.cwd());
  const linked = found.ok ? found.value?.url : undefined;
  const backend = orThrow(await findBackend(url ?? linked, key));
  const address = email ?? (await readText('E-mail address', '--email'));
  const password = await readSecret(
    'Password, or secret of an agent',
    '--password-stdin',
    passwordStdin === true,
  );
  const { signIn } = await import('@/machine/open');
  const profile = orThrow(await signIn(backend, { email: address, password }, as));
  const { name, kind, userId } = profile;
  print.result({ name, kind, userId, url: profile.url }, `${shown(name)} is signed in at ${profile.url}.`);
}

interface LogoutOptions extends CommonOptions {
  sync?: boolean;
  keep?: boolean;
  discard?: boolean;
}

function logout(options: LogoutOptions): Promise<void> {
  const unsynced = options.sync ? 'sync' : options.keep ? 'keep' : options.discard ? 'discard' : undefined;
  return runAs(options, async (session) => {
    const { signOut } = await import('@/machine/open');
    const result = await signOut(session, { unsynced });
    const { name } = session.profile;
    if (result.status === 'signed_out') {
      session.print.result({ signedOut: true }, `${shown(name)} is signed out.`);
      return;
    }
    process.exitCode = EXIT.failed;
    session.print.result(
      { signedOut: false, unsynced: result.unsynced },
      `Not on the server: ${count(result.unsynced.total, 'change')}. Choose: --sync sends them first, --keep leaves them here, --discard removes them.`,
    );
  });
}

function whoami(options: CommonOptions): Promise<void> {
  return runCommand(options, async (print) => {
    const found = await findLink(process.cwd());
    const url = options.url ?? (found.ok ? found.value?.url : undefined);
    const [chosen, all] = [await chooseProfile({ as: options.as, url }), await listProfiles()];
    const current = chosen.ok ? chosen.value.folder : null;
    const listed = all.map(({ name, kind, email, userId, url: at, folder }) => ({
      name,
      kind,
      email,
      userId,
      url: at,
      current: folder === current,
    }));
    const rows = listed.map(({ name, kind, url: at, current: isCurrent }) => [
      isCurrent ? painted('bold', '*') : ' ',
      shown(name),
      kind === 'agent' ? 'agent' : 'person',
      at,
    ]);
    print.result(listed, table(rows));
    if (!chosen.ok) throw new MachineFailure(chosen.error);
  });
}

function link(project: string | undefined, options: CommonOptions & { workspace?: string }): Promise<void> {
  return runAs({ ...options }, async ({ device, profile, print }) => {
    const workspaces = await device.contextService.getWorkspaces();
    const workspace = theOne('workspace', workspaces, options.workspace);
    const projects = await device.contextService.getProjects(workspace.id);
    const chosen = project === undefined ? null : theOne('project', projects, project);
    const path = await writeLink(process.cwd(), {
      url: profile.url,
      workspace_id: workspace.id,
      ...(chosen && { project_id: chosen.id }),
    });
    const name = shown(chosen?.name ?? workspace.name);
    print.result(
      { path, workspace_id: workspace.id, project_id: chosen?.id ?? null },
      `${path} links this folder to ${name}. Commit it: it holds ids only.`,
    );
  });
}

function orThrow<T>(result: { ok: true; value: T } | { ok: false; error: MachineFailure['detail'] }): T {
  if (result.ok) return result.value;
  throw new MachineFailure(result.error);
}
