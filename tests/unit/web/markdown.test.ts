import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Elements } from '@/web/markdown/Elements';
import { MOST_LEVELS, MOST_NODES, parseMarkdown } from '@/web/markdown/parse';
import { isPlain, MOST_PARAGRAPHS, paragraphsOf } from '@/web/markdown/plain';

function html(text: string): string {
  const tree = parseMarkdown(text);
  if (!tree) throw new Error('The text has no tree.');
  return renderToStaticMarkup(createElement(Elements, { tree })).replaceAll('\n', '');
}

describe('text as Markdown', () => {
  it('has headings below those of the screen, lists, code, links and tables', () => {
    expect(html('## What\n\nUse `sync()`, **always**.')).toBe(
      '<h3>What</h3><p>Use <code>sync()</code>, <strong>always</strong>.</p>',
    );
    expect(html('- one\n- two')).toBe('<ul><li>one</li><li>two</li></ul>');
    expect(html('3. one\n4. two')).toBe('<ol start="3"><li>one</li><li>two</li></ol>');
    expect(html('```ts\nconst a = `b`;\n```')).toBe(
      '<pre tabindex="0"><code class="language-ts">const a = `b`;</code></pre>',
    );
    expect(html('> said')).toBe('<blockquote><p>said</p></blockquote>');
    expect(html('https://convoy.example/a')).toBe(
      '<p><a href="https://convoy.example/a" target="_blank" rel="noopener noreferrer nofollow">https://convoy.example/a</a></p>',
    );
    expect(html('|a|\n|-|\n|b|')).toContain('<div class="wide" tabindex="0"><table>');
  });

  it('tells of each checkbox whether it is done, and none can be pressed', () => {
    const shown = html('- [x] plan\n- [ ] code');
    expect(shown).toContain('<span class="check" role="img" aria-label="done">');
    expect(shown).toContain('<span class="check" role="img" aria-label="not done">');
    expect(shown).not.toContain('<input');
  });

  it.each([
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    'a <b onclick="alert(1)">b</b>',
    '<iframe src="https://convoy.example"></iframe>\n\n<style>*{display:none}</style>',
  ])('shows HTML as text: %s', (text) => {
    const shown = html(text);
    expect(shown).toContain('&lt;');
    expect(shown.replaceAll(/<\/?p>/g, '')).not.toContain('<');
  });

  it.each(['javascript:alert(1)', 'data:text/html,<b>', 'vbscript:x', 'JaVaScRiPt:alert(1)'])(
    'links to no %s',
    (address) => {
      expect(html(`[press](${address}) ![see](${address})`)).not.toMatch(/(href|src)="[^"]/);
    },
  );

  it.each(['irc:host', 'xmpp:somebody@host', '/join', '../docs', '#top', '?a=b', '//host/path', ''])(
    'links to nothing of this app, and starts no program: "%s"',
    (address) => {
      expect(html(`[press](${address}) ![see](${address})`)).not.toContain('<a');
    },
  );

  it('has footnotes that open no screen of this app', () => {
    const shown = html('Said[^1].\n\n[^1]: There.');
    expect(shown).toContain('There.');
    expect(shown).not.toContain('<a');
  });

  it('fetches no image: it is a link', () => {
    const shown = html('![a chart](https://tracker.example/pixel.png)');
    expect(shown).not.toContain('<img');
    expect(shown).toContain('href="https://tracker.example/pixel.png"');
  });

  it('has no tree where it is too deep or too large to be shown', () => {
    expect(parseMarkdown('> '.repeat(10_000))).toBeNull();
    expect(parseMarkdown('> '.repeat(MOST_LEVELS + 1))).toBeNull();
    expect(parseMarkdown('*a*\n\n'.repeat(MOST_NODES / 2))).toBeNull();
    expect(parseMarkdown('> '.repeat(MOST_LEVELS / 2))).not.toBeNull();
  });
});

describe('a text that is shown as it was typed', () => {
  it('has nothing of Markdown', () => {
    const marked = [
      '- one',
      'a\n  - b',
      '\t1. one',
      '2) two',
      'a\n\n    code',
      'a\n---',
      'a *b*',
      'www.a.example',
    ];
    for (const text of marked) expect(isPlain(text), text).toBe(false);
    for (const text of ['', 'One - two.', 'In 2026. Yes', 'a\n\nb', '-1'])
      expect(isPlain(text), text).toBe(true);
  });

  // Looked through from each line anew, the first two take minutes.
  it('is found to be so in a step for each character', () => {
    for (const piece of ['\n', ' \n', ' ', '1', '1\n', '-']) {
      expect(isPlain(`a${piece.repeat(100_000 / piece.length)}a`), JSON.stringify(piece)).toBe(true);
    }
  });

  it('becomes a bounded number of elements, and loses nothing', () => {
    const text = Array.from({ length: 30_000 }, (_, n) => n).join('\n\n');
    const shown = paragraphsOf(text);
    expect(shown).toHaveLength(MOST_PARAGRAPHS + 1);
    expect(shown.map(([, paragraph]) => paragraph).join('\n\n')).toBe(text);
  });
});
