import { Model, type Raw } from './watermelondb';

/** A model that goes back to its state before a prepared change when the batch with that change fails. */
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

  /** To be called when the batch failed, so that memory is not ahead of the storage. */
  restore(): void {
    if (this._rawBefore) (this as unknown as { _raw: Raw })._raw = this._rawBefore;
    this._rawBefore = null;
  }
}
