/** Line icons on a 16 by 16 grid. They accompany text, so screen readers skip them. */

const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 5',
  chevronRight: 'M6 3l5 5-5 5',
  chevronLeft: 'M10 3L5 8l5 5',
  close: 'M4 4l8 8M12 4l-8 8',
  cloudOff: 'M2 2l12 12M5 6.2A3 3 0 004.5 12H11M7 4.6A4 4 0 0112 8.4 2 2 0 0113.6 11',
  edit: 'M3 13l.7-3L11 2.7l2.3 2.3L6 12.3 3 13z',
  link: 'M7 9a2.6 2.6 0 003.8.2l2-2A2.6 2.6 0 009 3.500l-1 1M9 7a2.6 2.6 0 00-3.8-.2l-2 2A2.6 2.6 0 007 12.500l1-1',
  person: 'M8 7.500a2.5 2.5 0 100-5 2.5 2.5 0 000 5zM3 14c0-2.8 2.2-4.5 5-4.500s5 1.7 5 4.5',
  plus: 'M8 3v10M3 8h10',
  search: 'M7 12A5 5 0 107 2a5 5 0 000 10zM10.7 10.700L14 14',
  signOut: 'M6 2H3v12h3M10 5l3 3-3 3M13 8H6',
  sync: 'M13.5 7A5.6 5.6 0 003.3 5M2.5 9a5.6 5.6 0 0010.2 2M3 2v3h3M13 14v-3h-3',
  trash: 'M3 4.500h10M6.5 4.500V3h3v1.500M4.5 4.500l.5 9h6l.5-9M7 7v4M9 7v4',
  warning: 'M8 2.500l6 11H2l6-11zM8 6.500v3.500M8 12v.2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
