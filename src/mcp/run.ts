/** Runs a tool: what it answers is text, and so is a failure that the agent can act on. */

import { ConvoyError } from '@/core/errors';
import { MachineFailure } from '@/machine/errors';
import { BadArgument } from './arguments';
import { CALLS } from './calls';
import { lostClaims } from './calls/claims';
import type { Desks } from './desk';

export interface Answer {
  text: string;
  isError: boolean;
}

/** @param given the arguments as the host sent them. Never rejects */
export async function runTool(
  desks: Desks,
  name: string,
  given: unknown,
  signal: AbortSignal,
): Promise<Answer> {
  const tool = CALLS.get(name);
  if (!tool) return failed(`There is no tool "${name}". There are ${[...CALLS.keys()].join(', ')}.`);
  try {
    const run = tool(given);
    const desk = await desks.open();
    const text = await run(desk, signal);
    return { text: [...(await lostClaims(desk)), text].join('\n'), isError: false };
  } catch (error) {
    if (error instanceof BadArgument) return failed(error.message);
    if (error instanceof MachineFailure || error instanceof ConvoyError) return failed(wordsOf(error, name));
    console.error(error);
    return failed(
      'Convoy failed unexpectedly, and nothing of this call may be written. Try once more; then tell a person.',
    );
  }
}

function failed(text: string): Answer {
  return { text, isError: true };
}

/** Arguments that name tasks, where it is not `task` alone. */
const REFERENCES: Readonly<Record<string, string>> = {
  list: 'after',
  depend: 'task or on',
  create: 'parent or depends_on in tasks',
};

/** @returns the argument of a tool that a field of the Context Service was given as */
function argumentOf(field: string, tool: string): string {
  if (field === 'reference') return REFERENCES[tool] ?? 'task';
  if (field === 'question_id') return 'answer';
  return field === 'request_id' ? 'request' : field;
}

function wordsOf({ detail }: MachineFailure | ConvoyError, tool: string): string {
  const field = 'field' in detail ? `${argumentOf(String(detail.field), tool)}: ` : '';
  return `${field}${detail.message} (${detail.kind}/${detail.code})`;
}
