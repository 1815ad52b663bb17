import { type FormEvent, type ReactNode, useEffect, useRef } from 'react';
import { ConvoyError } from '@/core/errors';
import { Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { Field } from './Field';

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

interface FormDialogProps<Name extends string> {
  title: string;
  submitLabel: string;
  fields: readonly FieldSpec<Name>[];
  values: Readonly<Record<Name, string>>;
  onChange: (name: Name, value: string) => void;
  /** Of the last try to submit; one about a field is shown next to it. */
  error: unknown;
  isRunning: boolean;
  /** Above the fields. */
  notice?: ReactNode;
  /** Below fields: what has to be decided about them before the form can be submitted. */
  notes?: Readonly<Record<string, ReactNode>>;
  /** Where it is false, submitting leads to what has to be decided. Default true. */
  canSubmit?: boolean;
  onSubmit: () => Promise<void>;
  onClose: () => void;
}

/** A form in a dialog, without state of its own. */
export function FormDialog<Name extends string>(props: FormDialogProps<Name>) {
  const { title, submitLabel, fields, values, onChange, error, notes = {}, canSubmit = true } = props;
  const form = useRef<HTMLFormElement>(null);
  const faulty = faultyField(error);
  const isOwnField = fields.some(({ name }) => name === faulty);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (props.isRunning) return;
    if (canSubmit) await props.onSubmit();
    else form.current?.querySelector<HTMLElement>('.note .button')?.focus();
  };

  return (
    <Dialog title={title} onClose={props.onClose}>
      <form ref={form} className="form" onSubmit={(event) => void submit(event)}>
        {props.notice}
        {fields.map((field) => (
          <FieldWithNote key={field.name} note={notes[field.name]}>
            <Field label={field.required ? field.label : `${field.label} (optional)`} hint={field.hint}>
              {(control) => (
                <FormControl
                  field={field}
                  control={control}
                  value={values[field.name]}
                  onChange={(value) => onChange(field.name, value)}
                  isInvalid={faulty === field.name}
                />
              )}
            </Field>
            {faulty === field.name && <ErrorNote error={error} />}
          </FieldWithNote>
        ))}
        {!isOwnField && <ErrorNote error={error} />}
        <div className="actions">
          <button type="submit" className="button primary" aria-disabled={props.isRunning || !canSubmit}>
            {submitLabel}
          </button>
          <button type="button" className="button" onClick={props.onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** A field with what has to be decided about it. When that is decided, the keyboard goes back to the field. */
function FieldWithNote({ note, children }: { note: ReactNode; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const decides = useRef(false);
  const hasNote = note !== undefined;
  useEffect(() => {
    if (hasNote) return;
    if (decides.current) place.current?.querySelector<HTMLElement>(CONTROL)?.focus();
    decides.current = false;
  }, [hasNote]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens to where the focus is
    <div
      ref={place}
      onFocus={({ target }) => {
        decides.current = target.closest('.note') !== null;
      }}
    >
      {children}
      {note}
    </div>
  );
}

const CONTROL = 'input, textarea, select, button';

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
