/** The port through which a device receives pokes. */

/**
 * A hint, never data (K5): it may be late, arrive twice or not at all. The rows come by an ordinary pull;
 * the timer finds changes whose poke was lost.
 */
export type Poke =
  /** A transaction wrote in the scope; its head is at least this revision. */
  | { kind: 'advanced'; scope: string; revision: number }
  /** The user became a member of the scope, or stopped being one. */
  | { kind: 'membership'; scope: string; member: boolean };

export interface PokeListener {
  onPoke(poke: Poke): void;
  /**
   * Whether pokes of all watched scopes arrive, or the source polls for those that do not. A change to true also
   * means that pokes may have been missed before.
   */
  onFlowing(flowing: boolean): void;
}

export interface PokeSubscription {
  /** Listens to exactly these scopes and to the user's memberships. Before the first call no poke arrives. */
  watch(scopes: readonly string[]): void;
  /** Ends all listening. Resolves when no connection and no timer is left. */
  close(): Promise<void>;
}

/** A failed subscription is no error: pokes do not flow, and the source keeps trying. */
export interface PokeSource {
  subscribe(listener: PokeListener): PokeSubscription;
}
