import type { Route, Runtime } from '../runtime/index.js';
import { checkFileRoutes } from './check-files/routes.js';
import { fileDisputeRoutes } from './disputes/routes.js';

/** Check files and what is said of them, statements and receipts. */
export function reportingRoutes(rt: Runtime): Route[] {
  return [...checkFileRoutes(rt), ...fileDisputeRoutes(rt)];
}
