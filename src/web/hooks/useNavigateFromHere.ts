import { useCallback } from 'react';
import { useLocation } from 'wouter';
import { idOfReference } from './taskReferences';

/**
 * Navigation that is no click: an address that follows what a screen shows, and the way on after work that took time. A person who
 * has gone elsewhere meanwhile stays there: effects of a screen still run when its address has been left, and its work goes on.
 * @returns `navigate` of wouter, which does nothing once the address is that of another screen. Where it replaces the address, the
 * entry of the history stays the same, with what is remembered of it.
 */
export function useNavigateFromHere(): (to: string, options?: { replace?: boolean }) => void {
  const [location, navigate] = useLocation();
  return useCallback(
    (to, { replace = false } = {}) => {
      if (screenOf(window.location.pathname) !== screenOf(location)) return;
      navigate(to, replace ? { replace, state: history.state } : {});
    },
    [location, navigate],
  );
}

/** @returns the same text for addresses that mean the same screen, by id and by key */
export function screenOf(location: string): string {
  const reference = /^\/tasks\/([^/?]+)$/.exec(location)?.[1];
  return reference === undefined
    ? location
    : `/tasks/${idOfReference(decodeURIComponent(reference)) ?? reference}`;
}
