/** Runs a tool: what it answers is text, and so is a failure that the agent can act on. */

import { ConvoyError } from '@/core/errors';
import { MachineFailure } from '@/machine/errors';
import { haltOf } from '@/machine/halt';
import { BadArgument } from './arguments';
import { CALLS } from './calls';
import { lostClaims } from './calls/claims';
import type { Desk, Desks } from './desk';

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
    const answer = await answerOf(() => run(desk, signal), name);
    const news = [
      ...(await newsOf(() => haltText(desk, answer.code))),
      ...(await newsOf(() => lostClaims(desk))),
    ];
    return { text: [...news, answer.text].join('\n'), isError: answer.isError };
  } catch (error) {
    return failureOf(error, name);
  }
}

interface Coded extends Answer {
  /** Of a failure that is expected. */
  code: string | null;
}

async function answerOf(work: () => Promise<string>, tool: string): Promise<Coded> {
  try {
    return { text: await work(), isError: false, code: null };
  } catch (error) {
    return failureOf(error, tool);
  }
}

function failureOf(error: unknown, tool: string): Coded {
  if (error instanceof BadArgument) return failed(error.message);
  if (error instanceof MachineFailure || error instanceof ConvoyError) {
    return { ...failed(wordsOf(error.detail, tool)), code: error.detail.code };
  }
  console.error(error);
  return failed(
    'Convoy failed unexpectedly, and nothing of this call may be written. Try once more; then tell a person.',
  );
}

/** Notes beside the answer. Where it cannot be found out, the answer stands all the same: the call may have written. */
async function newsOf(look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await look();
  } catch (error) {
    console.error(error);
    return [];
  }
}

/** @param told the code of a refusal that the answer tells already */
async function haltText(desk: Desk, told: string | null): Promise<string[]> {
  const halt = await haltOf(desk, desk.link);
  return halt === null || halt.code === told ? [] : [`${halt.message} (${halt.kind}/${halt.code})`];
}

function failed(text: string): Coded {
  return { text, isError: true, code: null };
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
  if (field === 'id' || field === 'task_id') return 'task';
  if (tool === 'update') {
    const isExpected = field.startsWith('expected.');
    return isExpected ? field.replace('expected.', 'was.') : `set.${field}`;
  }
  return field === 'request_id' ? 'request' : field;
}

function wordsOf(detail: (MachineFailure | ConvoyError)['detail'], tool: string): string {
  const field = 'field' in detail ? `${argumentOf(String(detail.field), tool)}: ` : '';
  return `${field}${detail.message} (${detail.kind}/${detail.code})`;
}
