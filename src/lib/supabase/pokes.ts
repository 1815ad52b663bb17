/**
 * Pokes over Supabase Realtime: private broadcast channels, one for each scope and one for the user. Of many workspaces
 * the user's own topic tells, and of those whose topics are refused their heads (K7).
 */

import type { RealtimeChannel } from '@supabase/supabase-js';
import { backoffMs } from '@/core/backoff';
import type { PokeListener, PokeSource, PokeSubscription } from '@/core/pokes';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyClient } from './client';
import { ALL_SCOPES, askServer, type HeadPollOptions, HeadPolls } from './headPolls';
import { closeUnusedSocket } from './realtimeSocket';

export interface PokeOptions extends HeadPollOptions {
  /** Wait before a refused topic is joined again: the first and the longest, ms, with full jitter. */
  firstRetryMs?: number;
  mostRetryMs?: number;
}

/** Create one for each client: a client has one channel for each topic. */
export class SupabasePokes implements PokeSource {
  constructor(
    private readonly client: ConvoyClient,
    private readonly userId: string,
    private readonly options: PokeOptions = {},
  ) {}

  subscribe(listener: PokeListener): PokeSubscription {
    return new Subscription(this.client, this.userId, listener, this.options);
  }
}

const SCOPE = 'workspace:';

/**
 * Workspaces that have a topic each; a client has 100 channels. Of more, the user's own topic tells: the server pokes
 * there from 80 memberships on (`convoy.most_scope_topics`), so no poke is lost while their number changes.
 */
const MOST_SCOPE_TOPICS = 90;

interface Topic {
  name: string;
  /** Its subject: a scope, or all of them. */
  covers: string | typeof ALL_SCOPES;
  /** null: not joined yet, or refused and waiting for the next try. */
  channel: RealtimeChannel | null;
  /** `missing`: refused, or not answered in time, so that what it covers is polled. */
  state: 'joining' | 'joined' | 'missing';
  refusals: number;
  retry: ReturnType<typeof setTimeout> | undefined;
}

class Subscription implements PokeSubscription {
  private readonly topics = new Map<string, Topic>();
  private readonly polls: HeadPolls;
  private watched: ReadonlySet<string> = new Set();
  private readonly stopAuth: () => void;
  private authenticating: Promise<void> | null = null;
  private signedIn = true;
  private flowing = false;
  private closed = false;

  constructor(
    private readonly client: ConvoyClient,
    private readonly userId: string,
    private readonly listener: PokeListener,
    private readonly options: PokeOptions,
  ) {
    const { data } = client.auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_OUT') this.setSignedIn(false);
      if (event === 'SIGNED_IN' || event === 'TOKEN_REFRESHED') {
        this.setSignedIn(session?.user.id === this.userId);
      }
    });
    this.stopAuth = () => data.subscription.unsubscribe();
    this.polls = new HeadPolls(
      askServer(client, userId),
      (scope, head) => this.headTold(scope, head),
      () => this.watched,
      options,
    );
  }

  watch(scopes: readonly string[]): void {
    if (this.closed) return;
    this.watched = new Set(scopes);
    const wanted = this.topicsOf(scopes);
    for (const topic of [...this.topics.values()]) {
      if (wanted.has(topic.name)) continue;
      this.topics.delete(topic.name);
      this.leave(topic);
      this.polls.forget(topic.covers);
    }
    for (const [name, covers] of wanted) {
      if (this.topics.has(name)) continue;
      const topic: Topic = { name, covers, channel: null, state: 'joining', refusals: 0, retry: undefined };
      this.topics.set(name, topic);
      void this.join(topic);
    }
    this.report();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.stopAuth();
    this.polls.close();
    for (const topic of this.topics.values()) this.leave(topic);
    this.topics.clear();
    await closeUnusedSocket(this.client.realtime);
  }

  /** @returns the topics to listen to, by name, with what each covers */
  private topicsOf(scopes: readonly string[]): Map<string, Topic['covers']> {
    const workspaces = scopes.filter((scope) => scope !== GLOBAL_SCOPE_ID);
    // Reference data has no members, so its pokes come on its own topic alone.
    const own =
      workspaces.length > MOST_SCOPE_TOPICS ? scopes.filter((scope) => scope === GLOBAL_SCOPE_ID) : scopes;
    return new Map([
      [`user:${this.userId}`, ALL_SCOPES],
      ...own.map((scope): [string, string] => [SCOPE + scope, scope]),
    ]);
  }

  private setSignedIn(signedIn: boolean): void {
    this.signedIn = signedIn;
    for (const topic of this.topics.values()) {
      if (!signedIn) {
        this.leave(topic);
        this.setState(topic, 'joining');
      } else if (topic.channel === null) {
        // After a sign-in, or with a new token, the server may accept a topic that it refused.
        clearTimeout(topic.retry);
        topic.refusals = 0;
        void this.join(topic);
      }
    }
    this.report();
  }

  private async join(topic: Topic): Promise<void> {
    await this.authenticate();
    if (!this.isWanted(topic) || topic.channel !== null) return;
    try {
      const channel = this.client.channel(topic.name, { config: { private: true } });
      topic.channel = channel;
      channel
        .on('broadcast', { event: 'advanced' }, ({ payload }) => this.advanced(topic.covers, payload))
        .on('broadcast', { event: 'membership' }, ({ payload }) => this.membershipChanged(payload))
        .subscribe((status, error) => {
          if (topic.channel === channel) this.statusChanged(topic, status, error);
        });
    } catch {
      // The runtime has no WebSocket, or cannot open one.
      this.retryLater(topic);
      this.report();
    }
  }

  /** realtime-js joins a channel with the token it has at that moment: this gives it the current one. */
  private authenticate(): Promise<void> {
    this.authenticating ??= this.client.realtime
      .setAuth()
      .catch(() => {})
      .finally(() => {
        this.authenticating = null;
      });
    return this.authenticating;
  }

  private statusChanged(topic: Topic, status: string, error: Error | undefined): void {
    if (status === 'SUBSCRIBED') {
      topic.refusals = 0;
      this.setState(topic, 'joined');
    } else if (status === 'CLOSED' || isRefusal(error)) {
      // realtime-js rejoins by itself after network errors; after a refusal it would retry for ever.
      this.retryLater(topic);
    } else {
      // A join that is not answered though there is a connection fails alone; with the connection, all of them do.
      const isAlone = status === 'TIMED_OUT' && this.client.realtime.isConnected();
      this.setState(topic, isAlone ? 'missing' : 'joining');
    }
    this.report();
  }

  private setState(topic: Topic, state: Topic['state']): void {
    topic.state = state;
    if (state === 'missing') this.polls.miss(topic.covers);
    if (state === 'joined') this.polls.regain(topic.covers);
  }

  private retryLater(topic: Topic): void {
    this.leave(topic);
    this.setState(topic, 'missing');
    topic.refusals += 1;
    const { firstRetryMs = 2_000, mostRetryMs = 300_000, random = Math.random } = this.options;
    topic.retry = setTimeout(
      () => void this.join(topic),
      firstRetryMs / 4 + backoffMs(topic.refusals, random(), firstRetryMs, mostRetryMs),
    );
  }

  private leave(topic: Topic): void {
    clearTimeout(topic.retry);
    const { channel } = topic;
    topic.channel = null;
    if (!channel) return;
    void channel.unsubscribe();
    channel.teardown();
  }

  private isWanted(topic: Topic): boolean {
    return !this.closed && this.signedIn && this.topics.get(topic.name) === topic;
  }

  private report(): void {
    const states = [...this.topics.values()].map(({ state }) => state);
    const flowing = states.includes('joined') && !states.includes('joining');
    if (this.closed || flowing === this.flowing) return;
    this.flowing = flowing;
    this.polls.run(flowing);
    this.listener.onFlowing(flowing);
  }

  /** On a scope's topic the poke is about that scope; on the user's own, about the one that it names. */
  private advanced(covers: Topic['covers'], payload: Record<string, unknown> | undefined): void {
    const scope = covers ?? payload?.scope;
    const revision = payload?.revision;
    if (this.closed || typeof scope !== 'string' || typeof revision !== 'number') return;
    this.listener.onPoke({ kind: 'advanced', scope, revision });
  }

  private headTold(scope: string, head: number | null): void {
    if (this.closed) return;
    const member = head !== null;
    if (member !== this.watched.has(scope)) this.listener.onPoke({ kind: 'membership', scope, member });
    else if (member) this.listener.onPoke({ kind: 'advanced', scope, revision: head });
  }

  private membershipChanged(payload: Record<string, unknown> | undefined): void {
    const { scope, member } = payload ?? {};
    if (this.closed || typeof scope !== 'string' || typeof member !== 'boolean') return;
    this.listener.onPoke({ kind: 'membership', scope, member });
  }
}

/** The error of a refusal has the server's reply as its cause; errors of the socket have an event, or no cause. */
function isRefusal(error: Error | undefined): boolean {
  const cause = error?.cause;
  return typeof cause === 'object' && cause !== null && 'reason' in cause && !('code' in cause);
}
