/** Finds typed errors that lose their type: put into a plain `Error`, of which only the text is left. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const PLAIN = /^(Error|TypeError|RangeError|AggregateError)$/;

/** Source files below a folder, by path. */
export function sourcesOf(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => [join(folder, path), readFileSync(join(folder, path), 'utf8')]);
}

/**
 * @returns the places, as `path:line`, that make a plain error of another one's text: `new Error(x.message)`,
 * `new Error(String(caught))`. Not those of `x instanceof Error ? x : new Error(String(x))`, which passes a typed
 * error on as it is.
 */
export function wrappedErrors(path: string, text: string): string[] {
  if (!text.includes('Error(')) return [];
  const source = parse(path, text);
  const found: string[] = [];
  const visit = (node: ts.Node, caught: ReadonlySet<string>) => {
    const known = new Set([...caught, ...caughtBy(node)]);
    if (isPlainError(node) && !isNormalized(node) && node.arguments?.some((arg) => tellsOf(arg, known))) {
      found.push(place(source, node));
    }
    ts.forEachChild(node, (child) => visit(child, known));
  };
  visit(source, new Set());
  return found;
}

/** @returns the places that read a `message`, with the expression it is read of: `path:line error`. */
export function readMessages(path: string, text: string): string[] {
  if (!text.includes('message')) return [];
  const source = parse(path, text);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'message') {
      found.push(`${place(source, node)} ${node.expression.getText(source)}`);
    }
    if (ts.isBindingElement(node) && (node.propertyName ?? node.name).getText(source) === 'message') {
      found.push(`${place(source, node)} destructured`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function place(source: ts.SourceFile, node: ts.Node): string {
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`;
}

function isPlainError(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    ts.isIdentifier(node.expression) &&
    PLAIN.test(node.expression.text)
  );
}

/** Names that hold an error in the code below this node: of a catch clause, and of a rejection handler. */
function caughtBy(node: ts.Node): string[] {
  if (ts.isCatchClause(node))
    return node.variableDeclaration ? [node.variableDeclaration.name.getText()] : [];
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
  const { text } = node.expression.name;
  const handler = text === 'catch' ? node.arguments[0] : text === 'then' ? node.arguments[1] : undefined;
  if (!handler || !(ts.isArrowFunction(handler) || ts.isFunctionExpression(handler))) return [];
  return handler.parameters.slice(0, 1).map(({ name }) => name.getText());
}

/** Whether an expression takes its value from an error. */
function tellsOf(node: ts.Node, caught: ReadonlySet<string>): boolean {
  if (ts.isPropertyAccessExpression(node) && /^(message|detail|error|reason)$/.test(node.name.text))
    return true;
  if (ts.isIdentifier(node) && (caught.has(node.text) || node.text === 'error')) return true;
  return ts.forEachChild(node, (child) => tellsOf(child, caught) || undefined) ?? false;
}

/** `x instanceof Error ? x : new Error(…)` */
function isNormalized(node: ts.Node): boolean {
  const { parent } = node;
  if (!ts.isConditionalExpression(parent) || parent.whenFalse !== node) return false;
  const { condition } = parent;
  return (
    ts.isBinaryExpression(condition) &&
    condition.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword &&
    condition.right.getText() === 'Error' &&
    parent.whenTrue.getText() === condition.left.getText()
  );
}
