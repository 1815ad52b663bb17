/** The name with its sign of three chevrons. */
export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" />
        <path d="M6 11l5 5-5 5M13 11l5 5-5 5M20 11l5 5-5 5" />
      </svg>
      Convoy
    </span>
  );
}
