import { describe, expect, it } from 'vitest';
import { AGENT_HOSTS, agentHostOf } from '@/cli/agentHosts';

describe('hosts of agents', () => {
  it('are known by each variable that they set', () => {
    for (const { host, variables } of AGENT_HOSTS) {
      for (const variable of variables) expect(agentHostOf({ [variable]: '1' })).toEqual({ host, variable });
    }
    const all = AGENT_HOSTS.flatMap(({ variables }) => variables);
    expect(new Set(all).size).toBe(all.length);
    expect(AGENT_HOSTS.every(({ source }) => source.startsWith('https://'))).toBe(true);
  });

  it('are not taken from how a person configured one, nor from an empty variable', () => {
    const configured = {
      CLAUDECODE: '',
      CODEX_HOME: '/home/a/.codex',
      GOOSE_PROVIDER: 'x',
      COPILOT_GITHUB_TOKEN: 'x',
      SSH_AGENT_PID: '1',
    };
    expect(agentHostOf(configured)).toBeNull();
  });
});
