/** One finding of `convoy doctor`. */

export interface Check {
  /** What was looked at. */
  name: string;
  /** `fault`: something does not work; `warning`: it works, and may not tomorrow, or could not be looked at. */
  state: 'ok' | 'warning' | 'fault';
  message: string;
  /** How to mend it; null: there is nothing to. */
  mend: string | null;
}

export const good = (name: string, message: string): Check => ({ name, state: 'ok', message, mend: null });

export const doubtful = (name: string, message: string, mend: string): Check => ({
  name,
  state: 'warning',
  message,
  mend,
});

export const faulty = (name: string, message: string, mend: string): Check => ({
  name,
  state: 'fault',
  message,
  mend,
});
