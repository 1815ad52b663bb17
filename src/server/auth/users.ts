/** Users, in the format of Supabase Auth. */

import type { SqlConnection } from '../database/backend';
import type { Fields } from './requests';

/** A user in answers of the API. */
export interface User {
  id: string;
  aud: string;
  role: string;
  email: string;
  email_confirmed_at: string | null;
  confirmed_at: string | null;
  last_sign_in_at: string | null;
  phone: string;
  app_metadata: Fields;
  user_metadata: Fields;
  identities: Identity[];
  created_at: string;
  updated_at: string;
  is_anonymous: boolean;
}

/** How a user signs in: here, by e-mail address and password. */
export interface Identity {
  identity_id: string;
  /** The id at the provider: of the e-mail provider, the user's. */
  id: string;
  user_id: string;
  identity_data: Fields;
  provider: string;
  last_sign_in_at: string;
  created_at: string;
  updated_at: string;
  email: string;
}

export interface StoredUser {
  user: User;
  passwordHash: string | null;
}

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
const time = (column: string) => `to_char(${column} at time zone 'UTC', ${ISO})`;

const SELECT = `
  select encrypted_password as "passwordHash", json_build_object(
    'id', id,
    'aud', coalesce(aud, 'authenticated'),
    'role', coalesce(role, 'authenticated'),
    'email', email,
    'email_confirmed_at', ${time('email_confirmed_at')},
    'confirmed_at', ${time('email_confirmed_at')},
    'last_sign_in_at', ${time('last_sign_in_at')},
    'phone', '',
    'app_metadata', coalesce(raw_app_meta_data, '{}'),
    'user_metadata', coalesce(raw_user_meta_data, '{}'),
    'identities', json_build_array(json_build_object(
      -- The stack keeps no identities: this one has the same id at every answer.
      'identity_id', md5('identity ' || id)::uuid,
      'id', id,
      'user_id', id,
      'identity_data', json_build_object('email', email, 'email_verified', false, 'phone_verified', false, 'sub', id),
      'provider', 'email',
      'last_sign_in_at', ${time('created_at')},
      'created_at', ${time('created_at')},
      'updated_at', ${time('created_at')},
      'email', email
    )),
    'created_at', ${time('created_at')},
    'updated_at', ${time('updated_at')},
    'is_anonymous', false
  )::text as "user"
  from auth.users
`;

export async function findUserByEmail(connection: SqlConnection, email: string): Promise<StoredUser | null> {
  return one(connection, `${SELECT} where lower(email) = $1`, email);
}

export async function findUserById(connection: SqlConnection, id: string): Promise<StoredUser | null> {
  return one(connection, `${SELECT} where id = $1::uuid`, id);
}

/** Like `findUserById`, and locks the row until the transaction ends. */
export async function lockUser(connection: SqlConnection, id: string): Promise<StoredUser | null> {
  return one(connection, `${SELECT} where id = $1::uuid for update`, id);
}

/** @throws the database's error 23505 when the email is taken */
export async function insertUser(
  connection: SqlConnection,
  user: { id: string; email: string; passwordHash: string; metadata: Fields },
): Promise<void> {
  await connection.query(
    `insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at,
       raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
     values ($1::uuid, 'authenticated', 'authenticated', $2, $3, now(),
       '{"provider": "email", "providers": ["email"]}', $4::jsonb, now(), now())`,
    [user.id, user.email, user.passwordHash, JSON.stringify(user.metadata)],
  );
}

export async function markSignedIn(connection: SqlConnection, id: string): Promise<void> {
  await connection.query('update auth.users set last_sign_in_at = now() where id = $1::uuid', [id]);
}

/** Merges metadata by top-level key, like Supabase Auth; null removes a key. */
export async function updateUser(
  connection: SqlConnection,
  id: string,
  changes: { metadata: Fields; passwordHash: string | null },
): Promise<void> {
  const removed = Object.keys(changes.metadata).filter((key) => changes.metadata[key] === null);
  await connection.query(
    `update auth.users set
       raw_user_meta_data = (coalesce(raw_user_meta_data, '{}') || $2::jsonb)
         - array(select jsonb_array_elements_text($3::jsonb)),
       encrypted_password = coalesce($4, encrypted_password),
       updated_at = now()
     where id = $1::uuid`,
    [id, JSON.stringify(changes.metadata), JSON.stringify(removed), changes.passwordHash],
  );
}

async function one(connection: SqlConnection, text: string, value: string): Promise<StoredUser | null> {
  const [row] = await connection.query<{ user: string; passwordHash: string | null }>(text, [value]);
  return row ? { user: JSON.parse(row.user) as User, passwordHash: row.passwordHash } : null;
}
