import type { Desk } from '../dispatch/index.js';
import { listHoldings } from '../funds/index.js';
import type { Id } from '../kernel/index.js';
import { type Leftover, matchSorted, RowSorter, rowOf } from '../reconciliation/index.js';
import { inPages } from '../runtime/index.js';
import type { Finding, FundCases } from './cases.js';
import type { Taking } from './days.js';
import { accountOfNo, fundAccountNo } from './rules.js';

const PAGE = 5_000;
/** More differences than that are counted by whoever looks, and not worked off one by one. */
const FINDINGS_MAX = 10_000;

/**
 * Compares what the company's books have of every account with ours, once income and confirmations of the day are in (份额对账). Units move by these alone, so
 * both sides say the same until the next trading day. What differs is a case, and nothing is booked because of it; what agrees again closes its case.
 */
export async function compareHoldings(desk: Desk, { company, date, funds, files }: Taking, cases: FundCases): Promise<void> {
  const [ours, theirs] = [new RowSorter(), new RowSorter()];
  try {
    await desk.channels.funds.read({ company, kind: 'holdings', date, digest: files.holdings.digest }, async (some) => {
      for (const { account, fund, units } of some)
        if (funds.has(fund)) await theirs.add(rowOf(referenceOf(fund, account), units));
    });
    for (const fund of funds.keys()) await readOurs(desk, fund, ours);
    const findings: Finding[] = [];
    await matchSorted(ours.rows(), theirs.rows(), async (some) => {
      for (const each of some) if (findings.length < FINDINGS_MAX) findings.push(await findingOf(desk, each));
    });
    const found = new Set(findings.map(({ reference }) => reference));
    const isHolding = (reference: string) => {
      const [fund = '', account, day] = reference.split(':');
      return funds.has(fund) && account !== undefined && day === undefined;
    };
    if (findings.length < FINDINGS_MAX) await cases.agree(cases.stale(isHolding, found));
    await cases.open(findings);
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

async function readOurs({ rt }: Desk, fund: string, into: RowSorter): Promise<void> {
  const read = (after: Id) => rt.db.read('holdings-of-fund', (tx) => listHoldings(tx, { fund, after }, PAGE));
  for await (const page of inPages(PAGE, ({ accountId }) => accountId, read))
    for (const { accountId, units } of page)
      if (units > 0n) await into.add(rowOf(referenceOf(fund, fundAccountNo(accountId)), units));
}

async function findingOf({ rt }: Desk, { reference, ours, theirs }: Leftover): Promise<Finding> {
  const [fund, account = ''] = reference.split(':');
  const accountId = accountOfNo(account);
  const [holding] =
    accountId === undefined ? [] : await rt.db.read('holding-of-case', (tx) => listHoldings(tx, { accountId, fund }, 1));
  const kind = ours === null ? 'only-theirs' : theirs === null ? 'only-ours' : 'amount-differs';
  return { platformId: holding?.platformId ?? null, class: kind, reference, ourAmount: ours, theirAmount: theirs };
}

function referenceOf(fund: string, account: string): string {
  return `${fund}:${account}`;
}
