/** What an agent and the tools said to each other, as a page of the docs. */

import type { Answer } from './mcpHost';

type Call = (name: string, args?: Record<string, unknown>) => Promise<Answer>;

/** Lines of an answer that the page shows. */
const SHOWN_LINES = 9;

export class Transcript {
  private readonly steps: string[] = [];

  /** @returns calls that are written down */
  of(call: Call): Call {
    return async (name, args = {}) => {
      const answer = await call(name, args);
      const asked = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
      const lines = answer.text.split('\n');
      const shown = lines.slice(0, SHOWN_LINES);
      if (lines.length > SHOWN_LINES) shown.push(`… ${lines.length - SHOWN_LINES} more lines`);
      const outcome = answer.isError ? ' (refused)' : '';
      this.steps.push(
        [`### ${name}${outcome}`, '', '````text', `> ${asked.join(', ')}`.trim(), ...shown, '````'].join(
          '\n',
        ),
      );
      return answer;
    };
  }

  /** Something that happens beside the agent. */
  note(text: string): void {
    this.steps.push(text);
  }

  get text(): string {
    return `# One task, from next to finish

What an agent asked and was answered, of a real run; ids, claims and hashes are shortened, long answers cut. A test compares
this page with a run of its own, and \`CONVOY_TRANSCRIPT=write npx vitest run --project integration tests/integration/agents/mcp.test.ts\` writes it anew.

${withoutChance(this.steps.join('\n\n'))}
`;
  }
}

/** What differs from run to run is shortened. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}/g, '0190…')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '5c1f…')
    .replaceAll(/\b[0-9a-f]{12}\b/g, '7d30f2a41b9e')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-01-05T09:00:00.000Z')
    .replaceAll(/… \d+ more lines/g, '… more lines');
}

/** @returns the steps of such a page: tools, outcomes, arguments by name, and the first line of each answer */
export function structureOf(page: string): string[] {
  return page
    .split(/^### /m)
    .slice(1)
    .map((step) => {
      const [heading = '', , , asked = '', first = ''] = step.split('\n');
      const names = [...asked.matchAll(/(?:> |, )(\w+):/g)].map(([, name]) => name);
      return `${heading} (${names.join(', ')}): ${first}`;
    });
}
