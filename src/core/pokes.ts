/** The port through which a device hears that there is something to pull. */

/**
 * A hint, never data: it may be late, come twice or not at all. What a poke is about is pulled like
 * anything else, and what no poke told of is found by the timer.
 */
export type Poke =
  /** The scope has been written in; its head is at least this revision. */
  | { kind: 'advanced'; scope: string; revision: number }
  /** The user has become a member of the scope, or is none any more. */
  | { kind: 'membership'; scope: string; member: boolean };

export interface PokeListener {
  onPoke(poke: Poke): void;
  /**
   * Whether everything that was asked for is being listened to. Turning true says as well that
   * something may have been missed before.
   */
  onFlowing(flowing: boolean): void;
}

export interface PokeSubscription {
  /** Listens to these scopes from now on, and to the user's memberships. Nothing is heard before. */
  watch(scopes: readonly string[]): void;
  /** Ends all listening. Resolves when no connection and no timer is left. */
  close(): Promise<void>;
}

/** Failing to listen is no error: pokes then do not flow, and the source goes on trying. */
export interface PokeSource {
  subscribe(listener: PokeListener): PokeSubscription;
}
