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
  if (text === '') {
    return fail({
      code: 'bad_json',
      message: 'Could not parse request body as JSON: unexpected end of JSON input',
    });
  }
  try {
    // JSON's null is an object without fields to Supabase Auth.
    const value: unknown = JSON.parse(text) ?? {};
    // Recursive code prints it again, and PostgreSQL's parser reads it.
    if (isFields(value) && !nestsDeeper(text, REQUEST_DEPTH)) return ok(value);
  } catch {
    // Refused below, like any body that is no object.
  }
  return fail({ code: 'bad_json' });
}

/** @returns a field that is text, empty where it is missing; a refusal where it is something else */
export function readText(fields: Fields, name: string): Result<string, Refusal> {
  const value = fields[name] ?? '';
  return typeof value === 'string'
    ? ok(value)
    : fail({ code: 'bad_json', message: `Could not parse request body as JSON: ${name} must be text` });
}

/**
 * Reads what somebody signs in with. An empty password is one that does not match.
 * @returns email and password; the email in lower case, as stored
 */
export function readCredentials(fields: Fields): Result<Credentials, Refusal> {
  const [email, phone, password] = [
    readText(fields, 'email'),
    readText(fields, 'phone'),
    readText(fields, 'password'),
  ];
  if (!email.ok) return email;
  if (!phone.ok) return phone;
  if (!password.ok) return password;
  if (email.value !== '' && phone.value !== '') {
    return invalid('Only an email address or phone number should be provided on login.');
  }
  if (phone.value !== '') return fail({ code: 'phone_provider_disabled' });
  if (email.value === '') return invalid('missing email or phone');
  return ok({ email: email.value.trim().toLowerCase(), password: password.value });
}

/** Credentials that are valid for a new account. */
export function readNewCredentials(fields: Fields): Result<Credentials, Refusal> {
  const credentials = readCredentials(fields);
  if (!credentials.ok) return credentials;
  const { email, password } = credentials.value;
  if (password === '') return invalid('Signup requires a valid password');
  const fault = checkNewPassword(password);
  if (fault) return fail(fault);
  if (email.length > 254 || !EMAIL.test(email)) {
    return invalid('Unable to validate email address: invalid format');
  }
  return credentials;
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
