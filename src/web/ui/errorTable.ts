/** The words that people read about each kind and code of error: they stand here alone. */

import type { CodeOf, ErrorEntry, ErrorKind } from './errorEntry';

const KEPT = 'Your work is kept on this device';

/** The compiler demands an entry for every kind and code of `AppError`. */
export const ERROR_TEXTS: { readonly [K in ErrorKind]: { readonly [Code in CodeOf<K>]: ErrorEntry } } = {
  transport: {
    offline: {
      headline: 'The server cannot be reached.',
      detail: 'Everything on this device is safe. Check your connection and try again.',
    },
    timeout: {
      headline: 'The server did not answer in time.',
      detail: `${KEPT}. Try again in a moment.`,
    },
    rate_limited: {
      headline: 'The server gets too many requests from here.',
      detail: `${KEPT}. Wait a few minutes, then try again.`,
    },
    http: {
      headline: 'The server failed to handle the request.',
      detail: `${KEPT}. Try again; if it fails again, reload the page.`,
      isTechnical: true,
    },
  },
  auth: {
    expired: { headline: 'Your session has ended.', detail: `${KEPT}. Sign in again to sync it.` },
    signed_out: { headline: 'You are signed out.', detail: `${KEPT}. Sign in to sync it.` },
    wrong_user: {
      headline: 'Another account is signed in now.',
      detail: `${KEPT}. Sign in again to sync it.`,
    },
    forbidden: {
      headline: 'The server does not allow this.',
      detail: 'Nothing was changed there. Ask an owner of the workspace.',
    },
    bad_credentials: {
      headline: 'The email address or the password is wrong.',
      detail: 'Check both and try again.',
    },
    account_exists: {
      headline: 'This email address has an account already.',
      detail: 'Sign in instead.',
    },
    unconfirmed: {
      headline: 'Your account is not complete yet.',
      detail: 'Open the link in the message that was sent to your mailbox, then sign in.',
    },
  },
  protocol: {
    client_too_old: {
      headline: 'This page is too old for the server.',
      detail: `${KEPT}. Reload the page to get the newest version.`,
      isTechnical: true,
    },
    schema_mismatch: {
      headline: 'The server is too old for this page.',
      detail: `${KEPT}, and is sent once the server has been updated.`,
      isTechnical: true,
    },
    malformed: {
      headline: 'This page and the server do not understand each other.',
      detail: `${KEPT}. Reload the page and try again.`,
      isTechnical: true,
    },
    device_conflict: {
      headline: 'The server has other changes under the number of this device.',
      detail: `${KEPT}, and is sent again under a new number.`,
      isTechnical: true,
    },
    history_changed: {
      headline: 'The server was restored to another state.',
      detail: `${KEPT}. The next sync compares everything with the server.`,
      isTechnical: true,
    },
    too_large: {
      headline: 'The changes are too large to be sent at once.',
      detail: `${KEPT}, and is sent in smaller parts.`,
      isTechnical: true,
    },
  },
  storage: {
    quota: {
      headline: 'There is no room left on this device.',
      detail:
        'The last change was not saved; everything before it is safe. Free some space, then make the change again.',
      isTechnical: true,
    },
    corrupt: {
      headline: 'The data on this device is damaged.',
      detail:
        'Close other Convoy tabs and reload: unsynced changes are saved where they can be read, and the rest comes from the server.',
      isTechnical: true,
    },
    newer_schema: {
      headline: 'A newer version of Convoy has written this database.',
      detail:
        'Nothing was changed, and everything saved is safe. Copy what you have typed, then reload to get the newer version.',
      isTechnical: true,
    },
    no_migration: {
      headline: 'This database is too old for this version of Convoy.',
      detail: 'Nothing was changed. Open it once with an earlier version of Convoy, then try again.',
      isTechnical: true,
    },
    migration_failed: {
      headline: 'The database could not be brought to this version of Convoy.',
      detail: 'Nothing was changed: everything is as it was. Try again, or wait for a newer version.',
      isTechnical: true,
    },
    locked: {
      headline: 'Another tab or program is using the data on this device.',
      detail: 'Nothing was changed. Close other Convoy tabs and try again.',
      isTechnical: true,
    },
    overtaken: {
      headline: 'Another tab or program wrote to this database at the same time.',
      detail: 'Your change was not saved. Look at what is there now, and try again.',
    },
    unavailable: {
      headline: 'The data on this device cannot be read or written.',
      detail: 'Nothing was deleted. Reload the page and try again.',
      isTechnical: true,
    },
    not_loaded: {
      headline: 'A part of Convoy could not be loaded.',
      detail: 'Check your connection and try again; everything on this device is safe.',
      isTechnical: true,
    },
    session_kept: {
      headline: 'You are signed out, but your session is still stored on this device.',
      detail:
        'After the next start you may be signed in again. Free some space, then sign in and out once more.',
      isTechnical: true,
    },
    foreign_file: {
      headline: 'This file is not a database of this account.',
      detail:
        'Nothing was changed. Choose a file that Convoy saved while you were signed in to this account.',
      isTechnical: true,
    },
    unsynced_work: {
      headline: 'Some of your work is on this device only.',
      detail: 'Nothing was replaced. Sync it, or download it and discard it here, then try again.',
    },
  },
  validation: {
    required: {
      headline: 'A required value is missing.',
      detail: 'Nothing was saved yet.',
      prefersMessage: true,
    },
    too_long: { headline: 'A value is too long.', detail: 'Nothing was saved yet.', prefersMessage: true },
    bad_character: {
      headline: 'A text holds a character that cannot be stored.',
      detail: 'Nothing was saved yet.',
      prefersMessage: true,
    },
    bad_id: {
      headline: 'An id does not belong to a record of Convoy.',
      detail: 'Nothing was saved.',
      prefersMessage: true,
    },
    bad_value: {
      headline: 'A value is not allowed here.',
      detail: 'Nothing was saved yet.',
      prefersMessage: true,
    },
    unknown_stage: {
      headline: 'The workflow does not have this stage.',
      detail: 'Nothing was changed. Choose another stage.',
      prefersMessage: true,
    },
    unknown_field: {
      headline: 'This value cannot be changed.',
      detail: 'Nothing was saved. Reload the page and try again.',
      isTechnical: true,
    },
    not_found: {
      headline: 'This record is not there any more.',
      detail: 'Nothing was changed.',
      prefersMessage: true,
    },
    ambiguous: {
      headline: 'Several tasks are called so.',
      detail: 'Nothing was opened. Say which one is meant.',
      prefersMessage: true,
    },
    cycle: {
      headline: 'The tasks would wait for each other.',
      detail: 'Nothing was changed. Choose another task.',
      prefersMessage: true,
    },
    duplicate: {
      headline: 'This exists already.',
      detail: 'Nothing was changed.',
      prefersMessage: true,
    },
  },
  rejected: {
    forbidden: {
      headline: 'Your role in this workspace does not allow this.',
      detail: 'An owner of the workspace can change your role.',
      prefersMessage: true,
    },
    id_taken: {
      headline: 'The server has another record in the place of this one.',
      detail: 'Download your work to keep a copy, then discard the change.',
      isTechnical: true,
    },
    unknown_table: {
      headline: 'The server does not know this sort of record.',
      detail: 'Reload the page to get the newest version, then try again.',
      isTechnical: true,
    },
    unknown_column: {
      headline: 'The server does not take one of these values.',
      detail: 'Reload the page to get the newest version, then try again.',
      isTechnical: true,
    },
    malformed: {
      headline: 'The server does not understand this change.',
      detail: 'Reload the page to get the newest version, then try again.',
      isTechnical: true,
    },
    invalid_value: {
      headline: 'The server does not accept one of these values.',
      detail: 'Give it another value.',
      isTechnical: true,
    },
    too_long: {
      headline: 'A value is too long.',
      detail: 'Shorten it and save it again.',
      prefersMessage: true,
    },
    missing_parent: {
      headline: 'The record this one belongs to does not exist.',
      detail: 'Restore that one first, where you can.',
      prefersMessage: true,
    },
    unique: {
      headline: 'The same record exists already.',
      detail: 'The one on the server stays.',
      prefersMessage: true,
    },
    unknown_stage: {
      headline: 'The workflow does not have this stage.',
      detail: 'Choose another stage.',
      prefersMessage: true,
    },
    checkpoint: {
      headline: 'Only an owner or editor moves a task past a human checkpoint.',
      detail: 'The task stays in its stage until one of them does.',
    },
    cycle: {
      headline: 'The tasks would wait for each other.',
      detail: 'Choose another task.',
      prefersMessage: true,
    },
    last_owner: {
      headline: 'A workspace keeps at least one owner who is a person.',
      detail: 'Make another person an owner first.',
      prefersMessage: true,
    },
    needs_invitation: {
      headline: 'People join a workspace by accepting an invitation.',
      detail: 'Invite them on the page of the workspace.',
    },
    no_invitation: {
      headline: 'This invitation is not valid.',
      detail: 'It was used, has expired, is for another address, or was taken back. Ask for another one.',
    },
    unconfirmed_address: {
      headline: 'Confirm your e-mail address first: this invitation is for the person who has it.',
      detail: 'Open the link in the message that was sent to your mailbox, then open the invitation again.',
    },
    reserved_activity: {
      headline: 'Convoy writes this entry of the feed itself, with the change that it tells of.',
      detail: 'Discard it: the change it told of is not there.',
    },
    review_outdated: {
      headline: 'There is a newer request for review, or this one is settled.',
      detail: 'Look at the task as it is now.',
      prefersMessage: true,
    },
    text_changed: {
      headline: 'The text of the task has changed since the review was requested.',
      detail: 'Read it again. Ask for a new request where it is not what you agreed to.',
      prefersMessage: true,
    },
    unconfirmed_checkpoint: {
      headline: 'This moves a task past a human checkpoint.',
      detail: 'Look at the task, then confirm.',
      prefersMessage: true,
    },
    immutable: {
      headline: 'This value never changes once it is written.',
      detail: 'The value on the server stays.',
      prefersMessage: true,
    },
    nothing_to_restore: {
      headline: 'There is nothing left to restore.',
      detail: 'It has been restored already, or is gone for good.',
      prefersMessage: true,
    },
    group: {
      headline: 'Another change of the same action was refused.',
      detail: 'They are retried or discarded together.',
    },
    blocked: {
      headline: 'The change that this one builds on was refused.',
      detail: 'They are retried or discarded together.',
    },
    uncertain: {
      headline: 'It was sent long ago, and nobody knows whether it arrived.',
      detail: 'Others may have deleted it since. Look whether it is still wanted: retry it, or discard it.',
    },
    unreadable: {
      headline: 'Others changed it too, to something that this device cannot show.',
      detail: 'Update the app, or ask who changed it to change it again. Then retry, or discard it.',
    },
    too_large: {
      headline: 'This change is too large for the server.',
      detail:
        'It is not sent again by itself. Download your work to keep a copy, then discard it, or make it smaller.',
      isTechnical: true,
    },
    too_slow: {
      headline: 'The server could not make this change in the time it has.',
      detail: 'Other changes went through meanwhile. Retry it later, or make it smaller.',
    },
    credentials: {
      headline: 'The server does not take this email address or password.',
      detail: 'Change it and try again.',
      prefersMessage: true,
    },
    unexpected: {
      headline: 'The server could not make this change.',
      detail: 'Retry it; if it is refused again, download it and discard it.',
      isTechnical: true,
    },
  },
  conflict: {
    stale: {
      headline: 'Somebody else has changed this meanwhile.',
      detail: 'Nothing was saved. Look at what it is now, then decide again.',
    },
    conflict: {
      headline: 'Somebody else changed the same values at the same time.',
      detail: 'Your change was not saved. Look at the values that are there now, and try again.',
    },
  },
  unavailable: {
    unavailable: {
      headline: 'Neither the data on this device nor the server can be read.',
      detail: 'Try again; if it fails again, reload the page.',
      isTechnical: true,
    },
  },
  unexpected: {
    unexpected: {
      headline: 'Something unexpected happened.',
      detail: 'What you saved before is still here. Try again; if it happens again, reload the page.',
      isTechnical: true,
    },
  },
};
