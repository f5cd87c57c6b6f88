import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usccOf } from '../../scripts/demo/people.js';
import { Processes } from '../../scripts/demo/processes.js';
import { makeOperator } from '../../scripts/operator.js';
import type { FaultPlan } from '../../src/channels/simulator/faults.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { addDays, type BusinessDate, luhnDigit, residentIdCheck, startOfDay, toRfc3339 } from '../../src/kernel/index.js';
import { signRequest } from '../../src/platforms/index.js';
import { until } from '../jobs/until.js';
import { type FreshDatabase, freshDatabase, TEST_KEYS } from '../support/database.js';

/** Somebody whose particulars stand nowhere else: what is found of him came through the door that he went through. */
export interface Somebody {
  readonly name: string;
  readonly idNo: string;
  readonly uscc: string;
  readonly company: string;
  readonly mobile: string;
  readonly card: string;
  /** All of it. */
  readonly plain: readonly string[];
}

const RARE = [...'彧翀祎頔昉贇旻珩瑀璟晞昱玥翊翃烜焱煜煊熠'];
let people = 0;

export function somebody(): Somebody {
  people += 1;
  const rare = (shift: number) => RARE[(people * 3 + shift * 7) % RARE.length] as string;
  const number = String(people).padStart(3, '0');
  // Nobody has another's name: a watch list finds people by it.
  const name = `令狐${RARE[people % RARE.length]}${RARE[Math.floor(people / RARE.length) % RARE.length]}${rare(0)}`;
  const first17 = `11010119790${1 + (people % 9)}17${number}`;
  const card = `62170077${number}3141592`;
  const of = {
    name,
    company: `${rare(2)}${rare(3)}${rare(4)}${number}有限公司`,
    idNo: first17 + residentIdCheck(first17),
    uscc: usccOf(71_000_000 + people),
    mobile: `1395927${String(1000 + people)}`,
    card: card + luhnDigit(card),
  };
  return { ...of, plain: Object.values(of) };
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  readonly body: any;
}
type Call = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown, mediaType?: string) => Promise<Answer>;

/** The service as it runs: API and worker are processes of their own with their logs in files, the bank is the simulator. */
export interface Stage {
  readonly fresh: FreshDatabase;
  readonly bank: RunningBank;
  readonly api: string;
  /** The folder of the processes' logs. */
  readonly logs: string;
  /** The folder of the sealed images. */
  readonly documents: string;
  /** What the bank wrote down. */
  readonly bankLog: string[];
  readonly platform: string;
  readonly custodyNo: string;
  /** As the platform; as two of the bank's staff, who have every role. Text and bytes go out as they stand. */
  readonly asPlatform: Call;
  readonly asStaff: Call;
  readonly asReviewer: Call;
  /** Gives an instruction and waits until it is decided; answers `posted` or the code of the refusal. */
  give(kind: string, data: unknown): Promise<string>;
  /** A buyer pays at the bank and in the books. */
  pay(orderNo: string, amount: number, payer: { name: string; account: string; bankCode?: string }): Promise<string>;
  /** Money that arrives at the bank. */
  inflow(of: { reference: string; amount: number; counterparty: string; text: string }): Promise<void>;
  faults(plan: FaultPlan): void;
  /** Midnight passes; answers the state in which the day that ended came to rest. */
  nextDay(): Promise<string>;
  today(): BusinessDate;
  end(): Promise<void>;
}

const FIRST_DAY = '2026-03-02' as BusinessDate;
const CUSTODY_NO = '9990106000002';

export async function openStage(): Promise<Stage> {
  const fresh = await freshDatabase();
  const logs = mkdtempSync(join(tmpdir(), 'cunguan-personal-'));
  const documents = mkdtempSync(join(tmpdir(), 'cunguan-images-'));
  const bankLog: string[] = [];
  const bank = await startBank({
    port: 0,
    seed: 3,
    log: (event, fields) => void bankLog.push(JSON.stringify({ event, ...fields })),
  });
  await fresh.db.withTx('clock', (tx) =>
    tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [startOfDay(FIRST_DAY) + 36_000_000]),
  );
  const staff = ['operator', 'reviewer', 'administrator', 'auditor', 'compliance'] as const;
  const { token } = await makeOperator(fresh.db, 'Staff', staff);
  const reviewer = await makeOperator(fresh.db, 'Reviewer', staff);
  const processes = new Processes(logs);
  const env = {
    ...TEST_KEYS,
    DATABASE_URL: fresh.url,
    REDIS_URL: fresh.redisUrl,
    REDIS_PREFIX: fresh.redisPrefix,
    BANK_URL: bank.url,
    CLOCK: 'driven',
    SHARDS: '1',
    PORT: '0',
    DOCUMENTS_DIR: documents,
    TICK_MS: '100',
    LOG_LEVEL: 'trace',
    NODE_OPTIONS: '',
  };
  const [api] = await Promise.all([
    processes.start('api', ['src/main.ts'], env),
    processes.start('worker', ['jobs/main.ts'], env),
  ]);
  const signedIn =
    (bearer: string): Call =>
    (method, path, body, mediaType) =>
      send(api.url, { method, path, body, mediaType, sign: () => ({ authorization: `Bearer ${bearer}` }) });
  const asStaff = signedIn(token);
  await fetch(`${bank.url}/core/accounts`, { method: 'POST', body: JSON.stringify({ custodyNo: CUSTODY_NO, name: 'Market' }) });
  const opened = await asStaff('POST', '/admin/v1/platforms', { name: 'Market', custodyNo: CUSTODY_NO, openDate: FIRST_DAY });
  const platform = opened.body.id as string;
  const keys = generateKeyPairSync('ed25519');
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keyId = (await asStaff('POST', `/admin/v1/platforms/${platform}/keys`, { publicKey })).body.id as string;
  return {
    ...stageOf({ fresh, bank, api: api.url, asStaff, platform, keyId, privateKey: keys.privateKey }),
    asReviewer: signedIn(reviewer.token),
    logs,
    documents,
    bankLog,
    end: async () => {
      await processes.stop();
      await bank.stop();
      await fresh.drop();
      rmSync(logs, { recursive: true });
      rmSync(documents, { recursive: true });
    },
  };
}

interface Sending {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly mediaType?: string | undefined;
  readonly sign: (parts: { method: string; url: string; body: string | Buffer | undefined }) => Record<string, string>;
}

async function send(api: string, { method, path, body, mediaType = 'application/json', sign }: Sending): Promise<Answer> {
  const isPlain = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const text = isPlain ? body : JSON.stringify(body);
  const url = new URL(api + path).href;
  const response = await fetch(url, {
    method,
    ...(text === undefined ? {} : { body: text }),
    headers: { ...(text === undefined ? {} : { 'content-type': mediaType }), ...sign({ method, url, body: text }) },
  });
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer) };
}

type Parts = Pick<Stage, 'fresh' | 'bank' | 'api' | 'asStaff' | 'platform'> & {
  readonly keyId: string;
  readonly privateKey: KeyObject;
};

function stageOf(parts: Parts): Omit<Stage, 'logs' | 'documents' | 'bankLog' | 'asReviewer' | 'end'> {
  const { bank, api, asStaff, platform, keyId, privateKey } = parts;
  const asPlatform: Call = (method, path, body, mediaType) =>
    send(api, { method, path, body, mediaType, sign: (of) => signRequest({ ...of, keyId, privateKey, now: Date.now() }) });
  let today = FIRST_DAY;
  let requests = 0;
  const inflow: Stage['inflow'] = async ({ amount, ...item }) => {
    const body = JSON.stringify({ businessDate: today, items: [{ ...item, amount: String(amount) }] });
    const { status } = await fetch(`${bank.url}/core/accounts/${CUSTODY_NO}/inflows`, { method: 'POST', body });
    if (status !== 200) throw new Error(`the bank answered ${status}`);
  };
  const give: Stage['give'] = async (kind, data) => {
    requests += 1;
    const ask = () => asPlatform('POST', '/v1/instructions', { requestNo: `R-${requests}`, kind, data });
    const { body } = await until(ask, ({ status }) => status !== 202);
    return body.code ?? body.state;
  };
  return {
    ...parts,
    custodyNo: CUSTODY_NO,
    asPlatform,
    give,
    inflow,
    today: () => today,
    faults: (plan) => bank.bank.faults.replace(plan),
    pay: async (orderNo, amount, payer) => {
      requests += 1;
      const reference = `IN-${requests}`;
      await inflow({ reference, amount, counterparty: payer.name, text: orderNo });
      return give('payment', { orderNo, amount: { amount, currency: 'CNY' }, payer, reference });
    },
    nextDay: async () => {
      const ended = today;
      today = addDays(today, 1);
      const now = toRfc3339((startOfDay(today) + 30_000) as Parameters<typeof toRfc3339>[0]);
      await asStaff('PUT', '/admin/v1/clock', { now });
      const day = () => asStaff('GET', `/admin/v1/platforms/${platform}/days/${ended}`);
      return (await until(day, ({ body }) => ['closed', 'stopped'].includes(body.state))).body.state;
    },
  };
}
