/** Words for an error that the app met, out of the table of errors. Pure. */

import { type AppError, ConvoyError } from '@/core/errors';
import type { ErrorEntry } from './errorEntry';
import { ERROR_TEXTS } from './errorTable';

export interface ErrorText {
  /** The event, in a sentence. */
  headline: string;
  /** Its meaning for the reader's work, and the way out. */
  detail: string;
  /** The words of the library, server or browser, for those who repair it; null where they add nothing. */
  technical: string | null;
}

/** An error as it is stored in the sync log, possibly by another version of Convoy. */
export interface StoredError {
  kind: string;
  code: string;
  message: string;
}

/** @param error anything that was thrown; what is no `ConvoyError` is unexpected */
export function describeError(error: unknown): ErrorText {
  if (error instanceof ConvoyError) return describeDetail(error.detail);
  const message = error instanceof Error ? error.message : String(error);
  return worded(ERROR_TEXTS.unexpected.unexpected, message);
}

/** @returns the words for a typed error, or for one of a kind or code that this version does not know */
export function describeDetail({ kind, code, message }: AppError | StoredError): ErrorText {
  return worded(entryOf(kind, code) ?? ERROR_TEXTS.unexpected.unexpected, message);
}

/** @param code of a refused change: the server's, or that of the request it was part of */
export function describeRefusal({ code, message }: { code: string; message: string }): ErrorText {
  const entry = entryOf('rejected', code) ?? entryOf('protocol', code) ?? ERROR_TEXTS.rejected.unexpected;
  return worded(entry, message);
}

/** @returns all that is to be read about an error, as one text. */
export function errorText(error: unknown): string {
  const { headline, detail } = describeError(error);
  return `${headline} ${detail}`;
}

function entryOf(kind: string, code: string): ErrorEntry | undefined {
  const texts: Readonly<Record<string, Readonly<Record<string, ErrorEntry>>>> = ERROR_TEXTS;
  const ofKind = Object.hasOwn(texts, kind) ? texts[kind] : undefined;
  return ofKind && Object.hasOwn(ofKind, code) ? ofKind[code] : undefined;
}

function worded({ headline, detail, prefersMessage, isTechnical }: ErrorEntry, message: string): ErrorText {
  const sentence = message.trim();
  const ownHeadline = sentence === '' || /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  return {
    headline: (prefersMessage && ownHeadline) || headline,
    detail,
    technical: isTechnical && sentence !== '' && sentence !== headline ? sentence : null,
  };
}
