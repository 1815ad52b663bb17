/**
 * The network between devices and server. Every request is parked twice: before the server sees it,
 * and before the device hears the answer. The schedule says which one moves, and what goes wrong.
 */

import type { Json, PullAnswer } from '@/core/protocol';
import { type Download, download, type Link, upload } from './links';
import type { SimServer } from './server';
import type { Tally } from './tally';

/** The sender of requests; a dead one receives no answers. */
export interface Caller {
  readonly name: string;
  readonly userId: string;
  readonly isAlive: boolean;
  /** It ends its requests since it is told to end. */
  readonly isClosing?: boolean;
  /** Its disk has refused a write: a sync that meets this ends, with its requests. */
  readonly wasFull?: boolean;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The fault of one request. */
export type NetworkFault =
  /** The server never sees it. */
  | 'lose request'
  /** The server carries out the request, and its answer is lost. */
  | 'lose answer'
  /** The device gives up; the request arrives later, perhaps. */
  | 'late'
  /** The server gets it twice. */
  | 'twice'
  /** The answer ends in the middle. */
  | 'cut answer'
  | 'error 500'
  | 'error 503 after'
  | 'error 429'
  | 'expired'
  /** A proxy gives up: the server never sees the request, or carries it out, or gets it later. */
  | 'gateway timeout'
  | 'gateway timeout after'
  | 'gateway timeout, late'
  /** The server gives up the statement, and keeps nothing of it. */
  | 'statement timeout';

export type FlightKind = 'push' | 'pull' | 'auth' | 'other';

export interface Flight {
  readonly id: number;
  readonly from: Caller;
  readonly kind: FlightKind;
  readonly path: string;
  readonly body: string;
  readonly request: Json;
  /** `sending`: being uploaded; `sent`: on its way to the server; `answered`: on its way back; `over`: its sender no longer waits. */
  stage: 'sending' | 'sent' | 'answered' | 'over';
  /** The body of the answer, while it comes. */
  download: Download | null;
  answer: Answer | null;
  make: () => Request;
  resolve: (response: Response) => void;
  reject: (error: Error) => void;
}

/** Receives every request that reaches the server, to check the invariants. */
export interface NetworkWitness {
  asked(flight: Flight): void;
  /** Before and after the server handles it. */
  serving(flight: Flight): Promise<void>;
  served(flight: Flight, answer: Answer): Promise<void>;
  heard(flight: Flight): void;
  /** Its sender gave it up while bytes moved. */
  dropped(flight: Flight): void;
}

const GATEWAY_TIMEOUT: Answer = { status: 504, headers: {}, body: 'upstream request timeout' };

const OFFLINE = () => new TypeError('fetch failed');

export class Network {
  /** Requests whose senders wait. */
  readonly flights: Flight[] = [];
  /** Requests whose senders no longer wait, and which may still arrive. */
  readonly late: Flight[] = [];
  /** Faults for the next requests of a caller, by name. */
  readonly planned = new Map<string, NetworkFault[]>();
  /** Slow connections of callers, by name. */
  readonly links = new Map<string, Link>();
  /** How often a push was carried out, or a pull brought something. */
  news = 0;
  private made = 0;

  constructor(
    private readonly server: SimServer,
    private readonly witness: NetworkWitness,
    private readonly tally: Tally,
  ) {}

  /** @returns the `fetch` of one caller. */
  fetchOf(caller: Caller): typeof fetch {
    return async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      const path = url.replace(/^https?:\/\/[^/]+/, '');
      const body = typeof init?.body === 'string' ? init.body : '';
      const method = init?.method ?? 'GET';
      const headers = new Headers(init?.headers);
      return new Promise<Response>((resolve, reject) => {
        if (!caller.isAlive) return;
        this.made += 1;
        const flight: Flight = {
          id: this.made,
          from: caller,
          kind: kindOf(path),
          path,
          body,
          request: requestIn(body),
          stage: 'sending',
          answer: null,
          download: null,
          make: () => new Request(url, { method, headers, body: body === '' ? undefined : body }),
          resolve,
          reject,
        };
        this.witness.asked(flight);
        const link = this.links.get(caller.name);
        if (link) {
          const unlessOver = (then: () => void) => () => {
            if (flight.stage === 'sending' && caller.isAlive) then();
          };
          const arrived = unlessOver(() => this.depart(flight));
          upload(
            link,
            body,
            arrived,
            unlessOver(() => this.fail(flight)),
          );
        } else this.depart(flight);
        init?.signal?.addEventListener('abort', () => this.giveUp(flight), { once: true });
      });
    };
  }

  private depart(flight: Flight): void {
    flight.stage = 'sent';
    this.flights.push(flight);
  }

  of(caller: Caller): Flight[] {
    return this.flights.filter((flight) => flight.from === caller);
  }

  ofAny(callers: readonly Caller[]): Flight[] {
    return this.flights.filter(({ from }) => callers.includes(from));
  }

  plan(caller: string, fault: NetworkFault): void {
    this.planned.set(caller, [...(this.planned.get(caller) ?? []), fault]);
  }

  /** Moves a request one stage on. The fault planned for its caller befalls it before the server does. */
  async advance(flight: Flight): Promise<void> {
    if (flight.stage === 'answered') return this.hear(flight);
    if (flight.stage === 'over') return;
    const fault = this.planned.get(flight.from.name)?.shift();
    if (fault) this.tally.add('fault', fault);
    switch (fault) {
      case undefined:
        return this.serve(flight);
      case 'lose request':
        return this.fail(flight);
      case 'late':
        this.delay(flight);
        return this.fail(flight);
      case 'lose answer':
        await this.serve(flight);
        return this.fail(flight);
      case 'twice':
        await this.serve(flight);
        return this.serve(flight);
      case 'cut answer':
        await this.serve(flight);
        if (flight.answer) flight.answer.body = flight.answer.body.slice(0, flight.answer.body.length / 2);
        return;
      case 'error 500':
        return this.answerWith(flight, { status: 500, headers: {}, body: '{"message":"no"}' });
      case 'error 503 after':
        await this.serve(flight);
        return this.answerWith(flight, { status: 503, headers: {}, body: 'upstream reset' });
      case 'error 429':
        return this.answerWith(flight, { status: 429, headers: { 'retry-after': '7' }, body: '{}' });
      case 'gateway timeout':
        return this.answerWith(flight, GATEWAY_TIMEOUT);
      case 'gateway timeout after':
        await this.serve(flight);
        return this.answerWith(flight, GATEWAY_TIMEOUT);
      case 'gateway timeout, late':
        this.delay(flight);
        return this.answerWith(flight, GATEWAY_TIMEOUT);
      case 'statement timeout':
        return this.answerWith(flight, {
          status: 500,
          headers: {},
          body: '{"code":"57014","message":"canceling statement due to statement timeout","details":null,"hint":null}',
        });
      case 'expired':
        return this.answerWith(flight, {
          status: 401,
          headers: {},
          body: '{"code":"PGRST301","message":"JWT expired","details":null,"hint":null}',
        });
    }
  }

  /** The connection breaks. */
  fail(flight: Flight): void {
    this.end(flight);
    flight.reject(OFFLINE());
  }

  /** The device died, so its requests have no receiver; the server may still see them. */
  abandon(caller: Caller): void {
    for (const flight of this.of(caller)) {
      if (flight.stage === 'sent') this.delay(flight);
      this.end(flight);
    }
  }

  /** A late request arrives; its answer has no receiver. */
  async arriveLate(index: number): Promise<void> {
    const [flight] = this.late.splice(index, 1);
    if (flight) await this.serve(flight, true);
  }

  async serve(flight: Flight, late = false): Promise<void> {
    await this.witness.serving(flight);
    const response = await this.server.fetch(flight.make());
    const answer: Answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
    await this.witness.served(flight, answer);
    if (isNews(flight, answer)) this.news += 1;
    flight.answer = answer;
    if (!late) flight.stage = 'answered';
  }

  /** A refresh token that arrives late looks stolen: such requests are lost instead. */
  private delay(flight: Flight): void {
    if (flight.kind !== 'auth') this.late.push(flight);
  }

  private answerWith(flight: Flight, answer: Answer): void {
    flight.answer = answer;
    flight.stage = 'answered';
  }

  private hear(flight: Flight): void {
    this.end(flight);
    if (!flight.answer || !flight.from.isAlive) return;
    this.witness.heard(flight);
    const { status, headers, body } = flight.answer;
    const isEmpty = status === 204 || status === 304;
    const { 'content-length': _length, ...rest } = headers;
    const link = this.links.get(flight.from.name);
    if (link && !isEmpty && body !== '')
      flight.download = download(link, body, () => {
        flight.download = null;
      });
    flight.resolve(
      new Response(isEmpty ? null : (flight.download?.body ?? body), {
        status,
        headers: { 'content-type': 'application/json', ...rest },
      }),
    );
  }

  /** The device stopped waiting, by its timeout or because it closes. */
  private giveUp(flight: Flight): void {
    const error = new DOMException('This operation was aborted', 'AbortError');
    const isMoving = flight.stage === 'sending' || flight.download !== null;
    const { isAlive, isClosing, wasFull } = flight.from;
    if (isMoving && isAlive && !isClosing && !wasFull) this.witness.dropped(flight);
    flight.download?.end(error);
    if (flight.stage === 'over') return;
    if (flight.stage === 'sent') this.delay(flight);
    this.end(flight);
    flight.reject(error);
  }

  private end(flight: Flight): void {
    flight.stage = 'over';
    const index = this.flights.indexOf(flight);
    if (index >= 0) this.flights.splice(index, 1);
  }
}

/** Whether somebody may have something to do afterwards. */
function isNews({ kind }: Flight, { status, body }: Answer): boolean {
  if (status !== 200 || (kind !== 'push' && kind !== 'pull')) return false;
  if (kind === 'push') return true;
  const { rows = {}, deleted = {}, more } = JSON.parse(body) as Partial<PullAnswer>;
  return more === true || Object.keys(rows).length + Object.keys(deleted).length > 0;
}

function kindOf(path: string): FlightKind {
  if (path.startsWith('/auth/')) return 'auth';
  if (path.startsWith('/rest/v1/rpc/sync_push')) return 'push';
  if (path.startsWith('/rest/v1/rpc/sync_pull')) return 'pull';
  return 'other';
}

function requestIn(body: string): Json {
  try {
    return (JSON.parse(body) as { request?: Json }).request ?? null;
  } catch {
    return null;
  }
}
