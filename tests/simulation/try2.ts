import { readFileSync } from 'node:fs';
import { run } from './run';
import { SimServer } from './server';

const server = await SimServer.start();
for (const file of process.argv.slice(2)) {
  const { program } = JSON.parse(readFileSync(file, 'utf8'));
  console.log(file, (await run(server, program)).violations);
}
process.exit(0);
