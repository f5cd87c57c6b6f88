import type { ModelFund } from '../model/funds.js';
import type { Asked } from '../world/world.js';

/**
 * What scenarios say of funds; units are written as money is, values and income with four decimals:
 *
 *   fund 000198 money settles in 1                  a fund in the catalogue; `other`; `closed` where its units are not sold
 *   told 000198 2025-09-29 earns 1.2345 [from DATE]  what its company says of a day; `worth 1.2500` of another fund [refused CODE] [again]
 *   saves B1 lily-2 → 000198 100.00 [under M1] yes  units are bought
 *   redeems R1 lily-2 000198 50.00 fast yes         `ordinary`, `fast-or-ordinary`; `all` for the units; `form V1` where staff does it
 *   exchanges X1 lily-2 000198 → 110022 80.00 yes   another fund is bought out of the pot; its redemption is X1+
 *   spends P1 lily-2 000198 → order:7 20.00 yes     paid out of the pot
 *   company has B1, R1                              the file of the open orders' trading days is sent: these are in it, and no others; `nothing`
 *   confirmed C1 B1 on DATE at 1.0000: 100.00 units for 100.00
 *   refuses F1 B1                                   the company has not done it
 *   earns I1 lily-2 000198 DATE [1.23]              the income of a day, and what the company's own file has
 *   proceeds Q1 000198 R1, R2 150.00 as FR-1        its money for redemptions is here
 *   brings Z1 R1                                    … and goes to whom it is for
 *   settles S1 000198 B1, B2                        the money of purchases goes to the fund
 *   lends A1 in 100.00 as ADV-1                     the bank's own money for redemptions at once; `out`
 *   stands-at B1 created [on DATE] [settles DATE]   how an order stands
 *   pot lily-2 000198 100.00 [frozen 5.00] [pending 9.00] [due 1.00]
 */
const AMOUNT = String.raw`(\d+\.\d\d)`;
const FOUR = String.raw`(\d+\.\d{4})`;
const NOBODY = '1000000000000000001';
const digits = (text: string) => BigInt(text.replace('.', ''));
const money = (text: string) => ({ amount: Number(digits(text)), currency: 'CNY' as const });

/** What these verbs ask of the stage. */
export interface FundStage {
  readonly bank: FundBank;
  account(name: string): string;
  mandate(name: string): string;
  idOf(requestNo: string): string;
  nameOf(id: string): string;
}

/** A company's day as a scenario tells it. */
export interface ToldDay {
  readonly fund: string;
  readonly date: string;
  readonly from: string;
  readonly nav: bigint;
  readonly per10k: bigint | undefined;
}

export interface FundFigures {
  readonly holdings: ReadonlyMap<string, Readonly<Record<'units' | 'frozen' | 'pending' | 'due', bigint>>>;
  readonly orders: ReadonlyMap<string, { state: string; traded: string | undefined; settles: string | undefined }>;
  readonly collection: string | undefined;
  readonly advance: string | undefined;
}

/** What a bank does with funds. */
export interface FundBank {
  openFund(code: string, fund: ModelFund): Promise<void>;
  tellDay(day: ToldDay): Promise<string>;
  /** Sends the orders whose trading day is closed; answers which. */
  sendOrders(): Promise<string[]>;
  lookAtFunds(): Promise<FundFigures>;
}

/** `X1+` is the redemption that the exchange X1 brought along. */
function order(stage: FundStage, name = ''): string {
  const id = stage.idOf(name.replace('+', ''));
  return `fno_${name.endsWith('+') && id !== NOBODY ? BigInt(id) + 1n : id}`;
}

const as = (kind: string, data: object): [string, Asked['data']] => [kind, data as unknown as Asked['data']];
const under = (stage: FundStage, mandate: string | undefined) =>
  mandate === undefined ? {} : { mandate: `mdt_${stage.mandate(mandate)}` };
const UNDER = String.raw`(?: under (\S+))?`;

export const FUND_VERBS = {
  saves: {
    form: new RegExp(`^(\\S+) → (\\d{6}) ${AMOUNT}${UNDER}$`),
    read: (stage: FundStage, [account = '', fund, amount = '', mandate]: string[]) =>
      as('fund-subscription', {
        ...{ account: `acc_${stage.account(account)}`, fund, amount: money(amount) },
        ...under(stage, mandate),
      }),
  },
  redeems: {
    form: new RegExp(`^(\\S+) (\\d{6}) (?:(all)|${AMOUNT}) (ordinary|fast|fast-or-ordinary)${UNDER}(?: form (\\S+))?$`),
    read: (stage: FundStage, [account = '', fund, all, units = '', way, mandate, voucher]: string[]) =>
      as('fund-redemption', {
        ...{ account: `acc_${stage.account(account)}`, fund, way, units: all ?? String(digits(units)) },
        ...under(stage, mandate),
        ...(voucher === undefined ? {} : { voucher }),
      }),
  },
  exchanges: {
    form: new RegExp(`^(\\S+) (\\d{6}) → (\\d{6}) ${AMOUNT}$`),
    read: (stage: FundStage, [account = '', from, fund, amount = '']: string[]) =>
      as('fund-exchange', { account: `acc_${stage.account(account)}`, from, fund, amount: money(amount) }),
  },
  spends: {
    form: new RegExp(`^(\\S+) (\\d{6}) → (\\S+) ${AMOUNT}${UNDER}$`),
    read: (stage: FundStage, [from = '', fund, to = '', amount = '', mandate]: string[]) =>
      as('pot-payment', {
        ...{ from: `acc_${stage.account(from)}`, fund, amount: money(amount) },
        to: to.startsWith('order:') ? { orderNo: to.slice(6) } : { account: `acc_${stage.account(to)}` },
        ...under(stage, mandate),
      }),
  },
  confirmed: {
    form: new RegExp(`^(\\S+) on (\\S+) at ${FOUR}: ${AMOUNT} units for ${AMOUNT}$`),
    by: 'S' as const,
    read: (stage: FundStage, [name, date, nav = '', units = '', amount = '']: string[]) =>
      as('fund-confirmation', {
        ...{ order: order(stage, name), date, nav: String(digits(nav)), units: String(digits(units)), amount: money(amount) },
      }),
  },
  refuses: {
    form: /^(\S+)$/,
    by: 'S' as const,
    read: (stage: FundStage, [name]: string[]) => as('fund-failure', { order: order(stage, name), reason: '超过单日申购上限' }),
  },
  earns: {
    form: new RegExp(`^(\\S+) (\\d{6}) (\\S+)(?: ${AMOUNT})?$`),
    by: 'S' as const,
    read: (stage: FundStage, [account = '', fund, date, units]: string[]) =>
      as('fund-income', {
        ...{ account: `acc_${stage.account(account)}`, fund, date },
        ...(units === undefined ? {} : { units: String(digits(units)) }),
      }),
  },
  proceeds: {
    form: new RegExp(`^(\\d{6}) (.+) ${AMOUNT} as (\\S+)$`),
    by: 'S' as const,
    read: (stage: FundStage, [fund, names = '', amount = '', reference]: string[]) =>
      as('fund-proceeds', {
        ...{ fund, amount: money(amount), reference, orders: names.split(', ').map((name) => order(stage, name)) },
      }),
  },
  brings: {
    form: /^(\S+)$/,
    by: 'S' as const,
    read: (stage: FundStage, [name]: string[]) => as('fund-proceeds-paid', { order: order(stage, name) }),
  },
  settles: {
    form: /^(\d{6}) (.+)$/,
    by: 'S' as const,
    read: (stage: FundStage, [fund, names = '']: string[]) =>
      as('fund-settlement', { fund, orders: names.split(', ').map((name) => order(stage, name)) }),
  },
  lends: {
    form: new RegExp(`^(in|out) ${AMOUNT} as (\\S+)$`),
    by: 'O' as const,
    read: (_stage: FundStage, [direction, amount = '', reference]: string[]) =>
      as('fund-advance', { direction, amount: money(amount), reference }),
  },
};

export const FUND_KINDS = {
  'fund-subscription': 'saves',
  'fund-redemption': 'redeems',
  'fund-exchange': 'exchanges',
  'pot-payment': 'spends',
  'fund-confirmation': 'confirmed',
  'fund-failure': 'refuses',
  'fund-income': 'earns',
  'fund-proceeds': 'proceeds',
  'fund-proceeds-paid': 'brings',
  'fund-settlement': 'settles',
  'fund-advance': 'lends',
};

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

const yuan = (amount: bigint) => `${amount / 100n}.${String(amount % 100n).padStart(2, '0')}`;

export const FUND_STEPS: readonly (readonly [form: RegExp, run: (stage: FundStage, parts: string[]) => Promise<void>])[] = [
  [
    /^fund (\d{6}) (money|other) settles in (\d)( closed)?$/,
    (stage, [code = '', kind, days, closed]) =>
      stage.bank.openFund(code, { kind: kind as 'money', settlesIn: Number(days), sells: closed === undefined }),
  ],
  [
    new RegExp(`^told (\\d{6}) (\\S+) (earns|worth) ${FOUR}(?: from (\\S+))?(?: (again))?(?: refused (\\S+))?$`),
    async (stage, [fund = '', date = '', what, value = '', from, again, code]) => {
      const day = what === 'earns' ? { nav: 10_000n, per10k: digits(value) } : { nav: digits(value), per10k: undefined };
      const said = await stage.bank.tellDay({ fund, date, from: from ?? date, ...day });
      same(said, code ?? (again === undefined ? 'taken' : 'known'), `what the company says of ${date}`);
    },
  ],
  [
    /^company has (.+)$/,
    async (stage, [names = '']) => {
      const sent = await stage.bank.sendOrders();
      const expected = names === 'nothing' ? [] : names.split(', ').map((name) => order(stage, name).slice(4));
      same(sent.map((id) => stage.nameOf(id)).join(), expected.map((id) => stage.nameOf(id)).join(), 'what is sent');
    },
  ],
  [
    /^stands-at (\S+) (\S+)(?: on (\S+))?(?: settles (\S+))?$/,
    async (stage, [name, state, on, settles]) => {
      const of = (await stage.bank.lookAtFunds()).orders.get(order(stage, name).slice(4));
      same(of?.state, state, `the order ${name}`);
      if (on !== undefined) same(of?.traded, on, `the trading day of ${name}`);
      if (settles !== undefined) same(of?.settles, settles, `the settlement of ${name}`);
    },
  ],
  [
    /^pot (\S+) (\d{6}) (.+)$/,
    async (stage, [account = '', fund, what = '']) => {
      const words = `units ${what}`.split(' ');
      const of = (await stage.bank.lookAtFunds()).holdings.get(`${stage.account(account)}:${fund}`);
      for (let at = 0; at < words.length; at += 2)
        same(yuan(of?.[words[at] as 'units'] ?? 0n), words[at + 1], `${words[at]} of ${account} in ${fund}`);
    },
  ],
];
