/** From Markdown to a tree of elements that can be shown. Pure; the worker runs it. */

import type { Nodes, Root } from 'hast';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';

/** Levels and nodes of a tree that is shown. Beyond them the text is shown as it was typed. */
export const MOST_LEVELS = 60;
export const MOST_NODES = 10_000;

/** A text may name addresses of these kinds alone: others start programs. */
const SCHEMA: typeof defaultSchema = {
  ...defaultSchema,
  protocols: { ...defaultSchema.protocols, href: ['http', 'https', 'mailto'] },
};

// HTML in a text is no element: remark-rehype leaves it out, so it is made text first.
const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { handlers: { html: (_state, node) => ({ type: 'text', value: node.value }) } })
  .use(rehypeSanitize, SCHEMA);

/**
 * @param text Markdown with GitHub's additions, by anybody
 * @returns elements without scripts, styles, event handlers and addresses but of http, https and mailto; null where the
 * tree is too deep or too large to be shown
 */
export function parseMarkdown(text: string): Root | null {
  try {
    const tree = processor.runSync(processor.parse(text)) as Root;
    return isBounded(tree) ? tree : null;
  } catch (error) {
    // The library recurses: a thousand quotes in one another are more than its stack holds.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Iterative, since it stands before anything that recurses. */
function isBounded(root: Root): boolean {
  const open: { node: Nodes; level: number }[] = [{ node: root, level: 0 }];
  let nodes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    nodes += 1;
    if (next.level > MOST_LEVELS || nodes > MOST_NODES) return false;
    // Of no use on screen, and each is as large again as what it describes.
    delete next.node.position;
    if ('children' in next.node) {
      for (const node of next.node.children) open.push({ node, level: next.level + 1 });
    }
  }
  return true;
}
