/** Agents that people make, pause and revoke. */

import { Command } from 'commander';
import type { Workspace, WorkspaceMember } from '@/domain/entities';
import { theOne } from '@/machine/records';
import { syncShortly } from '@/machine/sending';
import { EXIT } from '../exits';
import { runAsPerson } from '../guard';
import { clipped, painted, shown, table } from '../output';
import { confirmed } from '../prompt';
import type { CommonOptions, Session } from '../run';

interface AgentOptions extends CommonOptions {
  workspace?: string;
}

export function addAgentCommands(program: Command): void {
  const agent = new Command('agent').description(
    'Make, list, pause and revoke agents. For people, at a terminal.',
  );
  const below = (name: string, description: string) =>
    agent
      .command(name)
      .description(description)
      .option('--workspace <name>', 'name or id, where you are in several');
  below('add', 'Make an agent. Prints the secret that it signs in with, once.')
    .argument('<name>')
    .action(add);
  below('list', 'The agents of a workspace.').action(list);
  below('pause', 'Pause an agent: the server takes nothing from it until it is resumed.')
    .argument('<name>', 'name or id')
    .action((name: string, options: AgentOptions) => setPaused(name, options, true));
  below('resume', 'End the pause of an agent.')
    .argument('<name>', 'name or id')
    .action((name: string, options: AgentOptions) => setPaused(name, options, false));
  below('revoke', 'End the membership of an agent, for good. Asks first.')
    .argument('<name>', 'name or id')
    .action(revoke);
  program.addCommand(agent);
}

function add(name: string, options: AgentOptions): Promise<void> {
  return runAsPerson(options, async (session) => {
    const { device, print, profile } = session;
    const workspace = await workspaceOf(session, options.workspace);
    const { member, email, secret } = await device.contextService.createAgent(workspace.id, name);
    await syncShortly(session);
    print.result({ member, email, secret }, () =>
      [
        `${shown(member.display_name)} is an agent of ${shown(workspace.name)}.`,
        '',
        `  e-mail address  ${email}`,
        `  secret          ${secret}`,
        '',
        'The secret is shown once, and stored nowhere. Where the agent runs:',
        `  convoy login --url ${profile.url} --email ${email}`,
      ].join('\n'),
    );
  });
}

function list(options: AgentOptions): Promise<void> {
  return runAsPerson(options, async (session) => {
    await syncShortly(session);
    const workspace = await workspaceOf(session, options.workspace);
    const members = await session.device.contextService.getMembers(workspace.id);
    const agents = members.filter(({ kind }) => kind === 'agent');
    const makerOf = ({ made_by }: WorkspaceMember) =>
      made_by === null ? 'invited' : (members.find(({ user_id }) => user_id === made_by)?.display_name ?? '');
    session.print.result(agents, () =>
      agents.length === 0
        ? 'There are no agents.'
        : table(
            agents.map((one) => [
              clipped(one.display_name, 40),
              one.role,
              clipped(makerOf(one), 30),
              one.paused_at === null
                ? ''
                : painted('yellow', `paused ${new Date(one.paused_at).toLocaleString()}`),
              one.id,
            ]),
          ),
    );
  });
}

function setPaused(name: string, options: AgentOptions, paused: boolean): Promise<void> {
  return runAsPerson(options, async (session) => {
    const agent = await agentNamed(session, name, options.workspace);
    const changed = await session.device.contextService.pauseAgent(agent.id, paused);
    await syncShortly(session);
    const state = paused ? 'is paused' : 'may go on';
    session.print.result(changed, `${shown(changed.display_name)} ${state}.`);
  });
}

function revoke(name: string, options: AgentOptions): Promise<void> {
  return runAsPerson(options, async (session) => {
    const { device, print } = session;
    const agent = await agentNamed(session, name, options.workspace);
    const question = `Revoke ${shown(agent.display_name)}? It cannot come back; another agent can be made.`;
    if (!(await confirmed(question))) {
      process.exitCode = EXIT.failed;
      print.result({ revoked: false }, 'Nothing was changed.');
      return;
    }
    await device.contextService.revokeAgent(agent.id);
    await syncShortly(session);
    print.result({ revoked: true, member: agent.id }, `${shown(agent.display_name)} is revoked.`);
  });
}

async function workspaceOf({ device, link }: Session, named: string | undefined): Promise<Workspace> {
  const workspaces = await device.contextService.getWorkspaces();
  return theOne('workspace', workspaces, named ?? link?.workspace_id);
}

async function agentNamed(session: Session, name: string, workspace?: string): Promise<WorkspaceMember> {
  await syncShortly(session);
  const { id } = await workspaceOf(session, workspace);
  const members = await session.device.contextService.getMembers(id);
  const agents = members.filter(({ kind }) => kind === 'agent');
  return theOne(
    'agent',
    agents.map((member) => ({ ...member, name: member.display_name, others: [member.user_id] })),
    name,
  );
}
