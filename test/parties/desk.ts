import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountAdminRoutes, accountRoutes, customerLock } from '../../src/accounts/index.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { addDays, type BusinessDate, instantOf, residentIdCheck, startOfDay, usccCheck } from '../../src/kernel/index.js';
import { operatorRoutes } from '../../src/operators/index.js';
import { askOthers, lookAfterCustomers, partyRoutes } from '../../src/parties/index.js';
import type { DrivenClock, StartedRuntime } from '../../src/runtime/index.js';
import { openBook, type TestBook } from '../accounts/books.js';
import { type Bent, type Method, startApi, type TestApi } from '../support/api.js';

/** Later than any machine's clock, which a driven clock begins with: it only goes forward. */
export const TODAY = '2091-03-05' as BusinessDate;
const TEN_HOURS = 36_000_000;

/** The routes of parties and accounts, two platforms, staff, a bank simulator, and the worker's two jobs to be run by hand. */
export interface Desk {
  readonly api: TestApi;
  readonly rt: StartedRuntime;
  readonly bank: RunningBank;
  readonly channels: Channels;
  readonly platform: TestBook;
  readonly other: TestBook;
  readonly documents: string;
  readonly staff: {
    readonly operator: string;
    readonly reviewer: string;
    readonly auditor: string;
    readonly administrator: string;
  };
  /** A signed call that waits for nothing. */
  call(method: Method, path: string, body?: unknown, by?: TestBook, bent?: Bent): ReturnType<TestApi['signed']>;
  asStaff(method: Method, path: string, body?: unknown, token?: string): ReturnType<TestApi['call']>;
  register(body: unknown, by?: TestBook): Promise<Answered>;
  user(id: string, by?: TestBook): Promise<Answered['body']>;
  /** The worker asks others. */
  ask(): Promise<number>;
  /** The worker looks after customers. */
  look(): Promise<number>;
  /** Registers, verifies, and answers the user as it then is. */
  settled(body: unknown, by?: TestBook): Promise<Answered['body']>;
  pass(ms: number): void;
  goTo(date: string): void;
  faults(...scripted: FaultRule[]): void;
  rows<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of answers are looked at field by field
  readonly body: any;
}

export async function openDesk(): Promise<Desk> {
  const documents = mkdtempSync(join(tmpdir(), 'cunguan-documents-'));
  const bank = await startBank({ port: 0, seed: 7 });
  const channels = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
  const api = await startApi(
    (rt) => [...partyRoutes(rt, customerLock(rt)), ...accountRoutes(rt), ...accountAdminRoutes(rt), ...operatorRoutes(rt)],
    { CLOCK: 'driven', DOCUMENTS_DIR: documents },
  );
  const rt = api.runtime;
  const clock = rt.drivenClock as DrivenClock;
  clock.advance(instantOf(startOfDay(TODAY) + TEN_HOURS));
  const token = async (role: 'operator' | 'reviewer' | 'auditor' | 'administrator') => (await api.operator(role)).token;
  const staff = {
    operator: await token('operator'),
    reviewer: await token('reviewer'),
    auditor: await token('auditor'),
    administrator: await token('administrator'),
  };
  const platform = await openBook(api, staff.administrator);
  const other = await openBook(api, staff.administrator);
  const call: Desk['call'] = (method, path, body, by = platform, bent = {}) =>
    api.signed(by, method, path, body, { ...bent, headers: { prefer: 'respond-async', ...bent.headers } });
  const lock = customerLock(rt);
  const desk: Desk = {
    ...{ api, rt, bank, channels, platform, other, documents, staff, call },
    asStaff: (method, path, body, by = staff.operator) => api.call(method, path, { token: by, body }),
    register: (body, by) => call('POST', '/v1/users', body, by),
    user: async (id, by) => (await call('GET', `/v1/users/${id}`, undefined, by).expect(200)).body,
    ask: () => askOthers(rt, channels.verification, lock),
    look: () => lookAfterCustomers(rt, lock),
    settled: async (body, by) => {
      const { body: user, status } = await call('POST', '/v1/users', body, by);
      if (status !== 200 && status !== 202) throw new Error(`registering was answered with ${status} ${JSON.stringify(user)}`);
      await desk.ask();
      return desk.user(user.id, by);
    },
    pass: (ms) => clock.advance(instantOf(clock.now() + ms)),
    goTo: (date) => clock.advance(instantOf(startOfDay(date as BusinessDate) + TEN_HOURS)),
    faults: (...scripted) => bank.bank.faults.replace({ scripted }),
    rows: (sql, parameters) => rt.db.read('look', (tx) => tx.rows(sql, parameters)),
    close: async () => {
      await channels.close();
      await bank.stop();
      await api.stop();
      rmSync(documents, { recursive: true, force: true });
    },
  };
  return desk;
}

/** A resident identity number that passes its check. */
export function residentId(birth: string, sequence: number, area = '110105'): string {
  const first17 = `${area}${birth.replaceAll('-', '')}${String(sequence).padStart(3, '0')}`;
  return first17 + residentIdCheck(first17);
}

const HAN = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨';

/** A registration of a person; another number makes another person with another mobile number. */
export function person(n: number, more: Record<string, unknown> = {}) {
  const name = `${HAN[n % 16]}${HAN[Math.floor(n / 16) % 16]}${HAN[Math.floor(n / 256) % 16]}`;
  const party = {
    kind: 'person',
    name,
    idType: 'resident-id',
    idNo: residentId(addDays('1990-01-01' as BusinessDate, Math.floor(n / 900)), 1 + (n % 900)),
    idExpires: '2099-12-31',
    mobile: `139${String(n).padStart(8, '0')}`,
    address: '北京市朝阳区某路1号',
    occupation: '教师',
    ...more,
  };
  return { userNo: `U-${n}`, party };
}

function uscc(n: number): string {
  const organisation = String(10_000_000 + n);
  const weights = [3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, place) => total + weight * Number(organisation[place]), 0);
  const check = 11 - (sum % 11);
  const first17 = `91110000${organisation}${check === 10 ? 'X' : String(check % 11)}`;
  return first17 + usccCheck(first17);
}

function associate(n: number) {
  const { name, idType, idNo, idExpires } = person(n).party;
  return { name, idType, idNo, idExpires };
}

/** A registration of a company with people of its own behind it. */
export function company(n: number, more: Record<string, unknown> = {}) {
  const base = 500_000 + n * 10;
  return {
    userNo: `C-${n}`,
    party: {
      kind: 'company',
      name: `某某${n}（北京）有限公司`,
      idNo: uscc(n),
      idExpires: null,
      representative: associate(base),
      operator: { ...associate(base + 1), mobile: `138${String(base).padStart(8, '0')}` },
      owners: [{ ...associate(base + 2), share: 6_000 }],
      ...more,
    },
  };
}
