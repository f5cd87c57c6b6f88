import { isOpening, openPlatform, openSubMerchants } from '../../src/accounts/index.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import {
  type CloseOptions,
  type CloseOutcome,
  closeDueDays,
  type Day,
  findDay,
  type StepRow,
  stepsOf,
} from '../../src/clearing/index.js';
import { createDesk, type Desk } from '../../src/dispatch/index.js';
import { executeShard, findInstructions } from '../../src/instructions/index.js';
import { addDays, type BusinessDate, canonicalJson, type Id, startOfDay, toWire } from '../../src/kernel/index.js';
import { type Book, loadBook } from '../../src/ledger/index.js';
import { listPayouts, type Payout } from '../../src/payouts/index.js';
import { type Break, listBreaks } from '../../src/reconciliation/index.js';
import { violations } from '../support/invariants.js';
import { startWorld, type World } from '../support/world/world.js';

/** A marketplace on the real service and a real bank simulator: a platform, a seller at the custodian, one at another bank. */
export interface Market {
  readonly world: World;
  readonly bank: RunningBank;
  readonly channels: Channels;
  readonly desk: Desk;
  readonly platformId: Id;
  readonly custodyNo: string;
  /** Sub-accounts: of a seller whose settlement account the custodian keeps, and of one at another bank. */
  readonly here: Id;
  readonly there: Id;
  book(): Promise<Book>;
  /** The natural day moves on to its ten o'clock. */
  goTo(date: string): void;
  /** Lets a buyer pay for an order, at the bank and in the books. */
  pay(orderNo: string, amount: bigint): Promise<void>;
  split(orderNo: string, shares: readonly (readonly [Id, bigint])[]): Promise<void>;
  /** Gives an instruction; answers `posted` or the code of the refusal. */
  give(kind: string, data: Record<string, unknown>): Promise<string>;
  close(options?: CloseOptions): Promise<CloseOutcome[]>;
  day(date: string): Promise<Day>;
  step(date: string, step: StepRow['step']): Promise<StepRow>;
  payouts(): Promise<Payout[]>;
  breaks(): Promise<Break[]>;
  balance(account: Id): Promise<bigint>;
  faults(...scripted: FaultRule[]): void;
  /** What is wrong: in our books, at the bank, or between the two. */
  wrongs(): Promise<string[]>;
  end(): Promise<void>;
}

export const MONDAY = '2026-03-02' as BusinessDate;
const TEN_HOURS = 36_000_000;
const OTHER_BANK = '102100099996';

export function fen(amount: bigint) {
  return { amount: Number(amount), currency: 'CNY' };
}

const SELLER = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;

let requests = 0;
let markets = 0;

/** @param world an earlier market's, for a second platform beside it */
export async function openMarket({
  date = MONDAY as string,
  world,
  bank,
  profile,
}: {
  date?: string;
  profile?: 'lending';
  world?: World;
  bank?: RunningBank;
} = {}): Promise<Market> {
  const at = date as BusinessDate;
  const of = world ?? (await startWorld(startOfDay(at) + TEN_HOURS));
  const running = bank ?? (await startBank({ port: 0, seed: 7 }));
  const channels = openChannels({ bankUrl: running.url, timeoutMs: 2_000 });
  const { rt, db } = of;
  markets += 1;
  const custodyNo = `C${markets}`;
  await channels.coreBank.openCustodyAccount(custodyNo, 'Platform');
  const terms = { transferMax: 0n, feeMax: 0n };
  const opened = await db.withTx('open', (tx) =>
    openPlatform(tx, rt, { name: `Platform ${markets}`, custodyNo, openDate: at, terms, profile }),
  );
  const merchants = await openSubMerchants(rt, opened.platformId, [
    {
      merchantNo: 'here',
      party: SELLER,
      settlementAccount: { name: SELLER.name, account: '6222020000000000001', bankCode: '' },
      cycle: 't+1',
    },
    {
      merchantNo: 'there',
      party: SELLER,
      settlementAccount: { name: SELLER.name, account: '6222020000000000002', bankCode: OTHER_BANK },
      cycle: 't+1',
    },
  ]);
  const [here, there] = merchants.map((result) => {
    if (!isOpening(result)) throw new Error(`not opened: ${result.code}`);
    return result.merchant.accountId;
  }) as [Id, Id];
  const desk = createDesk(rt, channels);
  return {
    ...marketOf({ world: of, bank: running, channels, desk, platformId: opened.platformId, custodyNo, here, there }),
    end: async () => {
      await channels.close();
      if (bank === undefined) await running.stop();
      if (world === undefined) await of.close();
    },
  };
}

type Parts = Pick<Market, 'world' | 'bank' | 'channels' | 'desk' | 'platformId' | 'custodyNo' | 'here' | 'there'>;

function marketOf(parts: Parts): Omit<Market, 'end'> {
  const { world, bank, channels, desk, platformId, custodyNo } = parts;
  const { db, rt, clock, intake } = world;
  const book = () => db.read('book', (tx) => loadBook(tx, platformId));

  async function give(kind: string, data: Record<string, unknown>): Promise<string> {
    requests += 1;
    const { shardId } = await book();
    const submission = {
      platformId,
      origin: 'P' as const,
      requestNo: `R-${requests}`,
      kind,
      body: canonicalJson(data),
      actor: 'test',
    };
    const [receipt] = await intake.receive([submission]);
    if (receipt === undefined || 'refused' in receipt) return receipt?.refused.code ?? 'none';
    await executeShard(rt, shardId);
    const outcome = (await db.read('outcome', (tx) => findInstructions(tx, [receipt.id]))).get(receipt.id)?.outcome;
    return outcome?.code ?? outcome?.state ?? 'undecided';
  }

  async function must(kind: string, data: Record<string, unknown>): Promise<void> {
    const outcome = await give(kind, data);
    if (outcome !== 'posted') throw new Error(`${kind} was refused: ${outcome}`);
  }

  return {
    ...parts,
    book,
    give,
    goTo: (date) => clock.advance((startOfDay(date as BusinessDate) + TEN_HOURS) as never),
    async pay(orderNo, amount) {
      const { businessDate } = await book();
      const reference = `IN-${orderNo}`;
      await channels.coreBank.inflows(custodyNo, businessDate, [{ reference, amount, counterparty: '买家', text: '' }]);
      const payer = { name: '张三', account: '6222020000000000078', bankCode: OTHER_BANK };
      await must('payment', { orderNo, amount: fen(amount), payer, reference });
    },
    split: (orderNo, shares) =>
      must('split', {
        orderNo,
        lines: shares.map(([account, amount]) => ({ account: toWire('account', account), amount: fen(amount) })),
      }),
    close: (options) => closeDueDays(desk, platformId, options),
    async day(date) {
      const found = await db.read('day', (tx) => findDay(tx, platformId, date as BusinessDate));
      if (found === undefined) throw new Error(`no day ${date}`);
      return found;
    },
    async step(date, step) {
      const found = (await db.read('steps', (tx) => stepsOf(tx, platformId, date as BusinessDate))).find(
        (row) => row.step === step,
      );
      if (found === undefined) throw new Error(`no step ${step}`);
      return found;
    },
    payouts: () => db.read('payouts', (tx) => listPayouts(tx, { platformId }, 1000)),
    breaks: () => db.read('breaks', (tx) => listBreaks(tx, { platformId }, 1000)),
    async balance(account) {
      const rows = await db.read('balance', (tx) =>
        tx.rows<{ balance: string }>('SELECT balance FROM accounts WHERE id = ?', [account]),
      );
      return BigInt(rows[0]?.balance ?? '0');
    },
    faults: (...scripted) => bank.bank.faults.replace({ scripted }),
    async wrongs() {
      const found = await violations(db, [platformId]);
      if (bank.bank.books().totals.paidTwice > 0) found.push('the bank paid a number twice');
      return found;
    },
  };
}

/** Goes to the day after the open one and closes what is due. */
export async function closeNext(market: Market, options?: CloseOptions): Promise<CloseOutcome[]> {
  market.goTo(addDays((await market.book()).businessDate, 1));
  return market.close(options);
}

/** The custody account as the bank has it, in fen. */
export function atBank(market: Market): bigint | undefined {
  return market.bank.bank.books().custody.find((account) => account.custodyNo === market.custodyNo)?.balance;
}
