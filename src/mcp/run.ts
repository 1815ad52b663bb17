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
    if (error instanceof MachineFailure || error instanceof ConvoyError) return failed(wordsOf(error));
    console.error(error);
    return failed(
      'Convoy failed unexpectedly, and nothing of this call may be written. Try once more; then tell a person.',
    );
  }
}

function failed(text: string): Answer {
  return { text, isError: true };
}

function wordsOf({ detail }: MachineFailure | ConvoyError): string {
  const field = 'field' in detail ? `${detail.field}: ` : '';
  return `${field}${detail.message} (${detail.kind}/${detail.code})`;
}
