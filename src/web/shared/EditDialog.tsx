import { useState } from 'react';
import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import type { EntityOf } from '@/domain/entities';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { useRecord } from '../hooks/useQuery';
import { type EditableTable, useSaveEdit } from '../hooks/useSaveEdit';
import { type FieldSpec, FormDialog } from '../ui/FormDialog';
import { wordsOf } from '../ui/labels';
import {
  type Clash,
  changesOf,
  clashesOf,
  keepMine,
  type RecordForm,
  shownIn,
  takeTheirs,
  UNTOUCHED,
  withTyped,
} from '../ui/recordForm';
import { useAction } from '../ui/useAction';
import { useHeldPage } from './HeldPage';
import { RecordName } from './RecordName';
import { valueText } from './recordText';
import { isOfTexts, isProse, useKeptForm } from './useKeptForm';

interface EditDialogProps<Table extends EditableTable, Name extends string> {
  title: string;
  table: Table;
  /** As it was when the dialog was opened. */
  record: EntityOf[Table];
  /** Named by their columns, and the same ones whatever they show. */
  fields: readonly FieldSpec<Name>[] | ((values: Readonly<Record<Name, string>>) => FieldSpec<Name>[]);
  onClose: () => void;
}

/**
 * Edits a record that others may change meanwhile: saves what the person changed and nothing else, and asks them where
 * somebody else has changed the same. What is typed is a draft until it is saved.
 */
export function EditDialog<Table extends EditableTable, Name extends string>({
  title,
  table,
  record,
  fields: given,
  onClose,
}: EditDialogProps<Table, Name>) {
  useHeldPage();
  const saveEdit = useSaveEdit();
  const live = useRecord(table, record.id) as EntityOf[Table] | null | undefined;
  const [opened] = useState(record);
  const present = { ...(live ?? opened) } as unknown as Record<string, Json>;
  const kept = useKeptForm(record.id, table, UNTOUCHED, (state) => textsOf(state, given), isForm);
  const form = kept.state;
  const { fields, values } = shownFields(given, (field) => shownIn(form, present, field));
  const clashes = clashesOf(form, table, present, fields);
  const isGone = live === null;
  const saving = useAction(() =>
    saveEdit(
      table,
      { ...present, ...form.seen } as unknown as EntityOf[Table],
      changesOf(form, present, fields) as Partial<EntityOf[Table]>,
    ),
  );
  // The note at the field says more, once the record that was met is shown.
  const isTold = clashes.length > 0 && saving.error instanceof ConvoyError && saving.error.code === 'stale';

  return (
    <FormDialog
      title={title}
      submitLabel="Save"
      fields={fields}
      values={values}
      onChange={(name, text) => {
        const field = fields.find((other) => other.name === name);
        if (field) kept.change(withTyped(form, table, present, field, text));
      }}
      error={isTold ? null : saving.error}
      isRunning={saving.isRunning}
      notice={isGone ? <Gone /> : kept.notice}
      notes={Object.fromEntries(
        clashes.map((clash) => [
          clash.field,
          <ClashNote
            key={clash.field}
            table={table}
            clash={clash}
            present={present}
            onKeep={() => kept.change(keepMine(form, table, present, clash.field))}
            onTake={() => kept.change(takeTheirs(form, table, clash.field))}
          />,
        ]),
      )}
      canSubmit={!isGone && clashes.length === 0}
      onSubmit={async () => {
        if (!(await saving.run())) return;
        kept.remove();
        onClose();
      }}
      onClose={onClose}
    />
  );
}

/** @returns the form with the texts that were typed into it alone */
function textsOf<Name extends string>(
  { typed, seen }: RecordForm,
  given: EditDialogProps<EditableTable, Name>['fields'],
): RecordForm | null {
  const fields: readonly FieldSpec<string>[] =
    typeof given === 'function' ? given({} as Record<Name, string>) : given;
  const texts = fields.filter(({ name, kind }) => name in typed && isProse(kind));
  if (texts.length === 0) return null;
  return { typed: Object.fromEntries(texts.map(({ name }) => [name, typed[name] ?? ''])), seen };
}

function isForm(stored: unknown): stored is RecordForm {
  const { typed, seen } = (stored ?? {}) as Partial<RecordForm>;
  return isOfTexts(typed) && typeof seen === 'object' && seen !== null;
}

/** @returns the fields, which may depend on what they show, and what they show */
function shownFields<Name extends string>(
  given: EditDialogProps<EditableTable, Name>['fields'],
  shown: (field: FieldSpec<Name>) => string,
) {
  const valuesOf = (fields: readonly FieldSpec<Name>[]) =>
    Object.fromEntries(fields.map((field) => [field.name, shown(field)])) as Record<Name, string>;
  if (typeof given !== 'function') return { fields: given, values: valuesOf(given) };
  const values = valuesOf(given({} as Record<Name, string>));
  return { fields: given(values), values };
}

function Gone() {
  return (
    <div className="note note-warning" role="alert">
      <p>
        Somebody has deleted this meanwhile, so it cannot be saved. What you have typed is still here: copy
        what you need.
      </p>
    </div>
  );
}

interface ClashNoteProps {
  table: SyncedTable;
  clash: Clash;
  present: Readonly<Record<string, Json>>;
  onKeep: () => void;
  onTake: () => void;
}

/** Tells that somebody else has changed what the person is changing, and lets them choose. */
function ClashNote({ table, clash, present, onKeep, onTake }: ClashNoteProps) {
  const field = wordsOf(clash.field);
  return (
    <div className="note note-warning clash" role="alert">
      <p>Somebody else has changed this meanwhile. It is now:</p>
      <dl tabIndex={0} aria-label={`Now: ${field}`}>
        {clash.columns.map((column) => (
          <div key={column}>
            <dt>{wordsOf(column)}</dt>
            <dd>
              <PresentValue table={table} column={column} value={present[column] ?? null} />
            </dd>
          </div>
        ))}
      </dl>
      <div className="actions">
        <button type="button" className="button" aria-label={`Keep mine: ${field}`} onClick={onKeep}>
          Keep mine
        </button>
        <button type="button" className="button" aria-label={`Take theirs: ${field}`} onClick={onTake}>
          Take theirs
        </button>
      </div>
    </div>
  );
}

function PresentValue({ table, column, value }: { table: SyncedTable; column: string; value: Json }) {
  const { kind, to } = columnsOf(table)[column] ?? {};
  if (typeof value === 'string' && to !== undefined && to !== 'user')
    return <RecordName table={to} id={value} />;
  const stored = kind === 'time' && typeof value === 'string' ? Date.parse(value) : (value as string | null);
  return valueText(table, column, stored);
}
