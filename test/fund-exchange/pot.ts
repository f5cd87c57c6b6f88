import type { FundConfirmation } from '../../src/channels/index.js';
import type { FaultRule } from '../../src/channels/simulator/index.js';
import { exchangeFundFiles } from '../../src/fund-exchange/index.js';
import {
  type Fund,
  type FundFigures,
  type FundOrder,
  fundFigures,
  type Holding,
  listFundOrders,
  listHoldings,
  saveFund,
} from '../../src/funds/index.js';
import { type BusinessDate, startOfDay } from '../../src/kernel/index.js';
import { type Break, listBreaks } from '../../src/reconciliation/index.js';
import { deposit, type Holder, openHolder, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

const HOUR = 3_600_000;
const POT = '000198';

/** What a confirmation file says instead of what the company said, or besides. */
type Said = (some: readonly FundConfirmation[]) => readonly FundConfirmation[];

/** A market with a money fund and its company, and Anna who has 20,000.00 on her account. It begins on Monday, 2026-03-02. */
export class Pot {
  readonly market: Market;
  readonly anna: Holder;

  private constructor(market: Market, anna: Holder) {
    this.market = market;
    this.anna = anna;
  }

  static async open(): Promise<Pot> {
    const market = await openMarket();
    const { db, rt } = market.world;
    const sealed = (text: string) => rt.vault.seal(text);
    const custody = { name: sealed('某某货币市场基金'), account: sealed('6225880000000001'), bankCode: '' };
    const fund: Fund = { code: POT, name: '某某货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true };
    await db.withTx('fund', (tx) => saveFund(tx, fund));
    market.bank.bank.funds.setFund({ code: POT, company: 'TA1', kind: 'money', paysIn: 1, sells: true });
    const anna = await openHolder(market, 2);
    await deposit(market, anna, 2_000_000n);
    return new Pot(market, anna);
  }

  /** The natural day moves on to so many hours of a date, at the bank too. */
  at(date: string, hours: number): void {
    this.market.world.clock.advance((startOfDay(date as BusinessDate) + hours * HOUR) as never);
    this.market.bank.bank.nameDate(date as BusinessDate);
  }

  exchange(said: Said = (some) => some): Promise<number> {
    const { desk, channels } = this.market;
    const { funds } = channels;
    const read: typeof funds.read = (of, take) =>
      funds.read(
        of,
        take && of.kind === 'confirmations'
          ? (((some: never, first: number) => take(said(some) as never, first)) as never)
          : take,
      );
    return exchangeFundFiles({ ...desk, channels: { ...channels, funds: { ...funds, read } } });
  }

  faults(...rules: Omit<FaultRule, 'scope'>[]): void {
    this.market.bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: 'funds', ...rule })) });
  }

  async evening(date: string): Promise<void> {
    this.at(date, 15);
    await this.exchange();
  }

  /** Closes the day before and takes what came in the night. */
  async morning(date: string, said?: Said): Promise<void> {
    this.at(date, 10);
    await this.market.close();
    await this.exchange(said);
  }

  buy(amount: bigint): Promise<string> {
    return withConsent(this.market, this.anna, 'fund-subscription', { fund: POT, amount: fen(amount) });
  }

  redeem(units: bigint, way = 'ordinary'): Promise<string> {
    return withConsent(this.market, this.anna, 'fund-redemption', { fund: POT, units: String(units), way });
  }

  orders(): Promise<FundOrder[]> {
    return this.market.world.db.read('orders', (tx) => listFundOrders(tx, { accountId: this.anna.account }, 100));
  }

  async holding(): Promise<Pick<Holding, 'units' | 'frozen' | 'pending' | 'incomeTo'> | undefined> {
    const read = this.market.world.db.read('holding', (tx) => listHoldings(tx, { accountId: this.anna.account }, 1));
    const [of] = await read;
    return of && { units: of.units, frozen: of.frozen, pending: of.pending, incomeTo: of.incomeTo };
  }

  cases(): Promise<Break[]> {
    return this.market.world.db.read('cases', (tx) => listBreaks(tx, { party: 'fund' }, 100));
  }

  figures(): Promise<FundFigures | undefined> {
    return this.market.world.db.read('figures', (tx) => fundFigures(tx, this.market.platformId));
  }
}
