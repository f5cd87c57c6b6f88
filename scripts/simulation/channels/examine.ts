import { type ChannelCode, hasFloat } from '../../../src/channels/index.js';
import type { Minor } from '../../../src/kernel/index.js';
import type { Tx } from '../../../src/runtime/index.js';
import type { Run } from './run.js';

interface PayoutRow {
  readonly id: string;
  readonly state: string;
  readonly amount: string;
}

/**
 * Holds our books against the bank's own. `lost`: payouts of which the bank's books say something else than ours; `moneyOff`: fen by which
 * custody, floats, or what came in and what is with whom, differ in all;
 * `lines`: the first that differ, in words.
 */
export async function examine({ bank, db, options, custodyNo }: Run) {
  const { payouts, byChannel, custody, floats, breaks, undecided, turnedAway, notNow } = await db.read('examine', async (tx) => ({
    payouts: await tx.rows<PayoutRow>('SELECT id, state, amount FROM payouts'),
    byChannel: await tx.rows<{ channel: string; number: string }>(
      "SELECT channel, COUNT(*) AS number FROM payouts WHERE state IN ('settled', 'returned') GROUP BY channel ORDER BY channel",
    ),
    custody: await one(tx, "SELECT -SUM(balance) AS value FROM accounts WHERE type = 'custody'"),
    floats: await tx.rows<{ channel: ChannelCode; balance: string; reserved: string }>('SELECT * FROM channel_floats'),
    breaks: await one(tx, 'SELECT COUNT(*) AS value FROM breaks WHERE cleared_date IS NULL'),
    undecided: await one(tx, 'SELECT COUNT(*) AS value FROM inbox'),
    turnedAway: await one(tx, 'SELECT COUNT(*) AS value FROM payout_attempts WHERE refused = 1'),
    notNow: await one(tx, 'SELECT COUNT(*) AS value FROM payout_attempts WHERE again_ms IS NOT NULL'),
  }));
  const books = bank.bank.books();
  const there = new Map<string, { paid: number; returned: number }>();
  for (const { messageNo, timesPaid, timesReturned } of books.payments) {
    const known = there.get(messageNo) ?? { paid: 0, returned: 0 };
    there.set(messageNo, { paid: known.paid + timesPaid, returned: known.returned + timesReturned });
  }
  const lost = payouts.filter(({ id, state }) => !agrees(state, there.get(id) ?? { paid: 0, returned: 0 }));
  const unknown = payouts.filter(({ state }) => ['created', 'sent', 'unknown'].includes(state));
  const lines = [
    ...lost.slice(0, 20).map(({ id, state }) => `payout ${id} is ${state}, at the bank ${JSON.stringify(there.get(id))}`),
    ...unknown.slice(0, 20).map(({ id, state }) => `payout ${id} is still ${state}`),
  ];
  const count = (state: string) => payouts.filter((payout) => payout.state === state).length;
  return {
    ...{
      seed: options.seed,
      payouts: payouts.length,
      settled: count('settled'),
      failed: count('failed'),
      returned: count('returned'),
    },
    turnedAway: Number(turnedAway),
    notNow: Number(notNow),
    channels: Object.fromEntries(byChannel.map(({ channel, number }) => [channel, Number(number)])),
    paidTwice: books.totals.paidTwice,
    lost: lost.length,
    unknownLeft: unknown.length + Number(undecided),
    moneyOff: Number(moneyOff(books, custodyNo, custody, floats)),
    breaksLeft: Number(breaks),
    lines,
  };
}

function agrees(state: string, { paid, returned }: { paid: number; returned: number }): boolean {
  if (state === 'settled') return paid === 1 && returned === 0;
  if (state === 'returned') return paid === 1 && returned === 1;
  return paid === 0; // failed, or not final: told apart elsewhere
}

function moneyOff(
  { custody, payees, totals, floats: theirs }: ReturnType<Run['bank']['bank']['books']>,
  custodyNo: string,
  ours: bigint,
  floats: readonly { channel: ChannelCode; balance: string; reserved: string }[],
): Minor {
  const abs = (value: Minor) => (value < 0n ? -value : value);
  const account = custody.find((each) => each.custodyNo === custodyNo);
  const withPayees = payees.reduce((sum, { balance }) => sum + balance, 0n);
  const atChannels = floats
    .filter(({ channel }) => hasFloat(channel))
    .reduce((sum, { channel, balance, reserved }) => {
      const float = theirs.find((each) => each.channel === channel);
      return sum + abs(BigInt(balance) - (float?.balance ?? 0n)) + abs(BigInt(reserved) - (float?.reserved ?? 0n));
    }, 0n);
  return abs((account?.balance ?? 0n) - ours) + abs((account?.balance ?? 0n) + withPayees - totals.inflow) + atChannels;
}

async function one(tx: Tx, statement: string): Promise<bigint> {
  const [row] = await tx.rows<{ value: string | null }>(statement);
  return BigInt(row?.value ?? 0);
}
