/** A class that no stylesheet knows looks right in the code and wrong on the screen; one that nothing wears is left behind. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { sourcesOf } from '../../support/wrappedErrors';

const WEB = 'src/web';
/** Made by libraries. */
const FOREIGN = new Set(['contains-task-list']);

const sheets = readdirSync(WEB, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.css'))
  .map((path) => [basename(path), classesIn(readFileSync(join(WEB, path), 'utf8'))] as const);
const sources = sourcesOf(WEB).map(([path, text]) => wornIn(path, text));

/** The classes that a stylesheet names. */
function classesIn(css: string): Set<string> {
  const rules = css.replace(/\/\*[\s\S]*?\*\//g, '');
  return new Set([...rules.matchAll(/\.([a-z_][\w-]*)/gi)].map(([, name]) => name as string));
}

interface Worn {
  path: string;
  /** Names that an element wears. */
  global: string[];
  /** Beginnings of names that are put together. */
  prefixes: string[];
  /** Of modules: the stylesheet and the name. */
  ofModules: [sheet: string, name: string][];
  /** Every text, in which a name may be that an element wears by a detour. */
  texts: string[];
}

function wornIn(path: string, text: string): Worn {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const worn: Worn = { path, global: [], prefixes: [], ofModules: [], texts: [] };
  const modules = new Map<string, string>();
  const take = (part: string, isCut: boolean) => {
    const names = part.split(/\s+/).filter((name) => name !== '');
    if (isCut && /\S$/.test(part)) worn.prefixes.push(names.pop() as string);
    worn.global.push(...names);
  };
  const visit = (node: ts.Node, isClass: boolean) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && node.importClause?.name) {
      const sheet = basename(node.moduleSpecifier.text);
      if (sheet.endsWith('.module.css')) modules.set(node.importClause.name.text, sheet);
    }
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      worn.texts.push(node.text);
      if (isClass) take(node.text, ts.isTemplateHead(node) || ts.isTemplateMiddle(node));
    }
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const sheet = modules.get(node.expression.text);
      if (sheet) worn.ofModules.push([sheet, node.name.text]);
    }
    const isWorn = ts.isJsxAttribute(node) && node.name.getText(source) === 'className';
    // Texts that choose a class are none: those compared, and those that name a property.
    const chooses =
      ts.isBinaryExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node);
    ts.forEachChild(node, (child) => visit(child, isWorn || (isClass && !chooses)));
  };
  visit(source, false);
  return worn;
}

describe('the classes of the web app', () => {
  it('are known to a stylesheet where an element wears them', () => {
    const known = new Set(
      sheets.filter(([sheet]) => !sheet.endsWith('.module.css')).flatMap(([, all]) => [...all]),
    );
    const modules = new Map(sheets);
    expect(known.size).toBeGreaterThan(100);
    const unknown = sources.flatMap(({ path, global, ofModules }) => [
      ...global.filter((name) => !known.has(name)).map((name) => `${path} ${name}`),
      ...ofModules
        .filter(([sheet, name]) => !modules.get(sheet)?.has(name))
        .map((parts) => `${path} ${parts.join(' ')}`),
    ]);
    expect(unknown).toEqual([]);
  });

  it('are worn by an element where a stylesheet knows them', () => {
    // Values of the domain are names of classes, too.
    const all = [...sources, ...sourcesOf('src/domain').map(([path, text]) => wornIn(path, text))];
    const words = new Set(all.flatMap(({ texts }) => texts.flatMap((text) => text.split(/[\s.]+/))));
    const prefixes = sources.flatMap((source) => source.prefixes);
    const ofModules = new Set(sources.flatMap((source) => source.ofModules.map((parts) => parts.join(' '))));
    const idle = sheets.flatMap(([sheet, all]) =>
      [...all]
        .filter((name) => !FOREIGN.has(name) && !words.has(name) && !ofModules.has(`${sheet} ${name}`))
        .filter((name) => !prefixes.some((prefix) => name.startsWith(prefix)))
        .map((name) => `${sheet} ${name}`),
    );
    expect(idle).toEqual([]);
  });

  it('are found where they are missing', () => {
    const { global, prefixes, ofModules } = wornIn(
      'planted.tsx',
      `import styles from './Planted.module.css';
       const a = <p className={\`card \${isBig ? 'big' : 'small'} tone-\${tone}\`} />;
       const b = <p className={kind === 'other' ? styles.here : 'there'} />;`,
    );
    expect(global).toEqual(['card', 'big', 'small', 'there']);
    expect(prefixes).toEqual(['tone-']);
    expect(ofModules).toEqual([['Planted.module.css', 'here']]);
    expect([...classesIn('.a-b:hover, ul > .c { margin: 0.5rem } /* .d */')]).toEqual(['a-b', 'c']);
  });
});
