import { useState } from 'react';
import { type FieldSpec, FormDialog } from './FormDialog';
import { useAction } from './useAction';

interface RecordDialogProps<Name extends string> {
  title: string;
  submitLabel: string;
  fields: FieldSpec<Name>[] | ((values: Readonly<Record<Name, string>>) => FieldSpec<Name>[]);
  initial: Record<Name, string>;
  onSave: (values: Record<Name, string>) => Promise<unknown>;
  onClose: () => void;
}

/** A dialog that makes a new record. */
export function RecordDialog<Name extends string>(props: RecordDialogProps<Name>) {
  const { fields, initial, onSave, ...rest } = props;
  const [values, setValues] = useState(initial);
  const saving = useAction(onSave);
  return (
    <FormDialog
      {...rest}
      fields={typeof fields === 'function' ? fields(values) : fields}
      values={values}
      onChange={(name, value) => setValues((before) => ({ ...before, [name]: value }))}
      error={saving.error}
      isRunning={saving.isRunning}
      onSubmit={async () => {
        if (await saving.run(values)) props.onClose();
      }}
    />
  );
}
