/** Phoenix channel messages, in both serializations of realtime-js. */

import { nestsDeeper, REQUEST_DEPTH } from '@/core/text';

export interface Message {
  /** Id of one join of a channel; null: the message belongs to none. */
  joinRef: string | null;
  /** Id of a message, repeated in its reply. */
  ref: string | null;
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

export const SERIALIZATIONS = ['1.0.0', '2.0.0'] as const;
export type Serialization = (typeof SERIALIZATIONS)[number];

/** First byte of a client's broadcast in serialization 2.0.0, the only binary message a client sends. */
const CLIENT_BROADCAST = 3;

/** @returns the message; null for invalid data */
export function decodeMessage(data: Buffer, isBinary: boolean, version: Serialization): Message | null {
  if (isBinary) return decodeBroadcast(data);
  const text = data.toString('utf8');
  if (nestsDeeper(text, REQUEST_DEPTH)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (version === '2.0.0') return Array.isArray(value) ? message(value) : null;
  if (!isObject(value)) return null;
  return message([value.join_ref, value.ref, value.topic, value.event, value.payload]);
}

export function encodeMessage(
  { joinRef, ref, topic, event, payload }: Message,
  version: Serialization,
): string {
  return JSON.stringify(
    version === '2.0.0'
      ? [joinRef, ref, topic, event, payload]
      : { join_ref: joinRef, ref, topic, event, payload },
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function message([joinRef, ref, topic, event, payload]: unknown[]): Message | null {
  if (typeof topic !== 'string' || typeof event !== 'string') return null;
  return {
    joinRef: refOf(joinRef),
    ref: refOf(ref),
    topic,
    event,
    payload: isObject(payload) ? payload : {},
  };
}

function refOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** Decodes only the fields needed to refuse it: kind, five lengths, encoding, then the texts of the first three lengths. */
function decodeBroadcast(data: Buffer): Message | null {
  const [kind, joinRefLength = 0, refLength = 0, topicLength = 0] = data;
  if (kind !== CLIENT_BROADCAST || data.length < 7 + joinRefLength + refLength + topicLength) return null;
  const topicAt = 7 + joinRefLength + refLength;
  const joinRef = data.toString('utf8', 7, 7 + joinRefLength);
  const ref = data.toString('utf8', 7 + joinRefLength, topicAt);
  const topic = data.toString('utf8', topicAt, topicAt + topicLength);
  return { joinRef: joinRef || null, ref: ref || null, topic, event: 'broadcast', payload: {} };
}
