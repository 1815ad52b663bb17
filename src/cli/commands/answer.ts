/** `convoy answer`: answers a question that somebody asked the user on a task. */

import type { Command } from 'commander';
import { type Comment, waitsForAnswer } from '@/domain/comments';
import { MachineFailure } from '@/machine/errors';
import { oneLine, shortId, taskNamed } from '@/machine/records';
import { readPiped } from '../prompt';
import { type CommonOptions, runWriting } from '../run';
import { taskText } from '../taskText';

interface AnswerOptions extends CommonOptions {
  question?: string;
}

export function addAnswerCommand(program: Command): void {
  program
    .command('answer')
    .description('Answer a question to you on a task.')
    .argument('<task>', 'key or id')
    .argument('[text]', 'Markdown; absent: standard input')
    .option('--question <id>', 'which one, where several wait for you')
    .action(answer);
}

function answer(reference: string, text: string | undefined, options: AnswerOptions): Promise<void> {
  return runWriting(options, async ({ device, link, print, profile }) => {
    const service = device.contextService;
    const task = await taskNamed(service, reference, link);
    const question = questionNamed(await service.getComments(task.id), profile.userId, options.question);
    const written = await service.answerQuestion(question.id, text ?? (await readPiped()));
    print.result(written, `Answered on ${taskText(task)}: ${oneLine(question.text, 80)}`);
  });
}

/**
 * @param comments of a task
 * @param named id of the question, or the end of it; absent: the only one that waits for the user
 * @throws MachineFailure `not_found`, `ambiguous`
 */
export function questionNamed(comments: readonly Comment[], userId: string, named?: string): Comment {
  const waiting = comments.filter((one) => waitsForAnswer(one, userId));
  const wanted = named?.trim().toLowerCase();
  const fits =
    wanted === undefined
      ? waiting
      : comments.filter(
          ({ kind, id, is_deleted }) =>
            kind === 'question' && !is_deleted && [id, shortId(id)].includes(wanted),
        );
  const [only, another] = fits;
  if (only && !another) return only;
  const known = (only ? fits : waiting).map(
    ({ id, text }) => `${only && wanted ? id : shortId(id)} ${oneLine(text, 60)}`,
  );
  const code = only ? 'ambiguous' : 'not_found';
  const reason = only
    ? 'Several questions wait for you here. Name one by --question.'
    : named === undefined
      ? 'No question waits for you on this task.'
      : `There is no question "${oneLine(named, 60)}" on this task.`;
  throw new MachineFailure({ kind: 'machine', code, message: [reason, ...known].join('\n  ') });
}
