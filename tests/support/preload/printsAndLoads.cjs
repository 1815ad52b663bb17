/**
 * Preloaded by a server under test. Tells of each native module that is loaded, on standard error; and prints as libraries do,
 * by the console and to standard output itself, whenever JSON is read.
 */

const { dlopen } = process;
process.dlopen = (module, path, ...flags) => {
  process.stderr.write(`native module ${path}\n`);
  return dlopen(module, path, ...flags);
};

const { parse } = JSON;
let isPrinting = false;
JSON.parse = (...given) => {
  const value = parse(...given);
  if (!isPrinting && value?.jsonrpc) {
    isPrinting = true;
    console.log('printed by the console');
    console.dir({ printed: 'as an object' });
    process.stdout.write('printed to standard output\n');
    isPrinting = false;
  }
  return value;
};
