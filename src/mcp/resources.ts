/** Resources: what tools that read answer, under addresses, for hosts that let people attach them. Not all hosts do. */

import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server';
import type { Desks } from './desk';
import { runTool } from './run';

const MARKDOWN = 'text/markdown';
const TASK = 'convoy://tasks/';
const LIST = 'convoy://lists/';

/** Lists by the filter of the tool `list` that they repeat. */
const LISTS = {
  ready: 'Tasks that can be worked on now',
  open: 'Open tasks',
  mine: 'Tasks that you have claimed or that are assigned to you',
  review: 'Tasks that wait for a person at a checkpoint',
} as const;

export const RESOURCES = Object.entries(LISTS).map(([filter, title]) => ({
  uri: `${LIST}${filter}`,
  name: filter,
  title,
  mimeType: MARKDOWN,
}));

export const RESOURCE_TEMPLATES = [
  {
    uriTemplate: `${TASK}{task}`,
    name: 'context',
    title: 'The context of a task, by key or id',
    mimeType: MARKDOWN,
  },
];

/** @throws ProtocolError: no such address, or the words of the tool about what failed */
export async function readResource(
  desks: Desks,
  uri: string,
  signal: AbortSignal,
): Promise<ReadResourceResult> {
  const [name, given] = toolOf(uri);
  const { text, isError } = await runTool(desks, name, given, signal);
  if (isError) throw new ProtocolError(ProtocolErrorCode.InvalidParams, text);
  return { contents: [{ uri, mimeType: MARKDOWN, text }] };
}

/** @returns the tool that an address repeats, and its arguments */
function toolOf(uri: string): [name: string, given: Record<string, string>] {
  if (RESOURCES.some((known) => known.uri === uri)) return ['list', { filter: uri.slice(LIST.length) }];
  const task = uri.startsWith(TASK) ? decoded(uri.slice(TASK.length)) : '';
  if (task !== '') return ['context', { task }];
  const known = [...RESOURCES.map((one) => one.uri), ...RESOURCE_TEMPLATES.map((one) => one.uriTemplate)];
  throw new ResourceNotFoundError(uri, `There is no such resource. There are ${known.join(', ')}.`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
