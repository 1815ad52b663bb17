/**
 * Variables that hosts of coding agents set for the commands that an agent runs. Variables by which people configure a host
 * (CODEX_HOME, GOOSE_PROVIDER, COPILOT_GITHUB_TOKEN) are none: they say nothing about who runs a command. Aider sets none.
 */

interface AgentHost {
  host: string;
  variables: readonly string[];
  /** Where that is said. */
  source: string;
}

export const AGENT_HOSTS: readonly AgentHost[] = [
  {
    host: 'an agent (AI_AGENT)',
    variables: ['AI_AGENT'],
    source: 'https://github.com/vercel/detect-agent#the-ai_agent-standard',
  },
  {
    host: 'an agent (AGENT), as Amp, Goose, Crush and OpenCode set it',
    variables: ['AGENT'],
    source: 'https://github.com/agentsmd/agents.md/issues/136',
  },
  {
    host: 'Claude Code',
    variables: ['CLAUDECODE', 'CLAUDE_CODE'],
    source: 'https://github.com/anthropics/claude-code/issues/531',
  },
  {
    host: 'Codex',
    variables: ['CODEX_SANDBOX', 'CODEX_THREAD_ID', 'CODEX_CI'],
    source: 'https://github.com/aws/aws-cdk-cli/pull/1855',
  },
  {
    host: 'Gemini CLI',
    variables: ['GEMINI_CLI'],
    source: 'https://google-gemini.github.io/gemini-cli/docs/tools/shell.html#environment-variables',
  },
  {
    host: 'Cursor',
    variables: ['CURSOR_AGENT'],
    source: 'https://github.com/databricks/cli/pull/4287',
  },
  {
    host: 'Copilot',
    variables: ['COPILOT_CLI', 'COPILOT_AGENT'],
    source:
      'https://github.com/github/copilot-cli/blob/main/changelog.md, https://github.com/microsoft/vscode/pull/316267',
  },
  {
    host: 'OpenCode',
    variables: ['OPENCODE'],
    source: 'https://github.com/anomalyco/opencode/blob/dev/packages/opencode/src/index.ts',
  },
  {
    host: 'Amp',
    variables: ['AMP_CURRENT_THREAD_ID'],
    source: 'https://github.com/microsoft/vscode/issues/311734',
  },
  {
    host: 'Goose',
    variables: ['GOOSE_TERMINAL'],
    source: 'https://github.com/google-gemini/gemini-cli/pull/21032',
  },
  { host: 'Cline', variables: ['CLINE_ACTIVE'], source: 'https://github.com/aws/aws-cdk-cli/pull/1853' },
  {
    host: 'Augment',
    variables: ['AUGMENT_AGENT'],
    source: 'https://docs.augmentcode.com/cli/reference#shell-environment',
  },
  { host: 'Qwen Code', variables: ['QWEN_CODE'], source: 'https://github.com/aws/aws-cdk-cli/pull/1855' },
  {
    host: 'Antigravity',
    variables: ['ANTIGRAVITY_AGENT'],
    source: 'https://github.com/microsoft/vscode/issues/311734',
  },
];

/** @returns the host whose agent runs this command, and the variable that says so; null where none does */
export function agentHostOf(
  environment: Readonly<Record<string, string | undefined>>,
): { host: string; variable: string } | null {
  for (const { host, variables } of AGENT_HOSTS) {
    const variable = variables.find((name) => (environment[name] ?? '') !== '');
    if (variable !== undefined) return { host, variable };
  }
  return null;
}
