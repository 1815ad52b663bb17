import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '@/domain/entities';
import { renderTaskContext } from '@/lib/contextText';
import { CANARY, INJECTIONS } from '../../fixtures/injections';
import { ADA, activityOf, BOT, contextOf, id, patternOf, practiceOf, taskOf } from './contexts';

/** A context in which every text that a member can write is the payload. */
function contextOfPayload(payload: string): TaskContext {
  const base = contextOf();
  const stage = payload.slice(0, 64);
  const requested = { text: payload, stage, branch: payload, commit: payload, links: [payload] };
  return contextOf({
    task: taskOf(100, { title: payload, description: payload, current_stage: stage, key: null }),
    milestone: { ...base.milestone, name: payload, requirements: payload, description: payload } as never,
    project: { ...base.project, name: payload, overview: payload, description: payload } as never,
    parent_task: taskOf(99, { title: payload, description: payload }),
    subtasks: [taskOf(101, { title: payload, current_stage: stage })],
    dependencies: [taskOf(102, { title: payload, current_stage: stage })],
    activities: [
      activityOf(209, 'review_returned', { request: id(208), reason: payload }),
      activityOf(208, 'review_requested', requested, BOT),
      activityOf(207, 'answer', { text: payload, question: payload }),
      activityOf(206, 'question', { text: payload, to: payload }),
      activityOf(205, 'comment_edited', { comment: id(204), text: payload }),
      activityOf(204, 'comment', { text: payload, mentions: [payload] }),
      activityOf(203, 'review_requested', { text: { deep: payload }, stage: payload }),
      activityOf(202, payload, payload),
    ],
    patterns: [
      patternOf(301, {
        name: payload,
        description: payload,
        content: { text: payload },
        pattern_type: payload,
      }),
      patternOf(302, { name: payload, content: { [payload]: [payload] }, last_modified_by: BOT }),
    ],
    best_practices: [practiceOf(303, { name: payload, content: payload })],
    workflow: {
      ...base.workflow,
      name: payload,
      stages: [{ name: stage, description: payload, order: 1, is_checkpoint: true }],
    } as never,
  });
}

interface Node {
  type: string;
  value?: string;
  children?: Node[];
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children ?? []) yield* nodesOf(child);
}

const OWN = ['root', 'heading', 'paragraph', 'list', 'listItem', 'text', 'code', 'inlineCode'];
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Surrogate}]|(?![\n\t])\p{Cc}/u;

describe('text of members is data', () => {
  it.each(Object.entries(INJECTIONS))(
    '%s stays in its fence, at every budget (X4)',
    async (_name, payload) => {
      const members = [
        { user_id: ADA, display_name: payload, role: 'owner', kind: 'human' },
        { user_id: BOT, display_name: payload, role: 'agent', kind: 'agent' },
      ] as const;
      for (const maxTokens of [200, 400, 900, 3_000, 40_000]) {
        const { markdown } = await renderTaskContext(contextOfPayload(payload), { maxTokens, members });
        const nodes = [...nodesOf(fromMarkdown(markdown) as Node)];
        expect(nodes.map(({ type }) => type).filter((type) => !OWN.includes(type))).toEqual([]);
        const outside = nodes.filter(({ type }) => type === 'text').map(({ value }) => value ?? '');
        expect(outside.filter((text) => text.includes('CANARY'))).toEqual([]);
        const headings = nodes.filter(({ type }) => type === 'heading').flatMap((node) => [...nodesOf(node)]);
        for (const { type, value } of headings) {
          if (type === 'text') expect(value).toMatch(/^(Task 0190|[A-Z][a-z]+( [a-z]+)*$)/);
        }
        expect(markdown).not.toMatch(HIDDEN);
        if (maxTokens === 40_000) {
          const inside = nodes.filter(({ type }) => type === 'code' || type === 'inlineCode');
          expect(inside.some(({ value }) => value?.includes(CANARY.slice(0, 6)))).toBe(true);
        }
      }
    },
  );
});
