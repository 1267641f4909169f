/**
 * Loaded into every test process (`--import`): leaves when there is nothing more to do.
 *
 * Node 20 itself would first wait for requests that it never ends, those of a TLS socket that was destroyed while a write was
 * under way, and spin for ever (node::Environment::CleanupHandles). The programs end by process.exit, which does not wait.
 */
let idle = 0;

process.on('beforeExit', () => {
  idle += 1;
  // The runner looks for unfinished tests at the same event, behind this listener: it gets one more turn.
  if (idle === 1) setImmediate(() => undefined);
  else process.exit();
});
