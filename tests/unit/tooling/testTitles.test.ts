/** Titles of tests begin with what happens and end with the rules and promises that prove it. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

const ID = String.raw`(?:[SPURDKCNTAYVFXI]\d+|P-[A-Z]+)`;
const BEGINS_WITH_ID = new RegExp(`^${ID}\\b`);
const CITED_AT_THE_END = new RegExp(` \\((${ID}(?:, ${ID})*)\\)$`);

/** The function that a call such as `it.each(rows)(title, body)` belongs to. */
function calledName(expression: ts.Expression): string {
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression)) {
    return calledName(expression.expression);
  }
  return ts.isIdentifier(expression) ? expression.text : '';
}

/** The text of a title; a placeholder of a template stands as `…`. */
function titleText(node: ts.Expression | undefined): string | null {
  if (node && ts.isStringLiteralLike(node)) return node.text;
  if (!node || !ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}

function titlesOf(source: string, file = 'titles.ts'): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) && ['describe', 'it', 'test'].includes(calledName(node.expression))) {
      const title = titleText(node.arguments[0]);
      if (title !== null) titles.push(title);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return titles;
}

const RULES = new Set([
  ...['docs/sync-spec.md', 'docs/work-model.md'].flatMap((file) =>
    [...read(file).matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map(([, rule]) => rule),
  ),
  ...[...read('README.md').matchAll(/^- \*\*(P-[A-Z]+)\*\*/gm)].map(([, promise]) => promise),
]);
const TITLES = readdirSync(`${root}/tests`, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .flatMap((file) => titlesOf(read(`tests/${file}`), file).map((title) => ({ file, title })));

const wellPlaced = (title: string) => !new RegExp(`\\b${ID}\\b`).test(title.replace(CITED_AT_THE_END, ''));
const unknownRules = (title: string) =>
  (CITED_AT_THE_END.exec(title)?.[1]?.split(', ') ?? []).filter((id) => !RULES.has(id));

describe('the titles of the tests', () => {
  it('begin with no rule and cite rules at the end alone', () => {
    expect(TITLES.length).toBeGreaterThan(800);
    expect(TITLES.filter(({ title }) => BEGINS_WITH_ID.test(title))).toEqual([]);
    expect(TITLES.filter(({ title }) => !wellPlaced(title))).toEqual([]);
  });

  it('cite rules of docs/sync-spec.md and docs/work-model.md, and promises of README.md', () => {
    expect(RULES.size).toBeGreaterThan(100);
    expect(TITLES.filter(({ title }) => unknownRules(title).length > 0)).toEqual([]);
  });

  it('are found in tables and templates, and judged by their place', () => {
    const source = `it.each(rows)('U1: one', f); describe(\`two \${name} (U2, P-ONCE)\`, f); it('three (U999)', f);`;
    const titles = titlesOf(source);
    expect(titles).toEqual(['U1: one', 'two … (U2, P-ONCE)', 'three (U999)']);
    expect(titles.map(wellPlaced)).toEqual([false, true, true]);
    expect(titles.flatMap(unknownRules)).toEqual(['U999']);
  });
});
