import { createHash } from 'node:crypto';
import {
  addDays,
  type BusinessDate,
  type Calendar,
  isWorkingDay,
  type Minor,
  parseDateDigits,
  weekday,
} from '../../../kernel/index.js';
import { type FundApplication, FundFileFaulty, type FundFileKind, type FundQuote, fundForms } from '../../funds/index.js';
import { type OfdForm, ofdName, readOfd, writeOfd } from '../../funds/ofd.js';
import type { Faults } from '../faults.js';
import { FundCompany, type FundDayFiles, type FundPayment, type SimulatedFund, type TradingDays } from './company.js';

/** Where fund companies pay what they owe. */
export interface PayingBank {
  /** Its business date. */
  readonly date: BusinessDate | undefined;
  hasCustodyAccount(custodyNo: string): boolean;
  inflows(
    custodyNo: string,
    date: BusinessDate,
    items: readonly { reference: string; amount: Minor; counterparty: string; text: string }[],
  ): object | string;
}

interface MadeFile {
  readonly bytes: Buffer;
  readonly digest: string;
  /** The date from which on it is there. */
  readonly readyOn: BusinessDate;
}

/** What a quote is of which nobody said anything: a money fund at one, with 0.5000 yuan for 10,000 units and 1.825 % a year. */
const USUAL = { nav: 10_000n, income: 5_000n, yield: 1_825n };
const KINDS: readonly FundFileKind[] = ['confirmations', 'holdings', 'dividends', 'quotes'];

/** The fund companies, the funds, what these are worth, and the files that lie at the exchange. */
export class FundMarket {
  readonly #faults: Faults;
  readonly #days: TradingDays;
  readonly #bank: PayingBank;
  readonly #funds = new Map<string, SimulatedFund>();
  readonly #companies = new Map<string, FundCompany>();
  readonly #quotes = new Map<string, FundQuote>();
  readonly #received = new Map<string, Buffer>();
  readonly #made = new Map<string, MadeFile>();
  readonly #right = new Map<string, FundDayFiles>();
  readonly #unpaid: FundPayment[] = [];
  #paid = 0n;
  #making: Promise<void> = Promise.resolve();

  constructor(faults: Faults, calendar: Calendar | undefined, bank: PayingBank) {
    this.#faults = faults;
    this.#days = tradingDays(calendar);
    this.#bank = bank;
  }

  setFund(fund: SimulatedFund): void {
    this.#funds.set(fund.code, fund);
    this.companyOf(fund.company);
  }

  setQuote(quote: FundQuote): void {
    this.#quotes.set(`${quote.fund}/${quote.date}`, quote);
  }

  /** A company that nobody named is there as soon as somebody looks for it. */
  companyOf(code: string): FundCompany {
    const company = this.#companies.get(code) ?? new FundCompany(code, this.#faults);
    this.#companies.set(code, company);
    return company;
  }

  companies(): readonly FundCompany[] {
    return [...this.#companies.values()];
  }

  /** What of a file at the exchange lies at a path. */
  fileAt(path: string, today: BusinessDate | undefined): Buffer | undefined {
    const received = this.#received.get(path);
    if (received !== undefined) return received;
    const [, base = '', ending] = /^(.*)\.(TXT|sha256|ok)$/.exec(path) ?? [];
    const file = this.#made.get(base);
    if (file === undefined || today === undefined || today < file.readyOn) return undefined;
    if (ending === 'ok') return Buffer.alloc(0);
    return ending === 'TXT' ? file.bytes : Buffer.from(`${file.digest}  ${base.split('/').at(-1)}.TXT\n`);
  }

  namesIn(folder: string, today: BusinessDate | undefined): string[] {
    const within = (path: string) => path.startsWith(`${folder}/`);
    const received = [...this.#received.keys()].filter(within);
    const made = [...this.#made.keys()].filter(within).flatMap((base) => ['TXT', 'sha256', 'ok'].map((end) => `${base}.${end}`));
    return [...received, ...made.filter((path) => this.fileAt(path, today) !== undefined)].map((path) =>
      path.slice(folder.length + 1),
    );
  }

  /** Whether a file may be handed in there: one of orders, that is not marked as complete yet. */
  takes(path: string): boolean {
    const [, base] = INBOX.exec(path) ?? [];
    return base !== undefined && !this.#received.has(`${base}.ok`);
  }

  /** A file was handed in. With its marker the orders count. @throws FundFileFaulty */
  async receive(path: string, bytes: Buffer): Promise<void> {
    const [, base = '', code = '', distributor = '', digits = '', ending] = INBOX.exec(path) ?? [];
    const date = parseDateDigits(digits);
    if (date === undefined) throw new FundFileFaulty(path, 'its name says no date');
    if (ending === 'ok') {
      const company = this.companyOf(code);
      if ((company.distributor ?? distributor) !== distributor)
        throw new FundFileFaulty(path, 'another distributor hands in here');
      const digest = (this.#received.get(`${base}.sha256`) ?? Buffer.alloc(0)).toString('latin1').slice(0, 64);
      const content = this.#received.get(`${base}.TXT`) ?? Buffer.alloc(0);
      const orders: FundApplication[] = [];
      await readOfd(
        fundForms(distributor).applications,
        { creator: distributor, receiver: code, date },
        (async function* () {
          yield content;
        })(),
        digest,
        async (some) => void orders.push(...some),
      );
      company.distributor = distributor;
      company.madeTo ??= date;
      company.take(orders);
    }
    this.#received.set(path, bytes);
  }

  /** Does what happens on the trading days up to a date, that have not been yet, and makes their files. */
  async makeTo(code: string, date: BusinessDate): Promise<void> {
    const before = this.#making;
    this.#making = before.then(() => this.#makeTo(this.companyOf(code), date));
    await this.#making;
  }

  /** The company puts right files of a date in place of those that a fault made wrong. @returns why not, or undefined */
  mend(code: string, date: BusinessDate): string | undefined {
    const right = this.#right.get(`${code}/${date}`);
    if (right === undefined) return 'no files of that date were made';
    // Before anybody looks for a file again.
    this.#making = this.#making.then(() => this.#keep(this.companyOf(code), date, right, undefined));
    return undefined;
  }

  books() {
    return {
      paid: this.#paid,
      unpaid: this.#unpaid.map((each) => ({ ...each })),
      funds: [...this.#funds.values()],
      companies: this.companies().map(({ code, madeTo, orders, holdings }) => ({
        ...{ company: code, madeTo, holdings: [...holdings.values()].filter(({ units }) => units > 0n) },
        orders: [...orders.values()].map(({ orderNo, fund, business, state, amount, units, confirmation }) => ({
          ...{ orderNo, fund, business, state, amount, units },
          ...(confirmation === undefined ? {} : { confirmedOn: confirmation.confirmDate, reason: confirmation.reason }),
        })),
      })),
    };
  }

  async #makeTo(company: FundCompany, date: BusinessDate): Promise<void> {
    if (company.madeTo === undefined || company.distributor === undefined) return;
    for (let day = this.#days.after(company.madeTo, 1); day <= date; day = this.#days.after(day, 1)) {
      const { told, right } = company.makeDay(day, this.#days, this.#funds, (fund, of) => this.#quoteOf(fund, of));
      this.#right.set(`${company.code}/${day}`, right);
      this.#unpaid.push(...company.payments.splice(0));
      this.#payDue(day);
      await this.#keep(company, day, told, this.#faults);
    }
  }

  #quoteOf(fund: string, date: BusinessDate): FundQuote {
    const said = this.#quotes.get(`${fund}/${date}`);
    return said ?? { fund, date, ...USUAL };
  }

  #payDue(date: BusinessDate): void {
    const due = this.#unpaid.filter(({ payOn }) => payOn <= date);
    for (const payment of due) {
      if (!this.#pay(payment)) continue; // it stays owed, and the books show it
      this.#paid += payment.amount;
      this.#unpaid.splice(this.#unpaid.indexOf(payment), 1);
    }
  }

  /** To the custody account that the order names, under a reference of the order. */
  #pay({ depositAccount, payOn, orderNo, amount, fund }: FundPayment): boolean {
    if (!this.#bank.hasCustodyAccount(depositAccount)) return false;
    // Orders may have come late, and the statement of that day be handed out: no bank credits on a day that is over.
    const { date = payOn } = this.#bank;
    const on = date > payOn ? date : payOn;
    const item = { reference: `FR${orderNo}`, amount, counterparty: `fund ${fund}`, text: '基金赎回款' };
    return typeof this.#bank.inflows(depositAccount, on, [item]) !== 'string';
  }

  async #keep(
    { code, distributor = '' }: FundCompany,
    date: BusinessDate,
    files: FundDayFiles,
    faults: Faults | undefined,
  ): Promise<void> {
    const late = faults?.ofFund('files-late', code, date);
    const readyOn = late === undefined ? date : addDays(date, late.days ?? 1);
    const forms = fundForms(distributor);
    const head = { creator: code, receiver: distributor, date };
    for (const kind of KINDS) {
      const form = forms[kind] as unknown as OfdForm<unknown>;
      const chunks: Buffer[] = [];
      for await (const chunk of writeOfd(form, head, files[kind].length, [files[kind]])) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const damaged = faults?.ofFund('file-damaged', kind, date) !== undefined;
      const digest = createHash('sha256')
        .update(bytes)
        .update(damaged ? 'x' : '')
        .digest('hex');
      this.#made.set(`/${code}/outbox/${ofdName(head, form.type)}`, { bytes, digest, readyOn });
    }
  }
}

const INBOX = /^(\/([A-Za-z0-9]{1,9})\/inbox\/OFD_([A-Za-z0-9]{1,9})_\2_(\d{8})_03)\.(TXT|sha256|ok)$/;

/** The exchanges are shut on every Saturday and Sunday, also on those that are worked. */
function tradingDays(calendar: Calendar = { exceptions: new Map(), knownYears: new Set() }): TradingDays {
  const trades = (date: BusinessDate) => weekday(date) !== 0 && weekday(date) !== 6 && isWorkingDay(calendar, date);
  const step = (date: BusinessDate, by: 1 | -1) => {
    let day = addDays(date, by);
    while (!trades(day)) day = addDays(day, by);
    return day;
  };
  return {
    before: (date) => step(date, -1),
    after(date, n) {
      let day = date;
      for (let left = n; left > 0; left -= 1) day = step(day, 1);
      return day;
    },
  };
}
