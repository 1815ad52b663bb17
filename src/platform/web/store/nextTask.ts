/**
 * Runs work in a macrotask of its own. By a message, not a timer: browsers delay the timers of hidden pages by a
 * second, after some minutes by a minute, and a visible tab may be waiting for this one.
 */
export function inNextTask(work: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    work();
  };
  port2.postMessage(null);
}
