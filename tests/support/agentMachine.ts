/** A machine whose users reach the server by a link that a test can cut or hold. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContextService } from '@/domain/contextService';
import type { Milestone, Project } from '@/domain/entities';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Machine } from './builtConvoy';
import { type DemoStack, startDemoStack } from './demoStack';
import { type HostOptions, McpHost } from './mcpHost';
import { RefusingProxy } from './refusingProxy';
import { SEED } from './seed';

export class AgentMachine {
  private readonly hosts: McpHost[] = [];
  private readonly proxies: RefusingProxy[] = [];

  private constructor(
    readonly demo: DemoStack,
    readonly machine: Machine,
    /** What lies between this machine and the server. */
    readonly link: RefusingProxy,
    /** A person with a role of an editor, at the server itself. */
    readonly person: ContextService,
  ) {}

  static async start(): Promise<AgentMachine> {
    const [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
    const link = await RefusingProxy.start(demo.stack.url);
    const person = createRemoteContextService({ client: (await demo.signIn('editor')).client });
    return new AgentMachine(demo, machine, link, person);
  }

  /** Makes an agent and signs it in. @returns the folder of its session and database */
  async agent(name: string, link = this.link): Promise<string> {
    const { email, secret } = await this.person.createAgent(SEED.workspace, name);
    const key = ['--key', this.demo.stack.anonKey];
    const login = ['login', '--url', link.url, ...key, '--email', email, '--password-stdin', '--as', name];
    const { userId } = await this.machine.json<{ userId: string }>(login, `${secret}\n`);
    const profiles = join(this.machine.data, 'profiles');
    const folder = readdirSync(profiles).find((one) => one.endsWith(userId)) ?? '';
    return join(profiles, folder);
  }

  /** Another link to the same server. */
  async newLink(): Promise<RefusingProxy> {
    const link = await RefusingProxy.start(this.demo.stack.url);
    this.proxies.push(link);
    return link;
  }

  /** A project with one active milestone, and a folder that is linked to it. */
  async project(name: string): Promise<{ project: Project; milestone: Milestone; folder: string }> {
    const project = await this.person.createProject({ workspace_id: SEED.workspace, name });
    const milestone = await this.person.createMilestone({
      project_id: project.id,
      name: 'First',
      status: 'active',
    });
    const folder = join(this.machine.work, name.toLowerCase());
    mkdirSync(folder);
    const ids = { url: this.link.url, workspace_id: SEED.workspace, project_id: project.id };
    writeFileSync(join(folder, 'convoy.json'), JSON.stringify(ids));
    return { project, milestone, folder };
  }

  async host(options: HostOptions): Promise<McpHost> {
    const host = await McpHost.start(this.machine, options);
    this.hosts.push(host);
    return host;
  }

  /** What a person does at a checkpoint: waits for the request with this text, then approves it. */
  async approve(taskId: string, text: string, until: (ask: () => Promise<unknown>) => Promise<unknown>) {
    await until(async () => (await this.person.getReview(taskId))?.text === text);
    const review = await this.person.getReview(taskId);
    await this.person.approveReview(taskId, review?.id ?? '');
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await Promise.all([this.link, ...this.proxies].map((link) => link.close()));
    this.machine.remove();
    await this.demo.stack.close();
  }
}

/** Makes the stored token of a user expire: now, as their processes see it. */
export function expireToken(folder: string): void {
  const path = join(folder, 'session.json');
  if (!existsSync(path)) throw new Error(`There is no session in ${folder}.`);
  const values = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const past = Math.floor(Date.now() / 1_000) - 60;
  const expired = Object.entries(values).map(([key, text]) => {
    const session = JSON.parse(text) as object;
    return [key, 'expires_at' in session ? JSON.stringify({ ...session, expires_at: past }) : text] as const;
  });
  writeFileSync(path, JSON.stringify(Object.fromEntries(expired)), { mode: 0o600 });
}
