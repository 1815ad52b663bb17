import { useCallback } from 'react';
import { useLocation } from 'wouter';
import { idOfReference } from './taskReferences';

/** @returns whether it went there */
export type NavigateFromHere = (to: string, options?: { replace?: boolean }) => boolean;

/**
 * Navigation that is no click: an address that follows what a screen shows, and the way on after work that took time. A person who
 * has gone elsewhere meanwhile stays there: effects of a screen still run when its address has been left, and its work goes on.
 * @returns `navigate` of wouter, which does nothing once the address is that of another screen. Where another address of the same
 *   screen replaces the present one, the entry of the history stays the same, with what is remembered of it.
 */
export function useNavigateFromHere(): NavigateFromHere {
  const [location, navigate] = useLocation();
  const here = screenOf(location);
  return useCallback(
    (to, { replace = false } = {}) => {
      if (screenOf(decoded(window.location.pathname)) !== here) return false;
      const [path = to] = to.split('?');
      navigate(to, { replace, state: replace && screenOf(path) === here ? history.state : null });
      return true;
    },
    [here, navigate],
  );
}

/** @param location decoded, as wouter has it @returns the same text for addresses that mean the same screen, by id and by key */
export function screenOf(location: string): string {
  const reference = /^\/tasks\/([^/?]+)$/.exec(location)?.[1];
  return reference === undefined ? location : `/tasks/${idOfReference(reference) ?? reference}`;
}

/** As wouter decodes addresses. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
