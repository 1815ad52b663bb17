/** Pokes over Supabase Realtime: private broadcast channels, one for each scope and one for the user. */

import type { RealtimeChannel } from '@supabase/supabase-js';
import { backoffMs } from '@/core/backoff';
import type { PokeListener, PokeSource, PokeSubscription } from '@/core/pokes';
import type { ConvoyClient } from './client';
import { closeUnusedSocket } from './realtimeSocket';

export interface PokeOptions {
  /** Wait before a refused topic is joined again: the first and the longest, ms, with full jitter. */
  firstRetryMs?: number;
  mostRetryMs?: number;
  random?: () => number;
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

interface Topic {
  name: string;
  /** null: not joined yet, or refused and waiting for the next try. */
  channel: RealtimeChannel | null;
  joined: boolean;
  refusals: number;
  retry: ReturnType<typeof setTimeout> | undefined;
}

class Subscription implements PokeSubscription {
  private readonly topics = new Map<string, Topic>();
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
  }

  watch(scopes: readonly string[]): void {
    if (this.closed) return;
    const wanted = new Set([`user:${this.userId}`, ...scopes.map((scope) => SCOPE + scope)]);
    for (const topic of [...this.topics.values()]) {
      if (wanted.has(topic.name)) continue;
      this.topics.delete(topic.name);
      this.leave(topic);
    }
    for (const name of wanted) {
      if (this.topics.has(name)) continue;
      const topic = { name, channel: null, joined: false, refusals: 0, retry: undefined };
      this.topics.set(name, topic);
      void this.join(topic);
    }
    this.report();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.stopAuth();
    for (const topic of this.topics.values()) this.leave(topic);
    this.topics.clear();
    await closeUnusedSocket(this.client.realtime);
  }

  private setSignedIn(signedIn: boolean): void {
    this.signedIn = signedIn;
    for (const topic of this.topics.values()) {
      if (!signedIn) {
        this.leave(topic);
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
        .on('broadcast', { event: 'advanced' }, ({ payload }) => this.advanced(topic, payload))
        .on('broadcast', { event: 'membership' }, ({ payload }) => this.membershipChanged(payload))
        .subscribe((status, error) => {
          if (topic.channel === channel) this.statusChanged(topic, status, error);
        });
    } catch {
      // The runtime has no WebSocket, or cannot open one.
      this.retryLater(topic);
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
    topic.joined = status === 'SUBSCRIBED';
    if (topic.joined) topic.refusals = 0;
    // realtime-js rejoins by itself after network errors; after a refusal it would retry for ever.
    else if (status === 'CLOSED' || isRefusal(error)) this.retryLater(topic);
    this.report();
  }

  private retryLater(topic: Topic): void {
    this.leave(topic);
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
    topic.joined = false;
    if (!channel) return;
    void channel.unsubscribe();
    channel.teardown();
  }

  private isWanted(topic: Topic): boolean {
    return !this.closed && this.signedIn && this.topics.get(topic.name) === topic;
  }

  private report(): void {
    const topics = [...this.topics.values()];
    const flowing = topics.length > 0 && topics.every(({ joined }) => joined);
    if (this.closed || flowing === this.flowing) return;
    this.flowing = flowing;
    this.listener.onFlowing(flowing);
  }

  private advanced({ name }: Topic, payload: Record<string, unknown> | undefined): void {
    const revision = payload?.revision;
    if (this.closed || !name.startsWith(SCOPE) || typeof revision !== 'number') return;
    this.listener.onPoke({ kind: 'advanced', scope: name.slice(SCOPE.length), revision });
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
