/** An account of the demo, as the server lists them in `/convoy.json`. */
export interface DemoAccount {
  role: string;
  email: string;
  password: string;
}

/** @returns the demo's accounts; none where there is no demo, or the server cannot be reached. */
export async function readDemoAccounts(): Promise<DemoAccount[]> {
  try {
    const response = await fetch('/convoy.json', { cache: 'no-store' });
    const { demo } = (await response.json()) as { demo?: unknown };
    return Array.isArray(demo) ? demo.filter(isDemoAccount) : [];
  } catch {
    return [];
  }
}

function isDemoAccount(value: unknown): value is DemoAccount {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['role', 'email', 'password'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string')
  );
}
