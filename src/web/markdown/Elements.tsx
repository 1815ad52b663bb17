import type { Root } from 'hast';
import { type Components, toJsxRuntime } from 'hast-util-to-jsx-runtime';
import type { ReactNode } from 'react';
import { Fragment, jsx, jsxs } from 'react/jsx-runtime';

/** The elements of a parsed text. */
export function Elements({ tree }: { tree: Root }) {
  return toJsxRuntime(tree, { Fragment, jsx, jsxs, components: COMPONENTS, ignoreInvalidStyle: true });
}

/** An address without a host is of a repository, or a footnote: here it would open a screen of this app. */
function Elsewhere({ href = '', children }: { href?: string | undefined; children: ReactNode }) {
  if (!/^(?:https?|mailto):/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** Headings stand below those of the screen. What is wide scrolls in its own box, which the keyboard must reach. */
const COMPONENTS: Partial<Components> = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  h5: ({ children }) => <h6>{children}</h6>,
  a: ({ href, children }) => <Elsewhere href={href}>{children}</Elsewhere>,
  // To fetch it would tell its host who reads this, and when.
  img: ({ src, alt }) => (
    <Elsewhere href={typeof src === 'string' ? src : undefined}>{alt || 'image'}</Elsewhere>
  ),
  input: ({ checked }) => (
    <span className="check" role="img" aria-label={checked ? 'done' : 'not done'}>
      {checked ? '☑' : '☐'}
    </span>
  ),
  pre: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable
    <pre tabIndex={0}>{children}</pre>
  ),
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable
    <div className="wide" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};
