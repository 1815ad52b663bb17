/** The inbox by way of the server's function; see `domain/inbox.ts`. What devices set aside is not the server's to know. */

import { ConvoyError } from '@/core/errors';
import { storedTime } from '@/core/text';
import { type Inbox, type InboxFacts, type InboxMessage, inboxOf } from '@/domain/inbox';
import type { RemoteRecords } from './records';

export async function remoteInbox(records: RemoteRecords, userId: string): Promise<Inbox> {
  const answer = (await records.call('get_inbox', {})) as Partial<InboxFacts> | null;
  const { reviews, questions, mentions, is_cut } = answer ?? {};
  if (!Array.isArray(reviews) || !Array.isArray(questions) || !Array.isArray(mentions)) throw malformed();
  const facts: InboxFacts = {
    reviews: (reviews as InboxFacts['reviews']).map(({ request, updated_at, ...rest }) => ({
      ...rest,
      updated_at: timeOf(updated_at),
      request: request && { ...request, requested_at: timeOf(request.requested_at) },
    })),
    questions: (questions as InboxMessage[]).map(message),
    mentions: (mentions as InboxMessage[]).map(message),
    is_cut: is_cut === true,
  };
  return inboxOf(facts, userId);
}

function message({ task, since, ...rest }: InboxMessage): InboxMessage {
  const { id, workspace_id, key, title } = task;
  return { ...rest, task: { id, workspace_id, key, title }, since: timeOf(since) };
}

function timeOf(text: string): string {
  const time = storedTime(text);
  if (time === null) throw malformed();
  return time;
}

function malformed(): ConvoyError {
  const text =
    'The answer of the server is not in the expected form. Try again; if it persists, update the app.';
  return new ConvoyError({ kind: 'protocol', code: 'malformed', message: text });
}
