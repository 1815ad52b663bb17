/** The limit of a tool over stdio: a Node process that answers each request with the same text, at once. `--once` prints it and ends. */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [path, once] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');
if (once) process.stdout.write(text);
else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id } = JSON.parse(line);
    process.stdout.write(
      `${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })}\n`,
    );
  }
}
