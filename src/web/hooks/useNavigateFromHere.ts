import { useCallback } from 'react';
import { useLocation } from 'wouter';
import { idOfReference, rememberReference } from './taskReferences';

interface NavigationOptions {
  replace?: boolean;
  /** The task that a key in the address means, where no screen may have said so yet. */
  task?: { key: string; id: string };
}

/** @returns whether it went there */
export type NavigateFromHere = (to: string, options?: NavigationOptions) => boolean;

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
    (to, { replace = false, task } = {}) => {
      if (screenOf(decoded(window.location.pathname)) !== here) return false;
      // Not before: elsewhere, the key may mean a task of another workspace.
      if (task) rememberReference(task.key, task.id);
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
