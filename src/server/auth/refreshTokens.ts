/**
 * Refresh tokens: a session and a counter under a signature, so the database stores nothing that
 * could be stolen from it, and the token after the current one can be made again when the answer
 * that carried it was lost.
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
  /** @returns null for anything that this stack did not issue. */
  read(text: string): RefreshToken | null;
}

export function createRefreshTokens(secret: string): RefreshTokens {
  // A key of its own: a refresh token's signature must never pass for another kind of token's.
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
