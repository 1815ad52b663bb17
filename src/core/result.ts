/** The outcome of an operation that is expected to fail at times. Exceptions are for bugs. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | Failure<E>;
export type Failure<E> = { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail<E>(error: E): Failure<E> {
  return { ok: false, error };
}
