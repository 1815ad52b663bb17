/** Changes that the server refused, and values that had to leave the device. */

import { Command } from 'commander';
import { count } from '@/core/count';
import { MachineFailure, wrongUsage } from '@/machine/errors';
import type { ListedGroup } from '@/machine/setAside';
import { EXIT } from '../exits';
import { requireYes } from '../prompt';
import { type CommonOptions, runAs, runWriting, type Session } from '../run';
import { groupText, nameText } from '../setAsideText';

export function addRefusedCommand(program: Command): void {
  const refused = new Command('refused').description('Changes of yours that the server did not take.');
  refused
    .command('list', { isDefault: true })
    .description('Them, with the reason. Does so without a word, too.')
    .action(list);
  refused
    .command('retry')
    .description('Make a refused change again, with those refused together with it.')
    .argument('[change]', 'its number or id in the list, or the key of its task')
    .option('--all', 'all of them')
    .action(retry);
  refused
    .command('discard')
    .description('Forget a change, with those refused together with it, for good.')
    .argument('<change>', 'its number or id in the list, or the key of its task')
    .option('--yes', 'do not ask')
    .action(discard);
  program.addCommand(refused);
}

function list(options: CommonOptions): Promise<void> {
  return runAs(options, async ({ device, print }) => {
    const { refusedOf } = await import('@/machine/setAside');
    const found = await refusedOf(device);
    print.result(found, () =>
      found.length === 0 ? 'The server has refused nothing.' : found.map(groupText).join('\n\n'),
    );
    if (found.length > 0) print.note('convoy refused retry <id>, or discard <id>');
  });
}

async function named({ device }: Session, reference: string): Promise<ListedGroup> {
  const { refusedOf, entryNamed } = await import('@/machine/setAside');
  const namesOf = ({ ids, changes }: ListedGroup) => [...ids, ...changes.map(({ key }) => key)];
  return entryNamed('refused change', await refusedOf(device), reference, namesOf);
}

function retry(reference: string | undefined, options: CommonOptions & { all?: boolean }): Promise<void> {
  return runWriting(options, async (session) => {
    const { device, print } = session;
    const groups = await chosen(session, reference, options.all === true);
    const retried: string[] = [];
    const left: string[] = [];
    for (const { change_id } of groups) {
      ((await device.retryQuarantined(change_id)) ? retried : left).push(change_id);
    }
    if (left.length > 0) process.exitCode = EXIT.failed;
    const gone =
      'Some stay: their record is not on this device any more. They can be retried when it is, or discarded.';
    print.result({ retried, left }, left.length === 0 ? 'Made again.' : gone);
  });
}

async function chosen(session: Session, reference: string | undefined, all: boolean): Promise<ListedGroup[]> {
  if (all === (reference !== undefined)) {
    throw wrongUsage('Name a change by its id in the list, or say --all.');
  }
  if (reference === undefined) {
    const { refusedOf } = await import('@/machine/setAside');
    return (await refusedOf(session.device)).filter(({ state }) => state === 'refused');
  }
  const group = await named(session, reference);
  if (group.state === 'refused') return [group];
  throw bad(`It cannot be made again: ${group.message} Read its values by: convoy refused --json`);
}

function discard(reference: string, options: CommonOptions & { yes?: boolean }): Promise<void> {
  return runAs(options, async (session) => {
    const { device, print } = session;
    const { state, change_id, ids, changes } = await named(session, reference);
    const [first] = changes;
    const rest = changes.length > 1 ? `, and ${count(changes.length - 1, 'change')} with it` : '';
    const what = first ? `${first.verb} the ${first.noun} ${nameText(first)}` : 'a change';
    await requireYes(`Discard for good: ${what}${rest}?`, options);
    if (state === 'archived') await device.discardArchived(ids);
    else await device.discardQuarantined(change_id);
    print.result({ discarded: ids }, 'Discarded.');
  });
}

function bad(message: string): MachineFailure {
  return new MachineFailure({ kind: 'machine', code: 'bad_choice', message });
}
