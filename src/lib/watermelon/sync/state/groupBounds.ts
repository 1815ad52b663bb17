/** The bounds of one group. An action beyond them is sent in several. */
export interface GroupBounds {
  /** As many as the server writes as one chunk (U18). */
  changes: number;
  /** In the values. At six bytes each, as JSON may spell one, they stay below the 32 MB of a request. */
  characters: number;
}
export const GROUP_BOUNDS: GroupBounds = { changes: 2_000, characters: 4_000_000 };
