/** The options of the project's own commands. */

import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Reads the options of this process. `--help` tells which there are; so does one that is unknown, or has no value, and the process
 * ends with 2.
 * @param config as `parseArgs` of node:util takes it
 */
export function readOptions<Config extends ParseArgsConfig>(config: Config) {
  try {
    const help = parseArgs({
      args: process.argv.slice(2),
      strict: false,
      options: { help: { type: 'boolean' } },
    });
    if (help.values.help !== true) return parseArgs<Config>(config);
    console.log(usageOf(config));
    process.exit(0);
  } catch (fault) {
    if (!(fault instanceof TypeError && 'code' in fault && String(fault.code).startsWith('ERR_PARSE_ARGS')))
      throw fault;
    console.error(`${fault.message}\n${usageOf(config)}`);
    process.exit(2);
  }
}

function usageOf({ options = {}, allowPositionals }: ParseArgsConfig): string {
  const named = Object.entries(options).map(([name, { type }]) =>
    type === 'string' ? `[--${name} VALUE]` : `[--${name}]`,
  );
  return ['Options:', ...named, ...(allowPositionals ? ['[NAME …]'] : [])].join(' ');
}
