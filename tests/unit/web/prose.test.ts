import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Prose } from '@/web/ui/Prose';

const html = (text: string) =>
  renderToStaticMarkup(createElement(Prose, { text })).replace(/^<div[^>]*>|<\/div>$/g, '');

describe('long text on screen', () => {
  it('has headings, lists, code and emphasis', () => {
    expect(html('## What\n\nUse `sync()`, **always**.')).toBe(
      '<section><h3>What</h3></section><p>Use <code>sync()</code>, <strong>always</strong>.</p>',
    );
    expect(html('- one\n- two')).toBe('<ul><li>one</li><li>two</li></ul>');
    expect(html('1. one\n2. two')).toBe('<ol><li>one</li><li>two</li></ol>');
  });

  it('never becomes HTML by itself', () => {
    expect(html('<img src=x onerror=alert(1)>')).toBe('<p>&lt;img src=x onerror=alert(1)&gt;</p>');
  });
});
