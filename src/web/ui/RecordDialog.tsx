import { type FormEvent, type ReactNode, useState } from 'react';
import { ConvoyError } from '@/core/errors';
import { Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { Field } from './Field';
import { useAction } from './useAction';

/** One control of the form. Values are text; '' means no value. */
export interface FieldSpec<Name extends string> {
  name: Name;
  label: string;
  kind: 'text' | 'prose' | 'select' | 'date' | 'custom';
  hint?: string;
  required?: boolean;
  /** Longest value, in characters. */
  max?: number;
  options?: Readonly<Record<string, string>>;
  /** For `custom`: the control itself. */
  render?: (value: string, onChange: (value: string) => void, id: string) => ReactNode;
}

interface RecordDialogProps<Name extends string> {
  title: string;
  submitLabel: string;
  fields: FieldSpec<Name>[];
  initial: Record<Name, string>;
  onSave: (values: Record<Name, string>) => Promise<unknown>;
  onClose: () => void;
}

/** A form in a dialog; an error about a field is shown next to it. */
export function RecordDialog<Name extends string>({
  title,
  submitLabel,
  fields,
  initial,
  onSave,
  onClose,
}: RecordDialogProps<Name>) {
  const [values, setValues] = useState(initial);
  const saving = useAction(onSave);
  const faulty = faultyField(saving.error);
  const isOwnField = fields.some(({ name }) => name === faulty);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (saving.isRunning) return;
    if (await saving.run(values)) onClose();
  };
  const set = (name: Name) => (value: string) => setValues((before) => ({ ...before, [name]: value }));

  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {fields.map((field) => (
          <div key={field.name}>
            <Field label={field.required ? field.label : `${field.label} (optional)`} hint={field.hint}>
              {(control) => (
                <FormControl
                  field={field}
                  control={control}
                  value={values[field.name]}
                  onChange={set(field.name)}
                  isInvalid={faulty === field.name}
                />
              )}
            </Field>
            {faulty === field.name && <ErrorNote error={saving.error} />}
          </div>
        ))}
        {!isOwnField && <ErrorNote error={saving.error} />}
        <div className="actions">
          <button type="submit" className="button primary" aria-disabled={saving.isRunning}>
            {submitLabel}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface FormControlProps<Name extends string> {
  field: FieldSpec<Name>;
  control: { id: string; 'aria-describedby'?: string };
  value: string;
  onChange: (value: string) => void;
  isInvalid: boolean;
}

function FormControl<Name extends string>(props: FormControlProps<Name>) {
  const { field, control, value, onChange, isInvalid } = props;
  const common = {
    ...control,
    value,
    required: field.required,
    'aria-invalid': isInvalid || undefined,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (field.kind) {
    case 'text':
      return <input {...common} type="text" maxLength={field.max} autoComplete="off" />;
    case 'date':
      return <input {...common} type="date" />;
    case 'prose':
      return <textarea {...common} maxLength={field.max} rows={4} />;
    case 'select':
      return (
        <select {...common}>
          {Object.entries(field.options ?? {}).map(([option, label]) => (
            <option key={option} value={option}>
              {label}
            </option>
          ))}
        </select>
      );
    case 'custom':
      return field.render?.(value, onChange, control.id) ?? null;
  }
}

/** The field that an error names, if it names one. */
function faultyField(error: unknown): string | null {
  if (!(error instanceof ConvoyError)) return null;
  const { detail } = error;
  if (detail.kind === 'validation') return detail.field;
  return detail.kind === 'rejected' ? detail.column : null;
}
