import type { Json } from '@/core/protocol';
import { wordsOf } from '../ui/labels';

/** The content of a pattern or practice: its parts by name, examples as code. */
export function JsonContent({ content }: { content: Json }) {
  if (content === null || typeof content !== 'object' || Array.isArray(content))
    return <Value value={content} />;
  const parts = Object.entries(content).filter(([name]) => name !== 'language');
  if (parts.length === 0) return null;
  return (
    <dl className="json">
      {parts.map(([name, value]) => (
        <div key={name}>
          <dt>{wordsOf(name)}</dt>
          <dd>{name === 'example' ? <Code value={value} /> : <Value value={value} />}</dd>
        </div>
      ))}
    </dl>
  );
}

function Code({ value }: { value: Json }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    // Wide code scrolls in its own box, which the keyboard must reach.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}

function Value({ value }: { value: Json }) {
  if (value === null) return <span className="muted">none</span>;
  if (Array.isArray(value)) {
    return (
      <ul>
        {value.map((item) => (
          <li key={JSON.stringify(item)}>
            <Value value={item} />
          </li>
        ))}
      </ul>
    );
  }
  return typeof value === 'object' ? <Code value={value} /> : <span>{String(value)}</span>;
}
