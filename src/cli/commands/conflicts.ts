/** Conflicts that a person has to settle. */

import { Command } from 'commander';
import type { Json } from '@/core/protocol';
import { columnsOf } from '@/domain/schema';
import type { Settlement, Side } from '@/lib/watermelon/sync';
import { MachineFailure, wrongUsage } from '@/machine/errors';
import type { ListedConflict } from '@/machine/setAside';
import { requireYes } from '../prompt';
import { type CommonOptions, runAs, runWriting, type Session } from '../run';
import { conflictText, nameText } from '../setAsideText';

interface SettleOptions extends CommonOptions {
  mine?: string | true;
  theirs?: string | true;
  value?: string[];
}

export function addConflictsCommand(program: Command): void {
  const conflicts = new Command('conflicts').description(
    'Edits of yours and of others that contradict each other.',
  );
  conflicts
    .command('list', { isDefault: true })
    .description('Those that wait for a decision, with both values. Does so without a word, too.')
    .option('--all', 'values that were lost to others, too: they are kept on this machine alone')
    .action(list);
  conflicts
    .command('settle')
    .description('Choose the values of a conflict: of one side, field by field, or others.')
    .argument('<conflict>', 'its number or id in the list, or the key of its task')
    .option('--mine [fields]', 'your values; of these fields, with commas between, else of all')
    .option('--theirs [fields]', 'the values of the others; as above')
    .option('--value <field=value>', 'another value of a field; may be repeated', repeated, [])
    .action(settle);
  conflicts
    .command('discard')
    .description('Forget values that cannot be settled any more, for good.')
    .argument('<conflict>', 'its number or id in the list of --all')
    .option('--yes', 'do not ask')
    .action(discard);
  program.addCommand(conflicts);
}

const repeated = (value: string, before: string[]) => [...before, value];

function list(options: CommonOptions & { all?: boolean }): Promise<void> {
  return runAs(options, async ({ device, print }) => {
    const { conflictsOf } = await import('@/machine/setAside');
    const found = (await conflictsOf(device)).filter(({ open }) => open || options.all);
    print.result(found, () =>
      found.length === 0 ? 'Nothing contradicts.' : found.map(conflictText).join('\n\n'),
    );
    if (found.some(({ open }) => open)) {
      print.note('Settle one by: convoy conflicts settle <id> --mine | --theirs | --value <field=value>');
    }
  });
}

async function named({ device }: Session, reference: string): Promise<ListedConflict> {
  const { conflictsOf, entryNamed } = await import('@/machine/setAside');
  const found = await conflictsOf(device);
  return entryNamed('conflict', found, reference, ({ conflict_id, key }) => [conflict_id, key]);
}

function settle(reference: string, options: SettleOptions): Promise<void> {
  return runWriting(options, async (session) => {
    const entry = await named(session, reference);
    if (!entry.open) throw refused('This entry is not open. Its values can be kept here, or discarded.');
    const isSettled = await session.device.settleConflict(entry.conflict_id, settlementOf(entry, options));
    if (!isSettled) throw refused(`The ${entry.noun} is gone: nothing is left to decide. Discard the entry.`);
    session.print.result(
      { settled: entry.conflict_id, key: entry.key },
      `The conflict about the ${entry.noun} ${nameText(entry)} is settled.`,
    );
  });
}

/** @throws MachineFailure `usage` where a field that is open gets no value, or two */
function settlementOf(entry: ListedConflict, options: SettleOptions): Settlement {
  const { mine, theirs, value: given = [] } = options;
  if (mine === true && theirs === true)
    throw wrongUsage('Choose --mine or --theirs, or name the fields of each.');
  const values = Object.fromEntries(given.map((one) => givenValue(entry, one)));
  const sides: Record<string, Side> = {};
  const choose = (name: string, side: Side) => {
    if (!entry.fields.some((field) => field.name === name)) throw unknownField(entry, name);
    if (name in sides || name in values) throw wrongUsage(`${name} is chosen twice. Choose it once.`);
    sides[name] = side;
  };
  for (const [side, names] of Object.entries({ mine, theirs })) {
    if (typeof names !== 'string') continue;
    for (const name of names.split(',')) choose(name.trim(), side as Side);
  }
  const rest = mine === true ? 'mine' : theirs === true ? 'theirs' : null;
  const chosenUnits = new Set(
    [...Object.keys(sides), ...Object.keys(values)].map((name) => unitOf(entry, name)),
  );
  const left = entry.fields.filter(({ name, open }) => open && !chosenUnits.has(unitOf(entry, name)));
  if (rest === null && left.length > 0) {
    const names = left.map(({ name }) => name).join(', ');
    throw wrongUsage(`Nothing is chosen for ${names}. Add --mine, --theirs, or --value <field=value>.`);
  }
  if (rest !== null && chosenUnits.size === 0) return rest;
  for (const { name } of rest === null ? [] : left) sides[name] ??= rest as Side;
  return { sides, values };
}

/** Columns that merge as one count as one. */
const unitOf = ({ table }: ListedConflict, name: string) => columnsOf(table)[name]?.unit ?? name;

function givenValue(entry: ListedConflict, given: string): [string, Json] {
  const at = given.indexOf('=');
  const [name, text] = at < 0 ? [given, ''] : [given.slice(0, at), given.slice(at + 1)];
  if (at < 0) throw wrongUsage(`"${given}" names no value. Write it as in: --value title="A title"`);
  const kind = columnsOf(entry.table)[name]?.kind;
  if (kind === undefined) throw unknownField(entry, name);
  if (kind === 'number') return [name, text.trim() === '' ? text : Number(text)];
  if (text === '' && columnsOf(entry.table)[name]?.optional) return [name, null];
  if (kind !== 'json') return [name, text];
  try {
    return [name, JSON.parse(text) as Json];
  } catch {
    throw wrongUsage(`The value of ${name} is no JSON. Write it as in: --value '${name}={"a": 1}'`);
  }
}

function discard(reference: string, options: CommonOptions & { yes?: boolean }): Promise<void> {
  return runAs(options, async (session) => {
    const entry = await named(session, reference);
    await requireYes(`Discard your values of the ${entry.noun} ${nameText(entry)} for good?`, options);
    const isDiscarded = await session.device.discardLost(entry.conflict_id);
    if (!isDiscarded) throw refused('You can still settle this conflict: convoy conflicts settle.');
    session.print.result({ discarded: entry.conflict_id }, 'Discarded.');
  });
}

function unknownField({ fields }: ListedConflict, name: string): MachineFailure {
  return wrongUsage(
    `${name} is no field of this conflict. Its fields are: ${fields.map((field) => field.name).join(', ')}.`,
  );
}

function refused(message: string): MachineFailure {
  return new MachineFailure({ kind: 'machine', code: 'bad_choice', message });
}
