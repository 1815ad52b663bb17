/** Prompts: what people begin with in hosts that offer them as commands. They name tools, and say nothing that tools do not. */

import { type GetPromptResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

interface PromptSpec {
  name: string;
  title: string;
  description: string;
  arguments: { name: string; description: string; required: boolean }[];
  /** @returns what the agent is asked to do */
  words: (given: Readonly<Record<string, string>>) => string;
}

const SPECS: readonly PromptSpec[] = [
  {
    name: 'work',
    title: 'Work on a task',
    description: 'Work on the next task, or on one that you name.',
    arguments: [{ name: 'task', description: 'Key, as in FIELD-42; absent: the next one', required: false }],
    words: ({ task }) =>
      `Call next${task ? ` with task ${JSON.stringify(task)}` : ''}, and do what the stage of the task says. Report what you find; at a checkpoint call request_review, then wait. Where none is ready, tell me why.`,
  },
  {
    name: 'plan',
    title: 'Plan tasks',
    description: 'Break a goal into tasks with subtasks and dependencies.',
    arguments: [{ name: 'goal', description: 'What is to be reached', required: true }],
    words: ({ goal }) =>
      `Break this goal into tasks: ${JSON.stringify(goal)}. Call list first, for what is there already. Show me the tasks with what each waits for; when I agree, call create once, under a request of its own.`,
  },
  {
    name: 'hand_over',
    title: 'Hand a task over',
    description: 'Give a task back, so that somebody else can go on.',
    arguments: [{ name: 'task', description: 'Key, as in FIELD-42', required: true }],
    words: ({ task }) =>
      `Call release for task ${JSON.stringify(task)}: in text, say what is done, what is left, what you tried, and on which branch it is.`,
  },
];

export const PROMPTS = SPECS.map(({ words: _, ...shown }) => shown);

/** @throws ProtocolError: no such prompt, or an argument that it needs is missing */
export function getPrompt(name: string, given: Readonly<Record<string, string>> = {}): GetPromptResult {
  const spec = SPECS.find((one) => one.name === name);
  if (!spec)
    throw refused(`There is no prompt "${name}". There are ${SPECS.map((one) => one.name).join(', ')}.`);
  const missing = spec.arguments.find((one) => one.required && !given[one.name]?.trim());
  if (missing) throw refused(`${missing.name} is required: ${missing.description}.`);
  const text = spec.words(given);
  return { description: spec.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
}

function refused(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
