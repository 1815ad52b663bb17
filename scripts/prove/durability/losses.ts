/** What became of acknowledged writes. */
export interface Losses {
  acknowledged: number;
  /** Acknowledged, and not there. */
  lost: number;
  /** There more than once. */
  twice: number;
}
