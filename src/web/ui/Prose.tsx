import type { ReactNode } from 'react';

/**
 * Long text as people type it: headings (`##`), lists (`-`, `1.`), `code` and **strong**, blank lines
 * between paragraphs. Everything else is shown as typed; nothing becomes HTML.
 */
export function Prose({ text }: { text: string }) {
  const blocks = text.replaceAll('\r\n', '\n').split(/\n{2,}/);
  // The position is the only key: two paragraphs may be equal.
  return <div className="prose">{blocks.map((block, index) => renderBlock(block, index))}</div>;
}

const BULLET = /^\s*[-*]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;

function renderBlock(block: string, key: number): ReactNode {
  const lines = block.split('\n').filter((line) => line.trim() !== '');
  const [first = '', ...rest] = lines;
  const heading = /^#{1,6}\s+(.*)$/.exec(first)?.[1];
  if (heading !== undefined) {
    return (
      <section key={key}>
        <h3>{inline(heading)}</h3>
        {rest.length > 0 && renderBlock(rest.join('\n'), 0)}
      </section>
    );
  }
  for (const [marker, List] of [
    [BULLET, 'ul'],
    [NUMBER, 'ol'],
  ] as const) {
    if (lines.length > 0 && lines.every((line) => marker.test(line))) {
      return (
        <List key={key}>
          {lines.map((line) => (
            <li key={line}>{inline(line.replace(marker, ''))}</li>
          ))}
        </List>
      );
    }
  }
  return <p key={key}>{inline(lines.join('\n'))}</p>;
}

function inline(text: string): ReactNode[] {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/).map((part, index) => {
    const key = `${index}:${part}`;
    if (part.length > 2 && part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>;
    if (part.length > 4 && part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>;
    return part;
  });
}
