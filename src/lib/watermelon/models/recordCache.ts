/** The records of a table that are in memory, for as long as anyone holds them. */

import type { Model } from './watermelondb';

/**
 * Takes the place of the map in WatermelonDB's record cache (0.28.0), which holds every record that was ever read. Held
 * weakly, a record stays the one instance of its id while anyone has it; were it dropped by age instead, there could be
 * two of them, and the older one would write old columns.
 *
 * A record that was found here stays until the end of the running job: between the adapter's answer that it is in memory
 * and WatermelonDB's look for it, it cannot vanish (ECMAScript, "AddToKeptObjects").
 */
export class RecordCache {
  private readonly refs = new Map<string, WeakRef<Model>>();
  private readonly registry = new FinalizationRegistry<string>((id) => {
    if (this.refs.get(id)?.deref() === undefined) this.refs.delete(id);
  });

  get(id: string): Model | undefined {
    return this.refs.get(id)?.deref();
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  set(id: string, record: Model): this {
    const known = this.refs.get(id)?.deref();
    if (known === record) return this;
    if (known) this.registry.unregister(known);
    this.refs.set(id, new WeakRef(record));
    this.registry.register(record, id, record);
    return this;
  }

  delete(id: string): boolean {
    const known = this.get(id);
    if (known) this.registry.unregister(known);
    return this.refs.delete(id) && known !== undefined;
  }

  /** Ids of the records that are held. */
  *keys(): Generator<string> {
    for (const [id, ref] of this.refs) if (ref.deref()) yield id;
  }
}
