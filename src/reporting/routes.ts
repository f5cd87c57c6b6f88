import type { Route, Runtime } from '../runtime/index.js';
import { checkFileRoutes } from './check-files/routes.js';
import { fileDisputeRoutes } from './disputes/routes.js';
import { entryReceiptRoutes } from './receipts/routes.js';
import { fileKeyRoutes } from './sftp/routes.js';
import { statementRoutes } from './statements/routes.js';

/** Check files and what is said of them, statements and receipts. */
export function reportingRoutes(rt: Runtime): Route[] {
  return [
    ...checkFileRoutes(rt),
    ...fileDisputeRoutes(rt),
    ...statementRoutes(rt),
    ...entryReceiptRoutes(rt),
    ...fileKeyRoutes(rt),
  ];
}
