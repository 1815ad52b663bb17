import { Model, type Raw } from './watermelondb';

/** A model that can go back to what it was when the batch with its prepared change fails. */
export class RecoverableModel extends Model {
  /** The record as it was before the prepared change. */
  _rawBefore: Raw | null = null;

  get raw(): Raw {
    return this._raw as unknown as Raw;
  }

  override prepareUpdate(recordUpdater?: (record: this) => void): this {
    this._rawBefore = { ...this.raw };
    return super.prepareUpdate(recordUpdater);
  }

  override prepareDestroyPermanently(): this {
    this._rawBefore = { ...this.raw };
    return super.prepareDestroyPermanently();
  }

  /** Called when the batch failed: memory must not be ahead of storage. */
  restore(): void {
    if (this._rawBefore) (this as unknown as { _raw: Raw })._raw = this._rawBefore;
    this._rawBefore = null;
  }
}
