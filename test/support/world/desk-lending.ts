import { exampleProject } from '../../../scripts/docs/example-projects.js';
import type { Id, Instant } from '../../../src/kernel/index.js';
import type { RecordType } from '../../../src/ledger/index.js';

interface Drawers {
  readonly kind: { readonly name: string };
  readonly now: Instant;
  readonly book: { readonly accounts: { readonly marketing: Id } };
  account(account: Id): { balance: bigint; held: bigint };
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
}

/** A project such that the example of this kind can be posted. */
export function furnishProject(desk: Drawers, names: { platform: Id; anna: Id; ben: Id; lily2: Id }): void {
  exampleProject(
    desk.kind.name,
    { ...names, now: desk.now },
    {
      put: (type, key, row) => desk.put(type, key, row),
      hold: (account, amount) => {
        desk.account(account).held += amount;
      },
      holdMarketing: (amount) => Object.assign(desk.account(desk.book.accounts.marketing), { balance: amount, held: amount }),
    },
  );
}
