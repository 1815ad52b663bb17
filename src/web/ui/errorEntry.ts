/** The form of the entries of `errorTable.ts`. */

import type { AppError } from '@/core/errors';
import type { RejectionCode } from '@/core/protocol';

export interface ErrorEntry {
  /** The event, in a sentence. */
  headline: string;
  /** Its meaning for the reader's work, and the way out. */
  detail: string;
  /** The error's own sentence names the record, field or limit, so it stands in for the headline. */
  prefersMessage?: true;
  /** The error's own sentence holds the cause in technical terms. */
  isTechnical?: true;
}

export type ErrorKind = AppError['kind'];

/**
 * A rejection's code comes off the wire as text; the quarantine adds `blocked`, `uncertain`, `unreadable`, `too_large` and `too_slow`,
 * the sign-in `credentials`, the ledger `unconfirmed_checkpoint`, invitations `no_invitation` and `unconfirmed_address`.
 */
export type CodeOf<K extends ErrorKind> = K extends 'rejected'
  ?
      | RejectionCode
      | 'blocked'
      | 'uncertain'
      | 'unreadable'
      | 'too_large'
      | 'too_slow'
      | 'credentials'
      | 'unconfirmed_checkpoint'
      | 'no_invitation'
      | 'unconfirmed_address'
  : Extract<AppError, { kind: K }>['code'];
