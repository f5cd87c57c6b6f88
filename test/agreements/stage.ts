import { accountAdminRoutes, accountRoutes, parameterRoutes } from '../../src/accounts/index.js';
import { agreementAdminRoutes, agreementAnswered, agreementRoutes } from '../../src/agreements/index.js';
import { type AnswerHandlers, receiptRoutes } from '../../src/consents/index.js';
import { type BusinessDate, residentIdCheck, toWire } from '../../src/kernel/index.js';
import { openBook, person, type TestBook } from '../accounts/books.js';
import { type ConsentStage, openStage, PASSWORD, type TestCustomer } from '../consents/stage.js';

/** The API of agreements with its pages, two platforms with sub-merchants, and members of the bank's staff. */
export interface AgreementStage extends ConsentStage {
  readonly book: TestBook;
  readonly other: TestBook;
  readonly administrator: string;
  /** Two who decide, and one who records what was signed on paper. */
  readonly anne: string;
  readonly bert: string;
  readonly clerk: string;
  /** An open account of a new sub-merchant. */
  seller(by?: TestBook, cycle?: string): Promise<string>;
  asked(account: string, more?: Record<string, unknown>): Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  submit(body: unknown, by?: TestBook): any;
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  staff(token: string, version: string, verb: string, body?: unknown): any;
  /** Records the signatures of all who have to sign. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  signed(version: any): Promise<void>;
  /** Submits, signs on paper, checks and approves; the version as it stands. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  approved(body: unknown, by?: TestBook): Promise<any>;
  /** Opens a business date of the platform's book. */
  onDate(date: string, of?: TestBook): Promise<void>;
  read(version: string): ReturnType<ConsentStage['api']['call']>;
}

/** The day on which the clock of the stage stands. */
export const TODAY = '2037-03-02';

let numbers = 0;
export const nextNo = () => {
  numbers += 1;
  return numbers;
};

export const simpleRule = (commission = 1000) => ({
  levels: { order: { lines: [{ to: 'commission', take: { percent: commission } }], remainder: 'seller' } },
});

export const simpleTerms = (more: Record<string, unknown> = {}) => ({
  ...{ rule: simpleRule(), othersCap: 3000, profitMax: 1000, cycle: 'T+1' },
  ...more,
});

export async function openAgreements(): Promise<AgreementStage> {
  let book: TestBook | undefined;
  let administrator = '';
  const stage = await openStage({
    routes: (rt) => [
      ...accountRoutes(rt),
      ...accountAdminRoutes(rt),
      ...parameterRoutes(rt),
      ...agreementRoutes(rt),
      ...agreementAdminRoutes(rt),
      ...receiptRoutes(rt, async () => undefined),
    ],
    handlers: (rt): AnswerHandlers => ({ agreement: agreementAnswered(rt) }),
    platform: async (api) => {
      ({ token: administrator } = await api.operator('administrator'));
      book = await openBook(api, administrator, { name: '甲<b>平台' });
      return book;
    },
  });
  const { api } = stage;
  const own = book as TestBook;
  const other = await openBook(api, administrator);
  const [anne, bert, clerk] = await Promise.all(
    (['reviewer', 'operator', 'operator'] as const).map(async (role) => (await api.operator(role)).token),
  );
  const staff = (token: string, version: string, verb: string, body: unknown = {}) =>
    api.call('POST', `/admin/v1/agreement-versions/${version}/${verb}`, { token, body });
  const submit = (body: unknown, by = own) => api.signed(by, 'POST', '/v1/agreements', body);
  const read = (version: string) => api.call('GET', `/admin/v1/agreement-versions/${version}`, { token: anne as string });
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  const signed = async (version: any) => {
    for (const { account, state } of version.signers)
      if (state !== 'signed')
        await staff(clerk as string, version.id, 'signatures', { account, voucher: `F-${nextNo()}` }).expect(200);
  };
  return {
    ...stage,
    ...{ book: own, other, administrator, anne: anne as string, bert: bert as string, clerk: clerk as string },
    ...{ submit, staff, read, signed },
    async seller(by = own, cycle = 't+1') {
      const { body } = await api.signed(by, 'POST', '/v1/sub-merchants', person(nextNo(), { cycle })).expect(201);
      return body.account;
    },
    asked: (account, more = {}) => ({
      ...{ agreementNo: `AG-${account}`, version: 1, account, validFrom: TODAY, terms: simpleTerms() },
      ...more,
    }),
    async approved(body, by = own) {
      const { body: version } = await submit(body, by).expect(201);
      await signed(version);
      await staff(anne as string, version.id, 'check').expect(200);
      return (await staff(bert as string, version.id, 'approve').expect(200)).body;
    },
    async onDate(date, of = own) {
      await api.runtime.db.withTx('date', (tx) =>
        tx.write('UPDATE books SET business_date = ? WHERE platform_id = ?', [date as BusinessDate, of.id]),
      );
    },
  };
}

/** A sub-merchant whose person is a customer of the bank with a trade password. */
export async function personBehind(stage: AgreementStage): Promise<{ account: string; customer: TestCustomer; user: string }> {
  const n = nextNo();
  const first17 = `11010519880101${String(n).padStart(3, '0')}`;
  const idNo = first17 + residentIdCheck(first17);
  const customer = await stage.customer({ password: PASSWORD });
  const { db, vault } = stage.api.runtime;
  await db.withTx('identity', (tx) =>
    tx.write("UPDATE customers SET id_type = 'resident-id', id_no_sealed = ?, id_index = ? WHERE id = ?", [
      vault.seal(idNo),
      vault.index('id:resident-id', idNo),
      customer.id,
    ]),
  );
  const party = { kind: 'person', name: '王小明', idNo };
  const settlementAccount = { name: '王小明', account: '6228480012345678903', bankCode: '102100099996' };
  const { body } = await stage.api
    .signed(stage.book, 'POST', '/v1/sub-merchants', { merchantNo: `P-${n}`, party, settlementAccount, cycle: 't+1' })
    .expect(201);
  return { account: body.account, customer, user: toWire('user', customer.userId) };
}
