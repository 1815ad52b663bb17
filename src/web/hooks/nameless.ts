/** @returns the name of somebody who has none: nobody is called a former member before the members are known */
export function nameless(areMembersKnown: boolean): string {
  return areMembersKnown ? 'A former member' : '…';
}
