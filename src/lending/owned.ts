import type { z } from 'zod';
import type { Id } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Bid, Project } from './rules.js';
import { bidsOf, claimsOf, type From, type OwnClaim, projectsOf, type Whose } from './store.js';
import { bidSchema, claimSchema, projectSchema, showBid, showClaim, showProject } from './wire.js';

/** What somebody has in lending: platforms read it of one account, the bank of all accounts of a customer. */
export interface Owned<Row, Schema extends z.ZodType> {
  readonly path: string;
  readonly schema: Schema;
  readonly read: (tx: Tx, whose: Whose, from: From) => Promise<Row[]>;
  readonly idOf: (row: Row) => Id;
  readonly show: (row: Row) => z.input<Schema>;
}

export const OWN_PROJECTS: Owned<Project, typeof projectSchema> = {
  ...{ path: 'lending-projects', schema: projectSchema, read: projectsOf, idOf: ({ id }) => id, show: showProject },
};
export const OWN_BIDS: Owned<Bid, typeof bidSchema> = {
  ...{ path: 'bids', schema: bidSchema, read: bidsOf, idOf: ({ id }) => id, show: showBid },
};
export const OWN_CLAIMS: Owned<OwnClaim, typeof claimSchema> = {
  ...{ path: 'claims', schema: claimSchema, read: claimsOf, idOf: ({ claim }) => claim.id, show: showClaim },
};
