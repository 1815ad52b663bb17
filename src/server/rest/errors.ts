/** Failures in the shape and with the HTTP statuses of PostgREST 12. */

import type { SqlFailure } from '../database/backend';

export interface RestFailure {
  status: number;
  body: { code: string; message: string; details: string | null; hint: string | null };
}

export function restFailure(
  status: number,
  code: string,
  message: string,
  details: string | null = null,
  hint: string | null = null,
): RestFailure {
  return { status, body: { code, message, details, hint } };
}

/** @param anonymous the request has no user: a forbidden call then answers 401 instead of 403 */
export function failureFromSql(failure: SqlFailure, anonymous: boolean): RestFailure {
  const { sqlState, message, detail, hint } = failure;
  return restFailure(statusOf(failure, anonymous), sqlState, message, detail, hint);
}

/** PostgREST's mapping of SQLSTATE to status, most specific first; a test compares it with PostgREST's own. */
function statusOf({ sqlState }: SqlFailure, anonymous: boolean): number {
  switch (sqlState) {
    case '42501':
      return anonymous ? 401 : 403;
    case '23503':
    case '23505':
      return 409;
    case '25006':
      return 405;
    case '42883':
    case '42P01':
      return 404;
    case '57P01':
      return 503;
    case 'P0001':
      return 400;
  }
  if (sqlState.startsWith('PT')) {
    const status = Number(sqlState.slice(2));
    return Number.isInteger(status) && status >= 200 && status <= 599 ? status : 500;
  }
  switch (sqlState.slice(0, 2)) {
    case '0L':
    case '0P':
    case '28':
      return 403;
    case '08':
    case '53':
      return 503;
    case '54':
      return 413;
    case '09':
    case '25':
    case '2D':
    case '38':
    case '39':
    case '3B':
    case '40':
    case '55':
    case '57':
    case '58':
    case 'F0':
    case 'HV':
    case 'P0':
    case 'XX':
      return 500;
    default:
      return 400;
  }
}
