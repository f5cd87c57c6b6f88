import { generateKeyPairSync } from 'node:crypto';
import { judgeReceipt } from '../../src/consents/receipts/rules.js';
import {
  addDays,
  type BusinessDate,
  type Instant,
  luhnDigit,
  type Minor,
  readPublicKeys,
  residentIdCheck,
  startOfDay,
  toRfc3339,
} from '../../src/kernel/index.js';
import { closeDay } from './day.js';
import type { Check } from './figures.js';
import { bearer, type Client, openClient, type Stopwatch, signAs } from './http.js';
import { Page } from './page.js';
import { sellerOf, usccOf } from './people.js';

/**
 * A customer of the bank from his registration to his withdrawal: both classes of electronic account, top-ups, an order paid by his own
 * act and one under a mandate, every limit of the law tried by one fen too much, and his money back on his card.
 */
const NAME = '远行预付服务有限公司';
const CUSTODY_NO = '9990106000002';
const CARD_BANK = '102100099996';
const MOBILE = '13800138000';
const PASSWORD = '730516';
const WHAT = 'the customer';

interface Setting {
  readonly api: string;
  readonly bank: string;
  readonly token: string;
  /** The natural day that the driven clock stands on. */
  readonly today: BusinessDate;
  readonly nextWorkingDay: BusinessDate;
  readonly watch: Stopwatch;
}

export async function personChapter(setting: Setting): Promise<Check[]> {
  const stage = await Stage.open(setting);
  try {
    await stage.register();
    await stage.setPassword();
    await stage.topUp();
    await stage.pay();
    await stage.beyondTheDay();
    await stage.beyondTheYear();
    await stage.withdraw();
    await stage.limitsAgain();
    return stage.checks;
  } finally {
    await stage.close();
  }
}

const cny = (amount: Minor) => ({ amount: Number(amount), currency: 'CNY' });

interface Outcome {
  readonly instruction: string;
  readonly state: 'received' | 'awaiting-consent' | 'posted' | 'refused';
  readonly code: string | null;
  readonly detail: Readonly<Record<string, string>> | null;
  readonly consent?: { readonly id: string; readonly url?: string };
}

/** A limit as the service tells it, in fen. */
interface Limit {
  readonly name: string;
  readonly value: number;
  readonly source: string;
}

const MORNING_MS = 9 * 3_600_000;
const LOOK_EVERY_MS = 25;
const LOOK_MAX_MS = 60_000;

/** Asks until the answer is there. @throws Error after a minute */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + LOOK_MAX_MS; performance.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
  }
  throw new Error(`Waited a minute for ${what}.`);
}

class Stage {
  readonly checks: Check[] = [];
  readonly #setting: Setting;
  readonly #clients: { readonly admin: Client; readonly platform: Client; readonly bank: Client };
  readonly #platformId: string;
  readonly #seller: string;
  readonly #card: string;
  #today: BusinessDate;
  #requests = 0;
  #seconds = 0;
  #user = '';
  #two = '';
  #three = '';
  /** The limits of a year by the law, which are lowered for one day. */
  #lawful: readonly Limit[] = [];

  private constructor(setting: Setting, clients: Stage['clients'], platformId: string, seller: string) {
    this.#setting = setting;
    this.#today = setting.today;
    this.#clients = clients;
    this.#platformId = platformId;
    this.#seller = seller;
    const number = '621700000010086';
    this.#card = number + luhnDigit(number);
  }

  get clients() {
    return this.#clients;
  }

  static async open(setting: Setting): Promise<Stage> {
    const { api, bank: bankUrl, token, today, watch } = setting;
    const bank = openClient(bankUrl, watch);
    const admin = openClient(api, watch, bearer(token));
    await bank.call({ method: 'POST', path: '/core/accounts', body: { custodyNo: CUSTODY_NO, name: NAME }, what: WHAT });
    const own = { name: NAME, uscc: usccOf(88_888_888), custodyNo: CUSTODY_NO, openDate: today };
    const { id } = (await admin.call({ method: 'POST', path: '/admin/v1/platforms', body: own, what: WHAT })) as { id: string };
    const pair = generateKeyPairSync('ed25519');
    const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const path = `/admin/v1/platforms/${id}/keys`;
    const { id: keyId } = (await admin.call({ method: 'POST', path, body: { publicKey }, what: WHAT })) as { id: string };
    const platform = openClient(api, watch, signAs({ keyId, privateKey: pair.privateKey }));
    const body = sellerOf('0123456789abcdef0123456789abcdef', 7);
    const { account } = (await platform.call({ method: 'POST', path: '/v1/sub-merchants', body, what: WHAT })) as {
      account: string;
    };
    return new Stage(setting, { admin, platform, bank }, id, account);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#clients).map((client) => client.close()));
  }

  #check(what: string, found: unknown, expected: unknown): void {
    this.checks.push({ what, ok: found === expected, found: found === expected ? String(found) : `${found}, not ${expected}` });
  }

  #post(path: string, body?: unknown): Promise<unknown> {
    const wait = { prefer: 'wait=20' };
    return this.#clients.platform.call({
      method: 'POST',
      path,
      headers: wait,
      what: WHAT,
      ...(body === undefined ? {} : { body }),
    });
  }

  #get(path: string): Promise<unknown> {
    return this.#clients.platform.call({ method: 'GET', path, what: WHAT });
  }

  /** Real names first: the bank asks who he is, and the bank of his card whether it is his. */
  async register(): Promise<void> {
    const number = '11010519880808123';
    const identity = { name: '李雷', idType: 'resident-id', idNo: number + residentIdCheck(number), idExpires: null };
    const party = { kind: 'person', ...identity, mobile: MOBILE, address: '北京市朝阳区某路 1 号', occupation: '工程师' };
    const user = (await this.#post('/v1/users', { userNo: 'U-1', party })) as { id: string; state: string };
    this.#check('the identity is verified 实名核验', user.state, 'verified');
    this.#user = user.id;
    this.#two = await this.#openAccount(2);
    this.#three = await this.#openAccount(3);
  }

  async #openAccount(of: 2 | 3): Promise<string> {
    const card = { account: this.#card, bankCode: CARD_BANK, mobile: MOBILE };
    const body = { openingNo: `O-${of}`, user: this.#user, class: of, card };
    const opened = (await this.#post('/v1/electronic-accounts', body)) as { state: string; account: string };
    this.#check(`a Class ${of === 2 ? 'II' : 'III'} account is opened 开立${of === 2 ? 'Ⅱ' : 'Ⅲ'}类户`, opened.state, 'opened');
    return opened.account;
  }

  async setPassword(): Promise<void> {
    const { consent } = (await this.#post(`/v1/users/${this.#user}/password-link`)) as { consent: { url: string } };
    const page = this.#pageAt(consent.url);
    const ended = await page.approve({ code: await page.code(), newPassword: PASSWORD, repeatPassword: PASSWORD });
    this.#check('he sets his trade password 设置交易密码', ended, 'given');
  }

  #pageAt(url: string): Page {
    return new Page(url, { bank: this.#clients.bank, mobile: MOBILE, platform: this.#clients.platform });
  }

  /** Gives an instruction; he is asked where he must be, and says yes by whatever the page asks for. Answers how it ended. */
  async #give(kind: string, data: object): Promise<Outcome> {
    this.#requests += 1;
    const requestNo = `P-${this.#requests}`;
    const path = '/v1/instructions';
    const call = { method: 'POST' as const, path, headers: { prefer: 'wait=20' }, what: WHAT };
    const given = (await this.#clients.platform.call({ ...call, body: { requestNo, kind, data }, refusalsToo: true })) as Outcome;
    if (given.state !== 'awaiting-consent' || given.consent?.url === undefined) return given;
    const page = this.#pageAt(given.consent.url);
    await page.approveWith(PASSWORD);
    return until(`${requestNo}`, async () => {
      const now = (await this.#get(`${path}/${given.instruction}`)) as Outcome;
      return now.state === 'posted' || now.state === 'refused' ? now : undefined;
    });
  }

  async #tries(what: string, kind: string, data: object, expected: string): Promise<Outcome> {
    const outcome = await this.#give(kind, data);
    this.#check(what, outcome.code ?? outcome.state, expected);
    return outcome;
  }

  async #balance(account: string): Promise<number> {
    return ((await this.#get(`/v1/accounts/${account}`)) as { balance: number }).balance;
  }

  async topUp(): Promise<void> {
    await this.#tries(
      'he tops up 30,000.00 from his card 充值',
      'top-up',
      { account: this.#two, amount: cny(3_000_000n) },
      'posted',
    );
    await this.#tries('and 1,500.00 to Class III', 'top-up', { account: this.#three, amount: cny(150_000n) }, 'posted');
    await until('the collections', async () => {
      await this.#passTime();
      const there = (await this.#balance(this.#two)) === 3_000_000 && (await this.#balance(this.#three)) === 150_000;
      return there || undefined;
    });
    const over = { account: this.#three, amount: cny(50_001n) };
    await this.#tries('one fen above 2,000.00 on Class III', 'top-up', over, 'BALANCE_CAP');
  }

  /** An order by his own act, with a receipt that anybody can verify; and one under a mandate, within its caps. */
  async pay(): Promise<void> {
    const amount = cny(50_000n);
    const paid = await this.#tries(
      'he pays an order of 500.00 himself 本人确认付款',
      'account-payment',
      this.#order('T-1', amount),
      'posted',
    );
    const receipt = await this.#get(`/v1/receipts/${paid.instruction}`);
    const keys = await this.#clients.platform.call({ method: 'GET', path: '/v1/receipt-keys', what: WHAT });
    const judged = judgeReceipt(receipt, readPublicKeys(JSON.stringify(keys)));
    this.#check('its receipt is genuine 回执验签', 'fault' in judged ? judged.fault : 'genuine', 'genuine');
    const mandate = await this.#mandate();
    const under = (of: Minor) => ({ ...this.#order('T-1', cny(of)), mandate });
    await this.#tries('under his mandate 150.00 are paid 授权付款', 'account-payment', under(15_000n), 'posted');
    await this.#tries('one fen above its cap for a payment', 'account-payment', under(20_001n), 'MANDATE_EXCEEDED');
    await this.#tries('one fen above its total', 'account-payment', under(15_001n), 'MANDATE_EXCEEDED');
  }

  #order(orderNo: string, amount: ReturnType<typeof cny>) {
    return { from: this.#two, to: { orderNo }, amount };
  }

  async #mandate(): Promise<string> {
    const expiresAt = toRfc3339(startOfDay(addDays(this.#today, 90)));
    const caps = { paymentCap: cny(20_000n), totalCap: cny(30_000n), expiresAt };
    const body = {
      mandateNo: 'M-1',
      user: this.#user,
      account: this.#two,
      kinds: ['account-payment'],
      payees: { orders: true },
      ...caps,
    };
    const asked = (await this.#post('/v1/mandates', body)) as { mandate: string; consent: { url: string } };
    await this.#pageAt(asked.consent.url).approveWith(PASSWORD);
    const { state } = (await this.#get(`/v1/mandates/${asked.mandate}`)) as { state: string };
    this.#check('he gives a mandate with caps 授予授权', state, 'active');
    return asked.mandate;
  }

  /** 10,000.00 a day with others on Class II, 2,000.00 on Class III, each way; before he was seen nothing comes in from others. */
  async beyondTheDay(): Promise<void> {
    this.#check('a stranger cannot pay into Class II', await this.#transfer(this.#two, 1n), 'INFLOW_NOT_CONFIRMED');
    const seen = `/admin/v1/electronic-accounts/${this.#two}/confirm-face-to-face`;
    await this.#clients.admin.call({ method: 'POST', path: seen, body: { reason: '网点面对面核实' }, what: WHAT });
    this.#check('seen face to face, 10,000.00 may come in', await this.#transfer(this.#two, 1_000_000n), 'accepted');
    this.#check('and not a fen more that day 日累计转入', await this.#transfer(this.#two, 1n), 'LIMIT_IN_DAY');
    const rest = 1_000_000n - 65_000n;
    await this.#tries('one fen above 10,000.00 out', 'account-payment', this.#order('T-1', cny(rest + 1n)), 'LIMIT_OUT_DAY');
    await this.#tries('10,000.00 out 日累计转出', 'account-payment', this.#order('T-1', cny(rest)), 'posted');
    const seller = { account: this.#seller };
    const small = (amount: Minor) => ({ from: this.#three, to: seller, amount: cny(amount) });
    await this.#tries('Class III pays a sub-merchant 1,500.00', 'account-payment', small(150_000n), 'posted');
    this.#check('strangers may pay in 1,500.00', await this.#transfer(this.#three, 150_000n), 'accepted');
    this.#check('not 500.01 more: 2,000.00 a day', await this.#transfer(this.#three, 50_001n), 'LIMIT_IN_DAY');
    await this.#tries('not 500.01 more out', 'account-payment', small(50_001n), 'LIMIT_OUT_DAY');
    await this.#tries('500.00 more', 'account-payment', small(50_000n), 'posted');
  }

  /**
   * A year's limits are too far away to be used up, so the bank gives them for one day the value of what was used already, which makes one
   * fen too much, and for the day after that what the law says.
   */
  async beyondTheYear(): Promise<void> {
    await this.#closeDay();
    const used = {
      'class-2.out.year': 1_000_000n,
      'class-2.in.year': 1_000_000n,
      'class-3.out.year': 200_000n,
      'class-3.in.year': 150_000n,
    };
    this.#lawful = (await this.#limits()).filter(({ name }) => Object.hasOwn(used, name));
    for (const { name, value, source } of this.#lawful) {
      const lowered = Number(used[name as keyof typeof used]);
      await this.#setLimit(name, { validFrom: this.#today, value: lowered, source: '演示：年累计限额，仅一日' });
      await this.#setLimit(name, { validFrom: addDays(this.#today, 1), value, source });
    }
    await this.#tries(
      "a fen above the year's limit out 年累计",
      'account-payment',
      this.#order('T-1', cny(1n)),
      'LIMIT_OUT_YEAR',
    );
    this.#check("a fen above the year's limit in", await this.#transfer(this.#two, 1n), 'LIMIT_IN_YEAR');
    const small = { from: this.#three, to: { account: this.#seller }, amount: cny(1n) };
    await this.#tries('the same of Class III', 'account-payment', small, 'LIMIT_OUT_YEAR');
    this.#check('and in', await this.#transfer(this.#three, 1n), 'LIMIT_IN_YEAR');
  }

  /** The limits in force on the day. */
  async #limits(): Promise<readonly Limit[]> {
    return ((await this.#get(`/v1/limits?on=${this.#today}`)) as { items: readonly Limit[] }).items;
  }

  async #setLimit(name: string, body: Omit<Limit, 'name'> & { readonly validFrom: BusinessDate }): Promise<void> {
    await this.#clients.admin.call({ method: 'PUT', path: `/admin/v1/parameters/${name}`, body, what: WHAT });
  }

  /** Whoever goes on by hand finds the limits of the law. */
  async limitsAgain(): Promise<void> {
    const now = new Map((await this.#limits()).map(({ name, value }) => [name, value]));
    const again = this.#lawful.filter(({ name, value }) => now.get(name) === value);
    this.#check("the law's limits of a year hold again 恢复法定年限额", again.length, 4);
  }

  async #transfer(account: string, amount: Minor): Promise<string> {
    this.#requests += 1;
    const { virtualNo } = (await this.#get(`/v1/electronic-accounts/${account}`)) as { virtualNo: string };
    const payer = { name: '韩梅梅', account: '6228480000000000001', bankCode: '103100000026' };
    const reference = `D-${this.#requests}`;
    const body = { virtualNo, amount: String(amount), payer, reference };
    await this.#clients.bank.call({ method: 'POST', path: '/sandbox/transfers', body, what: WHAT });
    return until(`the transfer ${reference}`, async () => {
      const { items } = (await this.#clients.bank.call({ method: 'GET', path: '/sandbox/transfers', what: WHAT })) as {
        items: readonly { reference: string; state: string; reason?: string }[];
      };
      const found = items.find((item) => item.reference === reference);
      if (found === undefined || found.state === 'held') return undefined;
      return found.state === 'accepted' ? 'accepted' : (/[A-Z]+_[A-Z_]+/.exec(found.reason ?? '')?.[0] ?? found.reason);
    });
  }

  async #closeDay(): Promise<void> {
    const next = addDays(this.#today, 1);
    await this.#setClock(next);
    await closeDay({ clients: this.#clients, platformId: this.#platformId }, this.#today);
    this.#today = next;
  }

  async #setClock(day: BusinessDate): Promise<void> {
    const body = { now: toRfc3339(startOfDay(day)) };
    await this.#clients.admin.call({ method: 'PUT', path: '/admin/v1/clock', body, what: WHAT });
  }

  /** Some seconds of the morning pass: channels are asked after what they accepted. */
  async #passTime(): Promise<void> {
    this.#seconds += 5;
    const now = startOfDay(this.#today) + MORNING_MS + this.#seconds * 1_000;
    const body = { now: toRfc3339(now as Instant) };
    await this.#clients.admin.call({ method: 'PUT', path: '/admin/v1/clock', body, what: WHAT });
  }

  /** What came in clears on the next working day; then it goes back to his card, by his own act. */
  async withdraw(): Promise<void> {
    while (this.#today < this.#setting.nextWorkingDay) await this.#closeDay();
    const before = await this.#balance(this.#two);
    const data = { account: this.#two, amount: cny(100_000n) };
    const { detail } = await this.#tries('he withdraws 1,000.00 to his card 提现', 'withdrawal', data, 'posted');
    const state = await until('the withdrawal', async () => {
      await this.#passTime();
      const payout = (await this.#get(`/v1/payouts/${detail?.payout}`)) as { state: string };
      return payout.state === 'settled' || payout.state === 'failed' ? payout.state : undefined;
    });
    this.#check('it reaches his card', state, 'settled');
    this.#check('his balance is less by as much', await this.#balance(this.#two), before - 100_000);
    await this.#closeDay();
    const { items } = (await this.#get('/v1/days')) as {
      items: readonly { state: string; custody: number; subAccounts: number }[];
    };
    const sound = items
      .filter(({ state: of }) => of !== 'open')
      .every((day) => day.state === 'closed' && day.custody === day.subAccounts);
    this.#check('every day of this platform is proved 总分核对', sound, true);
  }
}
