import { useNow } from './useNow';

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/**
 * @param time and now in ms since the epoch.
 * @returns "just now", "5 minutes ago", "yesterday"; a date where that is clearer.
 */
export function timeAgo(time: number, now: number): string {
  const passed = now - time;
  if (passed > 30 * 86_400_000) return absolute.format(time);
  for (const [unit, length] of STEPS) {
    if (passed >= length) return relative.format(-Math.floor(passed / length), unit);
  }
  return 'just now';
}

/** @param time ISO 8601, or ms since the epoch */
export function TimeAgo({ time }: { time: string | number }) {
  const now = useNow();
  const date = new Date(time);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {timeAgo(date.getTime(), now)}
    </time>
  );
}
