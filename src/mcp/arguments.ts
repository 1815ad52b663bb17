/** Reads a tool's arguments: what an agent sent is data to check, and what is wrong with it is said by field and form. */

import type { Json } from '@/core/protocol';

/** An argument that cannot be used; its message goes to the agent. */
export class BadArgument extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
    this.name = 'BadArgument';
  }
}

type Values = Readonly<Record<string, unknown>>;

export class Arguments {
  private readonly values: Values;

  /**
   * @param given as the host sent it
   * @param known the names that the tool has
   * @param path of a list's item, as in `tasks[2].`
   */
  constructor(
    given: unknown,
    known: readonly string[],
    private readonly path = '',
  ) {
    if (given !== undefined && !isObject(given)) {
      throw new BadArgument(path, `${path === '' ? 'The arguments have' : `${path} has`} to be an object.`);
    }
    this.values = given ?? {};
    const unknown = Object.keys(this.values).find((name) => !known.includes(name));
    if (unknown === undefined) return;
    throw new BadArgument(
      unknown,
      `There is no argument "${printable(unknown)}"${path && ` in ${path}`}. Use ${known.join(', ')}.`,
    );
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === null || value.trim() === '') throw this.bad(name, 'is required: give a text');
    return value;
  }

  optionalText(name: string): string | null {
    const value = this.values[name] ?? null;
    if (value === null || typeof value === 'string') return value;
    throw this.bad(name, `has to be a text, as in "${String(value).slice(0, 20)}", not ${kindOf(value)}`);
  }

  optionalNumber(name: string, least: number, most: number): number | null {
    const value = this.values[name] ?? null;
    if (value === null) return null;
    const form = `has to be a number from ${least} to ${most}`;
    if (typeof value !== 'number')
      throw this.bad(name, `${form}, written without quotes, not ${kindOf(value)}`);
    if (!(value >= least && value <= most)) throw this.bad(name, form);
    return value;
  }

  optionalFlag(name: string): boolean {
    const value = this.values[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.bad(name, `has to be true or false, written without quotes, not ${kindOf(value)}`);
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T | null {
    const value = this.optionalText(name);
    if (value === null || known.some((one) => one === value)) return value as T | null;
    throw this.bad(name, `has to be one of ${known.join(', ')}`);
  }

  texts(name: string, most: number): string[] {
    return this.list(name, most).map((value, n) => {
      if (typeof value === 'string') return value;
      throw this.bad(`${name}[${n}]`, `has to be a text, not ${kindOf(value)}`);
    });
  }

  /** @returns the items of a list, each of these fields */
  items(name: string, most: number, known: readonly string[]): Arguments[] {
    return this.list(name, most).map((value, n) => new Arguments(value, known, `${this.path}${name}[${n}].`));
  }

  private list(name: string, most: number): unknown[] {
    const value = this.values[name] ?? [];
    if (!Array.isArray(value)) {
      throw this.bad(name, `has to be a list, not ${kindOf(value)}`);
    }
    if (value.length > most) throw this.bad(name, `has ${value.length} items; give at most ${most}`);
    return value;
  }

  /** @returns the object of an argument, unchecked beyond that it is one; null where it is absent. */
  optionalObject(name: string): Record<string, Json> | null {
    const value = this.values[name] ?? null;
    if (value === null || isObject(value)) return value as Record<string, Json> | null;
    throw this.bad(name, `has to be an object, not ${kindOf(value)}`);
  }

  bad(name: string, reason: string): BadArgument {
    return new BadArgument(`${this.path}${name}`, `${this.path}${name} ${reason}.`);
  }
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return /^\s*[[{]/.test(value) ? 'a text that holds JSON' : 'a text';
  return value === null ? 'null' : `a${/^[aeiou]/.test(typeof value) ? 'n' : ''} ${typeof value}`;
}

/** A name that an agent sent, short and on one line. */
function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 40);
}
