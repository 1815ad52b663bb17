import { makeProgram } from './program';
import { run } from './run';
import { SimServer } from './server';
import { shrink } from './shrink';

const [from = '1', count = '5', mode] = process.argv.slice(2);
const t0 = process.hrtime.bigint();
const server = await SimServer.start();
console.log('boot', Number(process.hrtime.bigint() - t0) / 1e6);
let total = 0,
  ops = 0;
for (let seed = Number(from); seed < Number(from) + Number(count); seed += 1) {
  const c0 = process.cpuUsage();
  const program = makeProgram(seed);
  const outcome = await run(server, program);
  const u = process.cpuUsage(c0);
  const ms = Math.round((u.user + u.system) / 1000);
  total += ms;
  ops += outcome.operations;
  if (mode !== 'quiet' || outcome.violations.length > 0)
    console.log(
      seed,
      ms,
      'ms',
      outcome.operations,
      'ops',
      outcome.faults,
      'faults',
      outcome.steps,
      'steps',
      outcome.violations.slice(0, 3),
    );
  if (mode === 'shrink' && outcome.violations[0]) {
    const small = await shrink(program, outcome.violations[0].rule, (p) => run(server, p));
    console.log(JSON.stringify({ ...small, steps: undefined }));
    for (const step of small.steps) console.log(JSON.stringify(step));
    process.env.SIM_TRACE = '1';
    console.log((await run(server, small)).violations.slice(0, 4));
    delete process.env.SIM_TRACE;
  }
}
console.log('average', total / Number(count), 'ms', ops / Number(count), 'operations');
process.exit(0);
