/** Parses and validates the bodies of auth requests. */

import { fail, ok, type Result } from '@/core/result';
import { nestsDeeper, REQUEST_DEPTH } from '@/core/text';
import type { Refusal } from './errors';
import { passwordFault } from './passwords';

const MAX_METADATA_BYTES = 16_384;
const MAX_NAME = 200;
const EMAIL = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\.]+(\.[^\s@<>,;:"()[\]\\.]+)+$/;

export type Fields = Record<string, unknown>;

export interface Credentials {
  email: string;
  password: string;
}

/** @param text the request's body */
export function readFields(text: string): Result<Fields, Refusal> {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    // Recursive code prints it again, and PostgreSQL's parser reads it.
    if (isFields(value) && !nestsDeeper(text, REQUEST_DEPTH)) return ok(value);
  } catch {
    // Refused below, like any body that is no object.
  }
  return fail({ code: 'bad_json' });
}

/** @returns email and password; the email in lower case, as stored */
export function readCredentials(fields: Fields): Result<Credentials, Refusal> {
  const { email, password } = fields;
  if (typeof email !== 'string' || email === '') return invalid('An email is required');
  if (typeof password !== 'string' || password === '') return invalid('A password is required');
  return ok({ email: email.trim().toLowerCase(), password });
}

/** Credentials that are valid for a new account. */
export function readNewCredentials(fields: Fields): Result<Credentials, Refusal> {
  const credentials = readCredentials(fields);
  if (!credentials.ok) return credentials;
  const { email, password } = credentials.value;
  if (email.length > 254 || !EMAIL.test(email)) {
    return invalid('Unable to validate email address: invalid format');
  }
  const fault = checkNewPassword(password);
  return fault ? fail(fault) : credentials;
}

export function checkNewPassword(password: unknown): Refusal | null {
  if (typeof password !== 'string') return { code: 'validation_failed', message: 'A password must be text' };
  switch (passwordFault(password)) {
    case 'too_short':
      return { code: 'weak_password' };
    case 'too_long':
      return { code: 'validation_failed', message: 'Password cannot be longer than 72 bytes' };
    case null:
      return null;
  }
}

/** The user's metadata: a JSON object of limited size, with a valid `display_name` or none. */
export function readMetadata(value: unknown): Result<Fields, Refusal> {
  if (value === undefined || value === null) return ok({});
  if (!isFields(value)) return invalid('User metadata must be an object');
  const json = JSON.stringify(value);
  if (!metadataFits(value)) return invalid('User metadata is too large');
  // jsonb stores neither U+0000 nor lone surrogates.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(json))
    return invalid('User metadata holds characters that cannot be stored');
  const { display_name: name } = value;
  if (name === undefined || name === null) return ok(value);
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME) {
    return invalid(`display_name must be text of 1 to ${MAX_NAME} characters`);
  }
  return ok({ ...value, display_name: name.trim() });
}

/** The size is limited because every access token carries the metadata. */
export function metadataFits(metadata: Fields): boolean {
  return Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES;
}

function invalid(message: string): Result<never, Refusal> {
  return fail({ code: 'validation_failed', message });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
