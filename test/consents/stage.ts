import request, { type Response } from 'supertest';
import { openChannels } from '../../src/channels/index.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { type AnswerHandlers, askConsent, consentRoutes, type Question, sendSms } from '../../src/consents/index.js';
import { hashPassword } from '../../src/consents/password.js';
import { findConsent, type StoredConsent } from '../../src/consents/store.js';
import { type BusinessDate, type Id, instantOf, startOfDay } from '../../src/kernel/index.js';
import { insertCustomer, insertUsers } from '../../src/parties/users/records.js';
import type { DrivenClock, Route, StartedRuntime } from '../../src/runtime/index.js';
import { startApi, type TestApi, type TestPlatform } from '../support/api.js';

/** Customers with a mobile and perhaps a trade password, questions to them, and the pages on a real port; the SMS gateway is the simulator. */
export interface ConsentStage {
  readonly api: TestApi;
  readonly platform: TestPlatform;
  readonly bank: RunningBank;
  readonly clock: DrivenClock;
  /** What was heard of the end of questions, in order: `<subject id> <ending>`. */
  readonly heard: string[];
  /** Lets the next handlers of instructions throw. */
  failing: boolean;
  customer(options?: { password?: string }): Promise<TestCustomer>;
  ask(customer: TestCustomer, question?: Partial<Question>): Promise<{ consent: Id; path: string; subjectId: Id }>;
  consent(id: Id): Promise<StoredConsent>;
  /** Sends what waits, and answers the code of the last message to this customer. */
  code(customer: TestCustomer): Promise<string>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, form: Record<string, string>): Promise<Response>;
  later(ms: number): void;
  stop(): Promise<void>;
}

export interface TestCustomer {
  readonly id: Id;
  readonly userId: Id;
  readonly mobile: string;
}

export const PASSWORD = '285739';
/** Later than any machine's clock, which a driven clock begins with: it only goes forward. */
const START = instantOf(startOfDay('2037-03-02' as BusinessDate) + 10 * 3_600_000);
export const MINUTE = 60_000;

export const SHOWN: Question['shown'] = {
  title: { zh: '付款', en: 'Payment' },
  fen: '12345678',
  lines: [
    { label: { zh: '发起平台', en: 'Platform' }, value: '甲平台' },
    { label: { zh: '收款方', en: 'To' }, value: { zh: '乙商户', en: '乙商户' } },
    { label: { zh: '订单', en: 'Order' }, value: 'ORD-1' },
    { label: { zh: '您的账户', en: 'Your account' }, value: '915600*********1234' },
  ],
  brief: { zh: '尾号1234账户付款，乙商户，123456.78元', en: 'payment, account ending 1234, 乙商户, CNY 123456.78' },
};

let people = 0;

/** Further parts of the service, and another platform than a bare one. */
export interface StageParts {
  readonly routes?: (runtime: StartedRuntime) => Route[];
  readonly handlers?: (runtime: StartedRuntime) => AnswerHandlers;
  readonly platform?: (api: TestApi) => Promise<TestPlatform>;
}

export async function openStage(parts: StageParts = {}): Promise<ConsentStage> {
  const heard: string[] = [];
  const bank = await startBank({ port: 0, seed: 11 });
  const channels = openChannels({ bankUrl: bank.url, timeoutMs: 2_000 });
  const stage = { failing: false };
  const handlers: AnswerHandlers = {
    instruction: async (tx, id, ending) => {
      if (stage.failing) throw new Error('the process died here');
      await tx.write('INSERT INTO consumer_test (id, ending) VALUES (?, ?)', [id, ending]);
      return async () => void heard.push(`${id} ${ending}`);
    },
  };
  const routes = (runtime: StartedRuntime) => [
    ...consentRoutes(runtime, { handlers: { ...handlers, ...parts.handlers?.(runtime) } }),
    ...(parts.routes?.(runtime) ?? []),
  ];
  const api = await startApi(routes, {
    CLOCK: 'driven',
    PUBLIC_URL: 'https://bank.example/pages/',
  });
  const { db, vault, newId } = api.runtime;
  const clock = api.runtime.drivenClock as DrivenClock;
  clock.advance(START);
  const platform = await (parts.platform?.(api) ?? api.platform('甲平台'));
  // What a handler writes in the transaction of the answer.
  await db.withTx('test table', async (tx) => {
    await tx.write('CREATE TABLE consumer_test (id BIGINT NOT NULL PRIMARY KEY, ending VARCHAR(10) NOT NULL)');
  });
  return Object.assign(stage, {
    api,
    platform,
    bank,
    clock,
    heard,
    async customer({ password }: { password?: string } = {}) {
      people += 1;
      const [id, userId] = [newId(), newId()];
      const mobile = `139${String(people).padStart(8, '0')}`;
      const particulars = {
        kind: 'person' as const,
        name: '王小明',
        idType: 'passport' as const,
        idNo: `E${String(people).padStart(8, '0')}`,
        birthDate: '1988-05-17' as BusinessDate,
        idExpires: null,
        mobile,
      };
      const nowMs = clock.now();
      const hash = password === undefined ? null : await hashPassword(vault, id, password);
      await db.withTx('test customer', async (tx) => {
        await insertCustomer(tx, { id, particulars, mobile, screenedNo: 0n, nowMs }, vault);
        const user = { id: userId, platformId: platform.id, userNo: `U${people}`, customerId: null, state: 'pending' as const };
        const more = {
          takenOver: false,
          particularsSealed: vault.seal(JSON.stringify(particulars)),
          contentHash: Buffer.alloc(32),
        };
        const times = { refusal: null, attempts: 0, nextMs: nowMs, createdMs: nowMs, changedMs: nowMs };
        await insertUsers(tx, [{ ...user, ...more, ...times }]);
        await tx.write('UPDATE customers SET mobile_verified = 1 WHERE id = ?', [id]);
        await tx.write("UPDATE users SET state = 'verified', customer_id = ? WHERE id = ?", [id, userId]);
        await tx.write('INSERT INTO credentials (customer_id, password_hash, attempts, changed_ms) VALUES (?, ?, 0, ?)', [
          id,
          hash,
          nowMs,
        ]);
      });
      return { id, userId, mobile };
    },
    async ask(customer: TestCustomer, question: Partial<Question> = {}) {
      const subjectId = newId();
      const asked = await db.withTx('ask', (tx) =>
        askConsent(tx, api.runtime, {
          ...{
            subject: 'instruction',
            subjectId,
            platformId: platform.id,
            customerId: customer.id,
            needs: 'password',
            shown: SHOWN,
          },
          ...{ expiresMs: instantOf(clock.now() + 15 * MINUTE) },
          ...question,
        }),
      );
      return { consent: asked.consent, path: new URL(asked.url).pathname.replace('/pages', ''), subjectId };
    },
    async consent(id: Id) {
      return (await db.read('consent', (tx) => findConsent(tx, id))) as StoredConsent;
    },
    async code({ mobile }: TestCustomer) {
      await sendSms(api.runtime, channels.sms);
      const text = bank.bank.messages.sms(mobile).at(-1)?.text ?? '';
      return /\d{6}/.exec(text)?.[0] ?? '';
    },
    get: (path: string, headers: Record<string, string> = {}) => request(api.url).get(path).set(headers),
    post: (path: string, form: Record<string, string>) =>
      request(api.url).post(path).type('form').set({ 'user-agent': 'Test browser', 'x-forwarded-for': '203.0.113.9' }).send(form),
    later: (ms: number) => clock.advance(instantOf(clock.now() + ms)),
    async stop() {
      await channels.close();
      await bank.stop();
      await api.stop();
    },
  });
}

/** What the page says of the form: the code in the address to which it leads. */
export function noticeOf(response: Response): string | null {
  return new URL(response.headers.location ?? '', 'http://x/consents/').searchParams.get('notice');
}
