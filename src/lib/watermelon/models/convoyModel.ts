import { RecoverableModel } from './recoverableModel';
import { type EditContext, followStatus, isMarked, trackCreate, trackDelete, trackUpdate } from './tracking';
import { bool, date, field, type Model, type Raw, type RawValue, text } from './watermelondb';

/**
 * Base of every synced model: the common columns, and the tracking of unsynced edits. WatermelonDB's own preparation
 * runs first; the base of the edits it marked is written then.
 */
export class ConvoyModel extends RecoverableModel {
  @text('workspace_id') workspaceId!: string;
  @field('revision') revision!: number;
  @date('created_at') createdAt!: Date;
  @date('updated_at') updatedAt!: Date;
  @text('last_modified_by') lastModifiedBy!: string | null;
  @text('remote_id') remoteId!: string | null;
  @bool('is_synced') isSynced!: boolean;
  @text('sync_error') syncError!: string | null;

  /** Whether the prepared change is an edit of the user, which joins the group of its batch, and not the sync engine's. */
  _isEdit = false;

  /** Sets a column inside `prepareCreate` or `prepareUpdate`, by its name. */
  setColumn(name: string, value: RawValue): void {
    this._setRaw(name as never, value as never);
  }

  /** Sets a column inside `prepareUpdate` without making it an edit: it is not pushed. */
  setBookkeeping(name: string, value: RawValue): void {
    this._dangerouslySetRawWithoutMarkingColumnChange(name as never, value as never);
  }

  override prepareUpdate(recordUpdater?: (record: this) => void): this {
    super.prepareUpdate(recordUpdater);
    const database = this.database as unknown as EditContext;
    const before = this._rawBefore as Raw;
    this._isEdit = trackUpdate(this.table as unknown as string, this.raw, before, database.clock);
    return this;
  }

  /**
   * @param root id of the record whose deletion takes this one along; by default its own
   * @param isUnseen whether any record that is deleted with it is marked; by default, whether this one is
   */
  override prepareMarkAsDeleted(root: string = this.id, isUnseen = isMarked(this.raw)): this {
    const before = { ...this.raw };
    super.prepareMarkAsDeleted();
    const database = this.database as unknown as EditContext;
    this._rawBefore = before;
    this._isEdit = true;
    trackDelete(this.raw, root, database, isUnseen);
    return this;
  }

  /** Prepares this record to become exactly `raw`, without tracking: how the sync engine writes. */
  prepareReplace(raw: Raw): this {
    this._rawBefore = this.raw;
    this._isEdit = false;
    followStatus(raw);
    (this as unknown as { _raw: Raw })._raw = raw;
    this._preparedState = 'update';
    return this;
  }

  static override _prepareCreate(
    this: typeof ConvoyModel,
    collection: Parameters<typeof Model._prepareCreate>[0],
    recordBuilder: (record: Model) => void,
  ): Model {
    // biome-ignore lint/complexity/noThisInStatic: WatermelonDB constructs the class it is called on
    const record = super._prepareCreate(collection, recordBuilder) as ConvoyModel;
    const database = collection.database as unknown as EditContext;
    record._isEdit = true;
    trackCreate(record.raw, database.clock);
    return record;
  }
}

// `syncStatus` is an accessor of WatermelonDB's Model (reading `_status`); TypeScript does not let a
// property override it, so the column takes its place here.
Object.defineProperty(
  ConvoyModel.prototype,
  'syncStatus',
  text('sync_status')(ConvoyModel.prototype, 'syncStatus') as unknown as PropertyDescriptor,
);
