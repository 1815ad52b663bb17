/** `convoy mcp install`: writes the settings of the hosts of agents, after showing the change and asking. */

import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { MachineFailure, wrongUsage } from '@/machine/errors';
import { findLink } from '@/machine/link';
import { chooseProfile } from '@/machine/profiles';
import { difference } from '../difference';
import { EXIT } from '../exits';
import type { Edited, EditFault } from '../install/edit';
import type { PlannedFile } from '../install/file';
import { HOSTS, type Host, type Launch } from '../install/hosts';
import { type Painting, type Printer, painted, shown } from '../output';
import { chooseSeveral, isAgreed } from '../prompt';
import { type CommonOptions, runCommand } from '../run';

interface InstallOptions extends CommonOptions {
  host?: string[];
  user?: boolean;
  name: string;
  instructions: boolean;
  yes?: boolean;
  dryRun?: boolean;
}

/** A host or the lines for agents, and what becomes of its file. */
interface Step {
  what: string;
  file: PlannedFile;
}

export function addInstallCommand(mcp: Command): void {
  mcp
    .command('install')
    .description('Write the settings of the hosts that run agents, so that they start this server.')
    .option(
      '--host <name>',
      `${HOSTS.map(({ name }) => name).join(', ')}; may be repeated`,
      (name: string, before: string[] = []) => [...before, name],
    )
    .option('--user', 'settings of the user, for all projects, where the host has both')
    .option('--name <name>', 'of the server in the settings', 'convoy')
    .option('--no-instructions', 'leave AGENTS.md and CLAUDE.md alone')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would change, and change nothing')
    .action((options: InstallOptions) => runCommand(options, (print) => install(options, print)));
}

async function install(options: InstallOptions, print: Printer): Promise<void> {
  const found = await findLink(process.cwd());
  if (!found.ok) throw new MachineFailure(found.error);
  // The folder of code is the one that is linked.
  const folder = found.value ? dirname(found.value.path) : process.cwd();
  const hosts = await chosenHosts(options, folder);
  const launch = await launchOf(options, found.value?.url, print);
  const steps = await Promise.all(hosts.map((host) => hostStep(host, launch, folder, options)));
  if (options.instructions && hosts.some((host) => isOfProject(host, options))) {
    steps.push(await linesStep(hosts, folder));
  }
  const changing = steps.filter(({ file }) => file.before !== file.after);
  for (const step of changing) print.note(stepText(step));
  const written = await writeAgreed(changing, options, print);
  print.result(
    steps.map(({ what, file }) => ({ what, path: file.path, state: stateOf(file, written, options) })),
    () =>
      steps.map(({ what, file }) => `${what}: ${file.path}, ${stateOf(file, written, options)}`).join('\n'),
  );
  if (written.some((file) => hosts.some((host) => host.projectFile?.(folder) === file.path))) {
    print.note('Settings of a project hold paths of this machine: others run this command for themselves.');
  }
}

async function chosenHosts({ host: names, json }: InstallOptions, folder: string): Promise<Host[]> {
  if (names !== undefined) {
    return names.map((name) => {
      const host = HOSTS.find((one) => one.name === name.toLowerCase());
      if (host) return host;
      throw wrongUsage(
        `No host "${name}" is known. Name one of: ${HOSTS.map((one) => one.name).join(', ')}.`,
      );
    });
  }
  const isHere = (host: Host) =>
    [host.projectFile?.(folder), host.userFile?.()].some((path) => path !== undefined && existsSync(path));
  const offered = HOSTS.map(({ name, title }) => ({ value: name, label: title }));
  const message = 'Hosts to write the settings of';
  const chosen = await chooseSeveral(
    message,
    offered,
    HOSTS.filter(isHere).map(({ name }) => name),
    json,
  );
  return HOSTS.filter(({ name }) => chosen.includes(name));
}

/** Absolute paths: a host may run with another PATH. Who signs in is named; the session stays in its own file. */
async function launchOf(
  { as, url }: InstallOptions,
  linked: string | undefined,
  print: Printer,
): Promise<Launch> {
  const script = await realpath(process.argv[1] ?? '');
  const dataFolder = process.env.CONVOY_DATA_DIR;
  const wanted = as ?? process.env.CONVOY_AGENT;
  const profile = await chooseProfile({ as: wanted, url: url ?? linked });
  if (!profile.ok) print.note(`${profile.error.message} The tools say so, too, until then.`);
  else if (profile.value.kind !== 'agent') {
    print.note(
      `${profile.value.name} is a person: tools then act with a person’s rights. Name an agent by --as.`,
    );
  }
  return {
    command: process.execPath,
    args: [script, 'mcp', ...(wanted ? ['--as', wanted] : []), ...(url ? ['--url', url] : [])],
    env: dataFolder ? { CONVOY_DATA_DIR: dataFolder } : {},
  };
}

const isOfProject = (host: Host, { user }: InstallOptions) => host.projectFile !== null && !user;

async function hostStep(host: Host, launch: Launch, folder: string, options: InstallOptions): Promise<Step> {
  const path = isOfProject(host, options) ? host.projectFile?.(folder) : host.userFile?.();
  if (path === undefined) throw wrongUsage(`${host.title} has no settings of the user that Convoy writes.`);
  const wanted = { path: host.path, name: options.name, entry: host.entry(launch) };
  const { editJson } = await import('../install/json');
  const { editToml } = await import('../install/toml');
  const edit = host.format === 'toml' ? editToml : editJson;
  return planned(host.title, path, (text) => edit(text, wanted));
}

async function linesStep(hosts: readonly Host[], folder: string): Promise<Step> {
  const { editLines } = await import('../install/lines');
  const own = join(folder, 'CLAUDE.md');
  const isForClaude = hosts.some(({ name }) => name === 'claude-code') && existsSync(own);
  return planned('Lines for agents', isForClaude ? own : join(folder, 'AGENTS.md'), editLines);
}

async function planned(what: string, path: string, edit: (text: string) => Edited): Promise<Step> {
  const { planFile } = await import('../install/file');
  const plan = await planFile(path, edit);
  if (!plan.ok) throw settingsFailure(path, plan.error);
  return { what, file: plan.value };
}

/** @returns the files that were written */
async function writeAgreed(
  steps: readonly Step[],
  { yes, dryRun, json }: InstallOptions,
  print: Printer,
): Promise<PlannedFile[]> {
  const written: PlannedFile[] = [];
  if (dryRun) return written;
  const { writePlanned } = await import('../install/file');
  for (const { file } of steps) {
    const agreed = yes === true || (!json && (await isAgreed(`Write ${file.path}?`)));
    if (agreed !== true) process.exitCode = EXIT.failed;
    if (agreed === null) break;
    if (!agreed) continue;
    const result = await writePlanned(file);
    if (!result.ok) throw settingsFailure(file.path, result.error);
    written.push(file);
  }
  if (steps.length > 0 && written.length === 0) print.note('Nothing was changed.');
  return written;
}

function stateOf(file: PlannedFile, written: readonly PlannedFile[], { dryRun }: InstallOptions): string {
  if (file.before === file.after) return 'unchanged';
  if (written.includes(file)) return 'written';
  return dryRun ? 'would be written' : 'left as it was';
}

const PAINTS: Record<'+' | '-' | ' ', Painting> = { '+': 'green', '-': 'red', ' ': 'dim' };

function stepText({ what, file }: Step): string {
  const lines = difference(file.before, file.after).map(({ mark, text }) =>
    painted(PAINTS[mark], `${mark} ${shown(text.replaceAll('\t', '  '))}`),
  );
  return [painted('bold', `${what}: ${file.path}`), ...lines].join('\n');
}

function settingsFailure(path: string, { message, line, column }: EditFault): MachineFailure {
  const place = line === undefined ? path : `${path}, line ${line}, column ${column}`;
  return new MachineFailure({
    kind: 'machine',
    code: 'bad_settings',
    message: `${place}: ${message} Nothing was changed.`,
  });
}
