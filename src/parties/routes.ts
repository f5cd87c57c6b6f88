import type { Route, Runtime } from '../runtime/index.js';
import { customerAdminRoutes } from './admin-routes.js';
import { type DocumentStore, documentStore } from './documents/document-store.js';
import { documentRoutes } from './documents/routes.js';
import { userRoutes } from './users/routes.js';
import type { LockCustomer } from './watch/stops.js';

/** Users of platforms, and customers, tasks and the watch list for the bank's staff. @param lock where customers' accounts are known */
export function partyRoutes(rt: Runtime, lock: LockCustomer): Route[] {
  let opened: DocumentStore | undefined;
  const store = () => {
    opened ??= documentStore(rt.config, rt.clock.wall);
    return opened;
  };
  return [...userRoutes(rt), ...documentRoutes(rt, { store }), ...customerAdminRoutes(rt, { store, lock })];
}
