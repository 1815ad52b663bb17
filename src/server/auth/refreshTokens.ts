/**
 * Refresh tokens: a session id and a counter with a signature. The database stores no token that could be stolen,
 * and a token can be issued again when the answer that carried it was lost.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RefreshToken {
  sessionId: string;
  counter: number;
}

const ID_BYTES = 16;
const BODY_BYTES = ID_BYTES + 4;
const SIGNATURE_BYTES = 16;

export interface RefreshTokens {
  issue(token: RefreshToken): string;
  /** @returns null for text that is no token of this stack */
  read(text: string): RefreshToken | null;
}

export function createRefreshTokens(secret: string): RefreshTokens {
  // A separate key: a refresh token's signature must not be valid for another kind of token.
  const key = createHmac('sha256', secret).update('convoy refresh token').digest();
  const sign = (body: Buffer) => createHmac('sha256', key).update(body).digest().subarray(0, SIGNATURE_BYTES);

  return {
    issue({ sessionId, counter }) {
      const body = Buffer.alloc(BODY_BYTES);
      body.write(sessionId.replaceAll('-', ''), 'hex');
      body.writeUInt32BE(counter, ID_BYTES);
      return Buffer.concat([body, sign(body)]).toString('base64url');
    },

    read(text) {
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length !== BODY_BYTES + SIGNATURE_BYTES) return null;
      const body = bytes.subarray(0, BODY_BYTES);
      if (!timingSafeEqual(bytes.subarray(BODY_BYTES), sign(body))) return null;
      const hex = body.toString('hex', 0, ID_BYTES);
      const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      return { sessionId, counter: body.readUInt32BE(ID_BYTES) };
    },
  };
}
