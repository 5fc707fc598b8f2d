/**
 * Preloaded into Azurite. Its standard input is a pipe held open by the front door: when that process ends, however
 * it ends, the pipe closes and Azurite stops itself with SIGTERM, which saves its metadata (kill -9 would lose ~5 s of it).
 */
const stop = () => {
  // no listener: Azurite is stopping already (a second SIGTERM would cut that short), or has not begun to serve
  if (process.listenerCount('SIGTERM') === 0) setTimeout(() => process.exit(1), 5_000).unref();
  else process.kill(process.pid, 'SIGTERM');
};
process.stdin.once('end', stop);
process.stdin.once('error', stop);
process.stdin.resume();
// the pipe alone must not keep a stopping Azurite alive
(process.stdin as unknown as { unref?: () => void }).unref?.();
