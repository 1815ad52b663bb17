/**
 * RxJS as WatermelonDB uses it. WatermelonDB's own file requires all of RxJS, which no bundler can trim: 30 kB more of compressed
 * script. The build puts this one in its place (vite.config.ts).
 */

export { BehaviorSubject, defer, merge, Observable, of, ReplaySubject, Subject } from 'rxjs';
export {
  catchError,
  distinctUntilChanged,
  map,
  multicast,
  startWith,
  switchMap,
  throttleTime,
} from 'rxjs/operators';
