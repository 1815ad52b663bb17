import { type FieldSpec, FormDialog } from '../ui/FormDialog';
import { useAction } from '../ui/useAction';
import { isOfTexts, isProse, useKeptForm } from './useKeptForm';

interface RecordDialogProps<Name extends string> {
  title: string;
  submitLabel: string;
  /** The record in which it makes one, for the draft. */
  place: string;
  fields: FieldSpec<Name>[] | ((values: Readonly<Record<Name, string>>) => FieldSpec<Name>[]);
  initial: Record<Name, string>;
  onSave: (values: Record<Name, string>) => Promise<unknown>;
  onClose: () => void;
}

/** A dialog that makes a new record. What is typed is a draft until it is saved. */
export function RecordDialog<Name extends string>(props: RecordDialogProps<Name>) {
  const { fields, initial, place, onSave, ...rest } = props;
  const form = useKeptForm<Record<Name, string>>(
    place,
    props.title,
    initial,
    (state) => {
      const shown = typeof fields === 'function' ? fields(state) : fields;
      const typed = shown.filter(({ name, kind }) => isProse(kind) && state[name] !== initial[name]);
      const texts = typed.map(({ name }) => [name, state[name]]);
      return texts.length === 0 ? null : { ...initial, ...Object.fromEntries(texts) };
    },
    (stored): stored is Record<Name, string> =>
      isOfTexts(stored) && Object.keys(initial).every((name) => name in stored),
  );
  const saving = useAction(onSave);
  return (
    <FormDialog
      {...rest}
      fields={typeof fields === 'function' ? fields(form.state) : fields}
      values={form.state}
      onChange={(name, value) => form.change({ ...form.state, [name]: value })}
      error={saving.error}
      isRunning={saving.isRunning}
      notice={form.notice}
      onSubmit={async () => {
        if (!(await saving.run(form.state))) return;
        form.remove();
        props.onClose();
      }}
    />
  );
}
